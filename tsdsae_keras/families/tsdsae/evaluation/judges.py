"""Classifiers of sequences: one on the codes of the model's own encoder, and one that never saw the model."""

import numpy as np

from tsdsae_keras.families.tsdsae.evaluation.timbre import (
    balancing_weights,
    find_sounding,
    registers,
    spectral_outlines,
)
from tsdsae_keras.metrics.batching import batch_size_for, batch_slices, take_rows


class OwnEncoderJudge:
    """Linear discriminant analysis on the model's v means, the judge of the TS-DSAE paper.

    It sees what this encoder alone reads: traces of v that the decoder hides where they are inaudible score as
    well as timbre. Compare it with `FrameJudge`.

    Args:
        v_mean: (n, v) codes of the training set.
        instrument: (n,) its labels.
        seed: fixes the noise that is added to the codes (see below).

    Source: Luo, Ewert, Dixon, IJCAI 2022, section 6.
    """

    description = "linear discriminant analysis on v means of the training set"

    def __init__(self, v_mean, instrument, seed=0):
        from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
        from sklearn.dummy import DummyClassifier

        spread = v_mean.std(axis=0, dtype="float64")
        self._kept = spread > 1e-6
        # A dimension that is constant within every class, the ideal, has no within-class variance to divide
        # by; the analysis would drop it. Noise of 1e-4 of its spread keeps it.
        noise = np.random.default_rng(seed).normal(size=v_mean.shape) * 1e-4 * spread
        judge = LinearDiscriminantAnalysis() if self._kept.any() else DummyClassifier(strategy="prior")
        self._judge = judge.fit((v_mean + noise)[:, self._kept], instrument)

    def predict(self, v_mean):
        """The class of every code (n, v): (n,) labels."""
        return self._judge.predict(np.asarray(v_mean, dtype="float64")[:, self._kept])


class FrameJudge:
    """Multinomial logistic regression on the outlines of real log-mel frames; a sequence is judged by its
    sounding frames' mean log-probability.

    Blind by construction to level (each frame is taken relative to its peak) and, as far
    as the classes share registers, to register (training frames are weighted so that classes weigh alike in
    each). It is linear, so a blurred frame, a mean of sharp ones, is judged about as they are. It cannot see
    attacks, vibrato or anything else that takes more than a frame, nor whether a sound is good: its score on
    real test sequences says what it knows, and a swap far from all real sounds still gets some class.

    Args:
        x: (n, time, features) real training sequences, log-mel in nats.
        instrument: (n,) their labels.
        mask: (n, time), true where valid; None when all are.
        seed: fixes the draw of frames.
        frames: about how many frames to learn from.
    """

    description = "logistic regression on spectral outlines of real training frames, level and register balanced"

    def __init__(self, x, instrument, mask=None, *, seed=0, frames=60_000):
        from sklearn.linear_model import LogisticRegression
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import StandardScaler

        heard, member, self.classes = _draw_frames(x, instrument, mask, seed, frames)
        weight = balancing_weights(registers(heard), member)
        self._judge = make_pipeline(StandardScaler(), LogisticRegression(max_iter=300))
        self._judge.fit(spectral_outlines(heard), member, logisticregression__sample_weight=weight)

    def predict(self, x, mask=None):
        """The class of every sequence (batch, time, features): (batch,) labels."""
        return self.classes[self.log_probabilities(x, mask).argmax(axis=1)]

    def log_probabilities(self, x, mask=None):
        """The mean log-probability of every class over the sounding frames of each sequence: (batch, classes).

        The difference of two classes is linear in the outlines, so a frame half way between two timbres lies half way.
        """
        sounds = find_sounding(x, mask)
        total = np.full((len(x), len(self.classes)), -np.inf)
        known = self._judge.classes_  # a class without a sounding frame is never the answer
        total[:, known] = 0.0
        log_prob = self._judge.predict_log_proba(spectral_outlines(x[sounds]))
        np.add.at(total, (np.nonzero(sounds)[0][:, None], known), log_prob)
        return total / sounds.sum(axis=1, keepdims=True)


def _draw_frames(x, instrument, mask, seed, wanted):
    """Sounding frames drawn evenly from all sequences, their class indices, and the classes."""
    rng = np.random.default_rng(seed)
    classes, member = np.unique(instrument, return_inverse=True)
    share = max(1, wanted // len(x))
    drawn, owner = [], []
    for rows in batch_slices(x, batch_size_for(x.shape[1])):
        chunk = np.asarray(x[rows])
        rank = np.where(find_sounding(chunk, take_rows(mask, rows)), rng.random(chunk.shape[:2]), np.inf)
        order = np.argsort(rank, axis=1)[:, :share]
        clip, place = np.nonzero(np.isfinite(np.take_along_axis(rank, order, axis=1)))
        drawn.append(chunk[clip, order[clip, place]])
        owner.append(member[rows][clip])
    return np.concatenate(drawn), np.concatenate(owner), classes
