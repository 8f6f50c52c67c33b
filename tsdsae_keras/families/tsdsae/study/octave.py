"""The octave as a second global factor: where a data set has melodies of several octaves, v should carry it too."""

import numpy as np

from tsdsae_keras.data.sets.melodies import OCTAVES
from tsdsae_keras.families.tsdsae.evaluation.labels import load_labels
from tsdsae_keras.families.tsdsae.evaluation.posteriors import Split
from tsdsae_keras.families.tsdsae.evaluation.subject import TestSubject, why_no_classes
from tsdsae_keras.families.tsdsae.evaluation.timbre import DEPTH
from tsdsae_keras.metrics.batching import batch_size_for, batch_slices, take_rows
from tsdsae_keras.metrics.classification import macro_f1
from tsdsae_keras.metrics.frames import mean_over_frames


def list_octaves(data):
    """The octaves of the test split, lowest first; None where prepared data do not tell."""
    octave = _octave(data, "test")
    return None if octave is None else [OCTAVES[place] for place in np.unique(octave)]


def octave_scores(subject, data):
    """Macro-F1 of the octave before and after both swaps with a partner of another octave; None where there is one.

    ``own``: linear discriminant analysis on v means, as for the instrument. ``judge``: logistic regression on a
    sequence's mean frame, which never saw the model; ``real`` is what it knows. A decoder that ignores v scores 0 after
    a swap.

    Returns:
        {"own": {"pre", "global", "local"}, "judge": {"real", "pre", "global", "local"}}.
    """
    train, test = _octave(data, "train"), _octave(data, "test")
    if train is None or test is None or len(np.unique(test)) < 2:
        return None
    splits = Split(subject.train.x, train, subject.train.mask), Split(subject.test.x, test, subject.test.mask)
    if why_no_classes(*splits):
        return None
    known = ("seed", "batch_size", "posteriors", "train_posteriors")
    more = {name: getattr(subject, name) for name in known} | {"judge": MeanFrameJudge(splits[0])}
    octave = TestSubject(subject.model, *splits, **more)
    return {
        name: {column: macro_f1(*pair) for column, pair in columns.items()}
        for name, columns in zip(("own", "judge"), octave.answers.values(), strict=True)
    }


class MeanFrameJudge:
    """Logistic regression on the mean frame of real sequences: its register, without the order of frames.

    Args:
        split: `Split` of training sequences, its classes in `instrument`.
    """

    def __init__(self, split):
        from sklearn.linear_model import LogisticRegression
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import StandardScaler

        parts = batch_slices(split, batch_size_for(split.x.shape[1]))
        means = [_mean_frames(split.x[rows], take_rows(split.mask, rows)) for rows in parts]
        judge = make_pipeline(StandardScaler(), LogisticRegression(max_iter=300))
        self._judge = judge.fit(np.concatenate(means), split.instrument)

    def predict(self, x, mask=None):
        """The class of every sequence (batch, time, features): (batch,) labels."""
        return self._judge.predict(_mean_frames(x, mask))


def _mean_frames(x, mask=None):
    """(batch, features), each frame relative to its peak, so that level does not count."""
    frames = np.maximum(x - x.max(axis=-1, keepdims=True), -DEPTH)
    return mean_over_frames(frames, mask)


def _octave(data, split):
    return (load_labels(data, split).factors or {}).get("octave")
