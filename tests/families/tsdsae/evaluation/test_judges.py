"""The independent judge hears timbre, and neither level nor register nor what a mask hides."""

import numpy as np
import pytest

from tsdsae_keras.families.tsdsae.evaluation.judges import FrameJudge, OwnEncoderJudge
from tsdsae_keras.families.tsdsae.evaluation.timbre import (
    balancing_weights,
    find_sounding,
    registers,
    spectral_outlines,
)
from tsdsae_keras.metrics.classification import macro_f1

pytestmark = pytest.mark.no_backend

BANDS = 80


def tones(n, slopes, seed, level=(0.0, 0.0)):
    """Noisy harmonic frames: class k falls by slopes[k] nats a band from its first partial, at level[k]."""
    rng = np.random.default_rng(seed)
    member = np.arange(n) % 2
    first = rng.integers(10, 20, size=(n, 12, 1))
    above = np.arange(BANDS) - first
    comb = np.where(above % 5 == 0, 0.0, -3.0)
    x = np.where(above >= 0, comb - np.take(slopes, member)[:, None, None] * above, -20.0)
    return x + np.take(level, member)[:, None, None] + rng.normal(size=x.shape), member


def test_timbre_is_heard_also_blurred_and_at_another_level():
    train, test = tones(120, (0.05, 0.12), 0), tones(60, (0.05, 0.12), 1)
    judge = FrameJudge(*train)
    blurred = np.stack([np.convolve(row, np.ones(5) / 5, "same") for row in test[0].reshape(-1, BANDS)])
    for x in (test[0], blurred.reshape(test[0].shape), test[0] - 9.0):
        assert macro_f1(test[1], judge.predict(x)) == 1.0


def test_level_is_not_heard():
    level = (0.0, 5.0)
    judge = FrameJudge(*tones(200, (0.08, 0.08), 0, level))
    x, member = tones(400, (0.08, 0.08), 1, level)
    assert np.mean(judge.predict(x) == member) == pytest.approx(0.5, abs=0.1)


def test_the_seed_fixes_the_judge():
    train, (x, _) = tones(60, (0.08, 0.085), 0), tones(60, (0.08, 0.085), 1)
    answers = [FrameJudge(*train, seed=4, frames=120).predict(x) for _ in range(2)]
    assert (answers[0] == answers[1]).all()


def test_labels_come_back_as_given():
    x, member = tones(40, (0.05, 0.2), 0)
    names = np.array(["oboe", "cello"])[member]
    assert (FrameJudge(x, names).predict(x) == names).all()


def test_outlines_ignore_level_and_what_lies_deep():
    frames = np.random.default_rng(0).normal(size=(5, BANDS))
    np.testing.assert_allclose(spectral_outlines(frames + 7.0), spectral_outlines(frames), atol=1e-12)
    deep = frames.copy()
    frames[:, 0], deep[:, 0] = -20.0, -36.0
    np.testing.assert_allclose(spectral_outlines(deep), spectral_outlines(frames), atol=1e-12)


def test_silence_and_padding_do_not_sound():
    x = np.full((2, 4, BANDS), -36.0)
    x[0, 1, 5], x[0, 2, 5], x[0, 3, 5] = 3.0, -3.9, -4.1
    mask = np.array([[1, 1, 1, 1], [1, 0, 0, 0]], dtype=bool)
    assert find_sounding(x, mask).tolist() == [[False, True, True, False], [True, False, False, False]]


def test_a_register_is_where_a_tone_begins():
    frame = np.full(BANDS, -10.0)
    frame[[12, 24, 36]] = 0.0, 1.0, -1.0
    assert registers(frame) == 6


def test_classes_weigh_alike_in_every_register():
    register, member = np.array([0, 0, 0, 1, 1, 1, 2]), np.array([0, 0, 1, 0, 1, 1, 1])
    weight = balancing_weights(register, member)
    np.testing.assert_allclose(weight, np.array([3, 3, 6, 6, 3, 3, 0]) * 7 / 24)


def test_classes_without_a_common_register_are_kept():
    np.testing.assert_allclose(balancing_weights(np.array([0, 1, 1]), np.array([0, 1, 1])), [1.5, 0.75, 0.75])


def test_padding_teaches_the_judge_nothing():
    x, member = tones(80, (0.05, 0.2), 0)
    padded = np.concatenate([x, np.tile(np.roll(x, 1, axis=0) + 2.0, (1, 3, 1))], axis=1)
    mask = np.arange(48) < np.full((80, 1), 12)
    assert (FrameJudge(padded, member, mask).predict(x) == member).all()


def test_codes_that_are_the_class_exactly_are_read():
    member = np.arange(30) % 3
    v = np.concatenate([np.eye(3)[member], np.random.default_rng(0).normal(size=(30, 2)), np.ones((30, 1))], 1)
    assert (OwnEncoderJudge(v, member).predict(v) == member).all()


def test_constant_codes_are_judged_by_the_prior():
    judge = OwnEncoderJudge(np.ones((5, 3)), np.array([0, 0, 0, 1, 1]))
    assert judge.predict(np.ones((2, 3))).tolist() == [0, 0]
