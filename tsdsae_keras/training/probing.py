"""Probing: how well labels can be read off the embeddings of sounds, for any model that has `embed`.

A model takes part if it has `embed(x, mask=None)`, log-mel frames (n, T, F) to (n, d), and `front_end`, the settings of
these frames. Features without learning take part as functions of samples.
"""

import logging

import keras
import numpy as np

from tsdsae_keras.data.audio.clips import RATE, fit_length, is_silent, scale_peak
from tsdsae_keras.data.audio.logmel import FrontEnd
from tsdsae_keras.data.audio.statistics import FRONT_END
from tsdsae_keras.data.prepared.jobs import in_parallel
from tsdsae_keras.errors import InputError
from tsdsae_keras.metrics.batching import in_batches
from tsdsae_keras.metrics.intervals import mean_interval
from tsdsae_keras.metrics.linear_probes import predict_linear

log = logging.getLogger(__name__)

AT_ONCE = 64  # sounds
UNTRAINED_SEEDS = 3
CALIBRATING = 512  # sounds


class Embedder:
    """The embedding of sounds by a model of this library: samples (n, length) at 16 kHz to (n, d).

    Args:
        model: with `embed` and `front_end`.

    Raises:
        InputError: the model has no `embed`, or does not say which frames it takes.
    """

    def __init__(self, model):
        if not hasattr(model, "embed") or not getattr(model, "front_end", None):
            name = type(model).__name__
            raise InputError(f"{name} has no embedding of sounds; take a model with `embed` and `front_end`")
        self.model, self.front_end = model, FrontEnd.from_dict(dict(model.front_end))
        if self.front_end.sample_rate != RATE:
            raise InputError(f"the model takes sound at {self.front_end.sample_rate} Hz; tasks are at {RATE} Hz")

    def __call__(self, samples):
        return self.embed_frames(self.frames(samples))

    def frames(self, samples):
        """(n, T, F): log-mel frames; sounds shorter than a window of the transform are padded by silence."""
        samples = np.pad(samples, ((0, 0), (0, max(0, self.front_end.n_fft - samples.shape[1]))))
        return np.stack([self.front_end.log_mel(each) for each in samples])

    def embed_frames(self, frames):
        """(n, d) of frames (n, T, F)."""
        return np.asarray(self.model.embed(frames))


def reinitialise(model, frames, seed):
    """A model of the same make with new weights: what the network does without training, often much.

    What is not trained, such as the scale of its inputs, it takes over; a model with `calibrate` is given frames, since
    batch normalisation that has never seen data makes a random encoder worse than it is.

    Args:
        model: with `embed`.
        frames: (n, T, F), log-mel frames of sounds without labels.
        seed: of its weights.
    """
    keras.utils.set_random_seed(seed + 1)  # not that of the run, whose initial weights the model had
    other = type(model).from_config(model.get_config())
    for weight, known in zip(other.non_trainable_weights, model.non_trainable_weights, strict=True):
        weight.assign(known)
    if hasattr(other, "calibrate"):
        other.calibrate(frames)
    return other


class Statistics(Embedder):
    """The same from a function of the log-mel frames (T, F) of one sound, without a model.

    Args:
        function: frames to (d,).
        front_end: `FrontEnd` of these frames.
    """

    def __init__(self, function, front_end=FRONT_END):
        self.function, self.front_end = function, front_end

    def embed_frames(self, frames):
        return np.stack([self.function(each) for each in frames])


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
        self._frames = {}  # {front end: frames}, since several models share one

    def embed(self, embed):
        """(n, d), in the order of the task's clips, by an `Embedder` or a function of samples."""
        given, function = self._sounds, embed
        if isinstance(embed, Embedder):
            given, function = self._frames_of(embed), embed.embed_frames
        return in_batches(function, given, AT_ONCE)

    def _frames_of(self, embed):
        if embed.front_end not in self._frames:
            self._frames[embed.front_end] = embed.frames(self._sounds)
        return self._frames[embed.front_end]

    def training(self, most):
        """The samples of some training sounds, spread over them."""
        train = [self._place[clip.name] for clip in self.task.splits()[0][0]]
        return self._sounds[train[:: max(1, -(-len(train) // most))]]

    def rows(self, embeddings, clips):
        """The embeddings of some clips."""
        return embeddings[[self._place[clip.name] for clip in clips]]


def probe(embed, sounds, *, protocol="ridge", seed=0):
    """The accuracy of a linear probe of a task.

    Args:
        embed: `Embedder` or `Statistics`, or a function of samples (n, length).
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


def probe_all(embedders, sounds, *, protocol="ridge", seed=0):
    """{name: scores} of several representations of one task.

    Args:
        embedders: {name: function as `probe` takes it, or a list of such: the same with other seeds}; of a list the
            value is the mean, "seeds" has all, and the interval is the widest of theirs.
        sounds, protocol, seed: as in `probe`.
    """
    found = {}
    for name, given in embedders.items():
        each = [
            probe(embed, sounds, protocol=protocol, seed=seed)
            for embed in (given if isinstance(given, list) else [given])
        ]
        values = [scores["value"] for scores in each]
        found[name] = each[0] | {"value": float(np.mean(values))}
        if len(each) > 1:
            low, high = (choose(s["interval"][side] for s in each) for side, choose in ((0, min), (1, max)))
            found[name] |= {"seeds": values, "interval": [low, high]}
    return found


def table(results):
    """{task: {name: scores}} as text: accuracy in per cent, the 95 % interval over test sounds, the largest class."""
    names = list(dict.fromkeys(name for scores in results.values() for name in scores))
    width = max(22, *(len(name) + 2 for name in names))
    lines = [f"{'accuracy, %':<20}{'largest class':>14}" + "".join(f"{name:>{width}}" for name in names)]
    for task, scores in results.items():
        worst = next(iter(scores.values()))["worst"]
        lines.append(
            f"{task:<20}{100 * worst:>14.1f}" + "".join(f"{_cell(scores.get(name)):>{width}}" for name in names)
        )
    if len(results) > 1:
        means = (np.mean([scores[name]["value"] for scores in results.values() if name in scores]) for name in names)
        lines.append(f"{'mean':<34}" + "".join(f"{100 * mean:>{width}.1f}" for mean in means))
    notes = {task: next(iter(scores.values()))["note"] for task, scores in results.items()}
    return "\n".join(lines + [f"{task}: {note}" for task, note in notes.items() if note])


def _cell(scores):
    if scores is None:
        return "-"
    low, high = (100 * each for each in scores["interval"])
    return f"{100 * scores['value']:.1f} [{low:.1f}, {high:.1f}]"


def _interval(hits, groups):
    """Sounds of a kit or phrase are drawn together; of fewer than five groups an interval would say nothing."""
    few = len(set(groups)) < 5
    return [float(each) for each in mean_interval(np.array(hits, float), groups=None if few else groups)]
