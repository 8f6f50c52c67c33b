"""Scores of codes for pitch and space, on codes whose score is known."""

import numpy as np
import pytest

from tsdsae_keras.errors import InputError
from tsdsae_keras.metrics.intervals import statistic_interval
from tsdsae_keras.metrics.linear_probe import LinearProbe, axis_alignment, probe_errors, standardized_error
from tsdsae_keras.metrics.pitch_code import interval_deviation, pitch_line, squared_correlation, yin_pitch

pytestmark = pytest.mark.no_backend

RNG = np.random.default_rng(0)


def test_r2_is_that_of_a_line_and_of_nothing():
    pitch = RNG.uniform(58, 83, 26)
    assert squared_correlation(-3 * pitch + 2, pitch) == pytest.approx(1)
    assert squared_correlation(np.zeros(26), pitch) == 0
    assert squared_correlation(RNG.normal(size=5000), RNG.normal(size=5000)) < 0.01


def test_octave_slips_are_told_from_bends():
    code = np.linspace(-2, 2, 30)
    pitch = 70 + 3 * code
    slipped = pitch.copy()
    slipped[[3, 20]] += (12, -12.4)
    found = pitch_line(code, slipped)
    assert found["slips"] == 2 and found["r2"] < 0.8
    assert found["r2_without_slips"] == pytest.approx(1) and found["cents"] < 1e-6
    assert found["slope"] == pytest.approx(3)
    bent = pitch_line(code, pitch + 0.5 * np.where(np.arange(30) % 2, 1, -1))
    assert bent["slips"] == 0 and bent["cents"] == pytest.approx(50, rel=0.01)
    assert pitch_line(np.ones(30), pitch)["r2"] == 0


def test_melodies_keep_their_intervals_in_any_key():
    steps = np.array([0, 2, 4, 5, 7, 9, 11, 12])
    keys = np.array([[60.0], [63.7], [71.2]])
    found = interval_deviation(keys + steps, steps)
    assert found["cents"] == pytest.approx(0, abs=1e-9) and found["slips"] == 0
    np.testing.assert_allclose(found["octaves"], 12)
    squeezed = interval_deviation(keys + 0.9 * steps, steps)
    assert squeezed["cents"] == pytest.approx(10 * np.sqrt(np.mean(steps[1:] ** 2)))
    slipped = keys + steps
    slipped[1, 0] -= 12  # also of the first note
    found = interval_deviation(slipped, steps)
    assert found["slips"] == pytest.approx(1 / 24) and found["cents"] == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("pitch", [50.0, 69.0, 80.3])
def test_yin_finds_a_harmonic_tone(pitch):
    time = np.arange(2048) / 16000
    hz = 440 * 2 ** ((pitch - 69) / 12)
    tone = sum(np.sin(2 * np.pi * n * hz * time) / n for n in range(1, 6))
    assert yin_pitch(tone) == pytest.approx(pitch, abs=0.05)


def test_a_probe_sees_through_an_affine_disguise():
    truth, other = RNG.normal(size=(200, 3)) * (1, 5, 0.2), RNG.normal(size=(300, 3)) * (1, 5, 0.2)
    disguise = RNG.normal(size=(3, 3))
    codes, others = truth @ disguise + 1, other @ disguise + 1
    np.testing.assert_allclose(probe_errors(codes, truth, others, other), 0, atol=1e-12)
    constant = np.zeros_like(codes)
    np.testing.assert_allclose(LinearProbe(constant, truth).errors(constant, truth), 1, rtol=1e-9)
    aligned = axis_alignment(truth, truth, other, other, ((0, 2), (1,), (0, 2)))
    np.testing.assert_allclose(aligned, 0, atol=1e-12)
    swapped = axis_alignment(truth[:, [1, 0, 2]], truth, other[:, [1, 0, 2]], other, ((0, 2), (1,), (0, 2))).mean(
        axis=0
    )
    assert swapped[0] > 0.9 and swapped[1] > 0.9 and swapped[2] < 1e-9


def test_planted_codes_of_the_ball_score_as_the_literature_says():
    """What a camera sees is not space: column, row and apparent size score about .11, column and row about .46."""
    from tsdsae_keras.data.sets import ball, ball_render

    truth = ball.throw(np.random.default_rng(0), 150, 20).reshape(-1, 3)
    depth = ball_render.eye_coordinates(truth)[:, 2]
    seen = np.concatenate([ball_render.project(truth), 1 / depth[:, None]], axis=1)
    half = len(truth) // 2
    for codes, expected in ((truth @ RNG.normal(size=(3, 3)), 0.0), (seen, 0.11), (seen[:, :2], 0.46)):
        found = probe_errors(codes[:half], truth[:half], codes[half:], truth[half:]).mean()
        assert found == pytest.approx(expected, abs=0.05)


def test_a_standardized_error_is_one_for_the_mean_and_does_not_see_scale():
    true = RNG.normal(size=(50, 10, 2)) * (1, 100)
    assert standardized_error(np.broadcast_to(true.mean((0, 1)), true.shape), true) == pytest.approx(1, rel=0.01)
    assert standardized_error(true, true) == 0


def test_an_interval_of_any_statistic_is_that_of_the_mean():
    from tsdsae_keras.metrics.intervals import mean_interval

    values = RNG.normal(size=60)
    found = statistic_interval(np.mean, values, n_resamples=300, seed=4)
    np.testing.assert_allclose(found, mean_interval(values, n_resamples=300, seed=4), atol=1e-9)


def test_unusable_numbers_are_refused():
    with pytest.raises(InputError, match="three or more"):
        squared_correlation([1, 2], [1, 2])
    with pytest.raises(InputError, match="not finite"):
        LinearProbe(np.full((9, 1), np.nan), np.ones((9, 1)))
    with pytest.raises(InputError, match="does not vary"):
        LinearProbe(np.arange(9.0)[:, None], np.ones((9, 1))).errors(np.arange(9.0)[:, None], np.ones((9, 1)))
