"""A model on prepared data, with everything that its scores and its page share."""

from functools import cached_property

import numpy as np

from tsdsae_keras.data.audio.logmel import FrontEnd
from tsdsae_keras.errors import InputError
from tsdsae_keras.families.tsdsae.evaluation.generation import generate_sequences
from tsdsae_keras.families.tsdsae.evaluation.labels import load_labels
from tsdsae_keras.families.tsdsae.evaluation.pairs import make_pair_list
from tsdsae_keras.families.tsdsae.evaluation.posteriors import Split
from tsdsae_keras.families.tsdsae.evaluation.resynthesis import ResynthesizedPairs, Resynthesizer, can_sound
from tsdsae_keras.families.tsdsae.evaluation.subject import TestSubject
from tsdsae_keras.metrics.batching import batch_size_for
from tsdsae_keras.metrics.pitch import PyinTracker

FRAMES = 1 << 24  # of a split that are scored at most, so that codes fit into memory, but
SCORED = 1 << 10  # frames of each sequence always
PAIRS = 64  # made to sound: with 300 test sequences of 4 s all scores then take three to five minutes on two cores


def make_subject(model, data, seed):
    """The `TestSubject` of a model on prepared data.

    Raises:
        InputError: they do not go together.
    """
    check_front_end(model, data)
    train, test = load_split(data, "train"), load_split(data, "test")
    batch_size = batch_size_for(max(split.x.shape[1] for split in (train, test)))
    return TestSubject(model, train, test, seed=seed, batch_size=batch_size)


def check_front_end(model, data):
    """Refuses data whose features were made by other settings than those the model was trained on."""
    if model.front_end is not None and dict(model.front_end) != dict(data.front_end):
        known = {**data.front_end, **model.front_end}
        names = [name for name in known if model.front_end.get(name) != data.front_end.get(name)]
        differ = ", ".join(f"{name} {model.front_end.get(name)} and {data.front_end.get(name)}" for name in names)
        raise InputError(f"model and data ({data.folder}) have other front-end settings: {differ}")
    if model.features != data.n_mels:
        raise InputError(f"the model takes {model.features} bands, {data.folder} has {data.n_mels}")


def load_split(data, split):
    """Features, left on disk, and instruments of a split; of very long sequences the beginning."""
    x = data.sequences(split, frames=max(SCORED, FRAMES // data.counts[split]))
    return Split(x=x, instrument=load_labels(data, split).instrument, mask=x.mask)


class EvaluationContext:
    """What costs time (sounds, generated sequences, pitch tracks) is made when first asked for, and kept.

    Args:
        subject: the `TestSubject`.
        data: the `PreparedData` that its splits are from.
        tracker: a pitch tracker; None for pYIN with a range that covers the notes of the data.
        embed: an embedding of sound in addition to logmel, or None.
        pairs: how many pairs sound.
        true_swaps: `counterfactual.TrueSwaps` of one's own; None where they are to be rendered.

    Attributes:
        labels: `Labels` of the test split.
        front_end: the `FrontEnd` of the data.
    """

    def __init__(self, subject, data, tracker=None, embed=None, pairs=PAIRS, true_swaps=None):
        self.subject, self.data, self.embed, self.pairs = subject, data, embed, pairs
        self.true_swaps = true_swaps
        self.labels = load_labels(data, "test", subject.test.x.shape[1])
        self.front_end = FrontEnd.from_dict(data.front_end)
        self.tracker = tracker or _pyin_tracker(self.front_end, self.labels.notes)
        self.resynthesizer = Resynthesizer(self.front_end, self.tracker)

    @cached_property
    def groups(self):
        """(n,) which melody a test sequence is, or which recording it is from; each its own where neither is known."""
        groups = self.labels.groups
        return np.arange(len(self.subject.test)) if groups is None else np.unique(groups, return_inverse=True)[1]

    @cached_property
    def pair_list(self):
        """Of `pairs.make_pair_list`; both sequences of a pair that sounds are long enough for that."""
        if len(self.subject.test) < 2:
            return make_pair_list(np.zeros(0, int), 0, self.subject.seed)
        partner, lengths = self.subject.partner, self.subject.test.lengths
        among = np.flatnonzero(can_sound(np.minimum(lengths, lengths[partner]), self.front_end))
        return make_pair_list(partner, self.pairs, self.subject.seed, among)

    @cached_property
    def resynthesized(self):
        """The `ResynthesizedPairs`."""
        rows = self.pair_list["heard"]
        return ResynthesizedPairs(self.subject, rows, self.resynthesizer, self.labels.notes, self.embed)

    @cached_property
    def generated(self):
        """New sequences by name, and the number of the mixture's components: see `generate_sequences`."""
        return generate_sequences(self.subject)


def _pyin_tracker(front_end, notes):
    # 64 ms at any rate: half of that holds two periods of the lowest pitch.
    frame_length = 2 * round(0.032 * front_end.sample_rate)
    options = {"frame_length": frame_length, "hop_length": front_end.hop_length}
    return PyinTracker(**options) if notes is None else PyinTracker.for_notes(notes, **options)
