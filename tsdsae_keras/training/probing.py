"""Probing: how well labels can be read off the embeddings of sounds, for any model that has `embed`.

A model takes part if it has `embed(x, mask=None)`, log-mel frames (n, T, F) to (n, d), and `front_end`, the settings of
these frames. Features without learning take part as functions of samples.
"""

import logging

import numpy as np

from tsdsae_keras.data.audio.clips import RATE, fit_length, is_silent, scale_peak
from tsdsae_keras.data.audio.logmel import FrontEnd
from tsdsae_keras.data.prepared.jobs import in_parallel
from tsdsae_keras.errors import InputError
from tsdsae_keras.metrics.intervals import mean_interval
from tsdsae_keras.metrics.linear_probes import predict_linear

log = logging.getLogger(__name__)

AT_ONCE = 64  # sounds


def embedder(model):
    """The function from samples (n, length), at 16 kHz, to embeddings (n, d) of a model of this library.

    Raises:
        InputError: the model has no `embed`, or does not say which frames it takes.
    """
    if not hasattr(model, "embed") or not getattr(model, "front_end", None):
        raise InputError(
            f"{type(model).__name__} has no embedding of sounds; take a model with `embed` and `front_end`"
        )
    front_end = FrontEnd.from_dict(model.front_end)
    if front_end.sample_rate != RATE:
        raise InputError(f"the model takes sound at {front_end.sample_rate} Hz; tasks are at {RATE} Hz")
    # A window of the transform at least: shorter sounds cannot be padded by reflection.
    shortest = front_end.n_fft

    def embed(samples):
        samples = np.pad(samples, ((0, 0), (0, max(0, shortest - samples.shape[1]))))
        return np.asarray(model.embed(np.stack([front_end.log_mel(each) for each in samples])))

    return embed


def statistics(function):
    """The same from a function of the samples of one sound."""
    return lambda samples: np.stack([function(each) for each in samples])


def read_sounds(clips, seconds, workers=2):
    """(n, length): the samples of clips, peak 0.9, cut or padded to a length.

    Raises:
        InputError: a clip is silent, or cannot be read.
    """
    sounds = np.zeros((len(clips), round(seconds * RATE)), "float32")
    for place, samples in in_parallel(_read, [(clip,) for clip in clips], workers):
        sounds[place] = fit_length(samples, seconds)
    return sounds


def _read(clip):
    samples = clip.read()
    if is_silent(samples):
        raise InputError(f"{clip.name} is silent; leave it out of the task")
    return scale_peak(samples)


class TaskSounds:
    """The sounds of a task in memory, embedded by one embedder after the other.

    Args:
        task: `data.tasks.Task`.
        workers: threads that read.
    """

    def __init__(self, task, workers=2):
        self.task, self._place = task, {clip.name: place for place, clip in enumerate(task.clips)}
        self._sounds = read_sounds(task.clips, task.seconds, workers)

    def embed(self, embed):
        """(n, d), in the order of the task's clips."""
        starts = range(0, len(self._sounds), AT_ONCE)
        return np.concatenate([embed(self._sounds[start : start + AT_ONCE]) for start in starts])

    def rows(self, embeddings, clips):
        """The embeddings of some clips."""
        return embeddings[[self._place[clip.name] for clip in clips]]


def probe(embed, sounds, *, protocol="ridge", seed=0):
    """The accuracy of a linear probe of a task.

    Args:
        embed: of `embedder` or `statistics`.
        sounds: `TaskSounds`.
        protocol: "ridge" or "evar"; see `metrics.linear_probes`.
        seed: of the held-out fifth, and of the layer under "evar".

    Returns:
        {"value": accuracy, "interval": [low, high] of 95 % over test sounds, drawn by group, "n": test sounds,
        "worst": the share of the most frequent class among them, "best": 1, "task", "protocol", "dim": d, "note"}.
    """
    task, embeddings = sounds.task, sounds.embed(embed)
    hits, groups, truth = [], [], []
    for train, validation, test in task.splits():
        chosen = (sounds.rows(embeddings, validation), [each.label for each in validation]) if validation else None
        answer = predict_linear(
            sounds.rows(embeddings, train),
            [each.label for each in train],
            sounds.rows(embeddings, test),
            protocol=protocol,
            validation=chosen,
            groups=[each.group for each in train],
            seed=seed,
        )
        truth += [each.label for each in test]
        hits += (answer == np.array([each.label for each in test])).tolist()
        groups += [each.group for each in test]
    return {
        "value": float(np.mean(hits)),
        "interval": _interval(hits, groups),
        "n": len(hits),
        "worst": float(np.unique(truth, return_counts=True)[1].max() / len(truth)),
        "best": 1.0,
        "task": task.name,
        "protocol": protocol,
        "dim": int(embeddings.shape[1]),
        "note": task.note,
    }


def _interval(hits, groups):
    """Sounds of a kit or phrase are drawn together; of fewer than five groups an interval would say nothing."""
    few = len(set(groups)) < 5
    return [float(each) for each in mean_interval(np.array(hits, float), groups=None if few else groups)]
