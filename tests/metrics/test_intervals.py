"""Intervals cover what they should about as often as they say, and the fast ways equal the general one."""

import numpy as np
import pytest

from tsdsae_keras.errors import InputError
from tsdsae_keras.metrics.classification import macro_f1
from tsdsae_keras.metrics.intervals import macro_f1_interval, mean_interval

pytestmark = pytest.mark.no_backend


def coverage(draw, true, **options):
    """The share of 200 simulated samples whose interval of the mean holds the true mean."""
    rng = np.random.default_rng(0)
    held = 0
    for seed in range(200):
        values, groups = draw(rng)
        low, high = mean_interval(values, groups=groups, n_resamples=300, seed=seed, **options)
        held += low <= true <= high
    return held / 200


def test_intervals_of_a_mean_cover_it():
    assert 0.9 <= coverage(lambda rng: (rng.normal(3, 2, 80), None), 3) <= 0.98
    assert 0.9 <= coverage(lambda rng: (rng.random(120) < 0.7, None), 0.7) <= 0.98
    assert 0.42 <= coverage(lambda rng: (rng.normal(3, 2, 80), None), 3, level=0.5) <= 0.58


def test_clips_of_one_melody_are_drawn_together():
    def draw(rng, grouped):
        values = np.repeat(rng.normal(size=60), 4)
        return values, np.repeat(np.arange(60), 4) if grouped else None

    assert 0.9 <= coverage(lambda rng: draw(rng, True), 0) <= 0.98
    assert coverage(lambda rng: draw(rng, False), 0) < 0.8  # taken one by one: too narrow


def test_intervals_of_macro_f1_cover_it():
    # A judge right with chance 0.8 on both of two equally likely classes has macro-F1 0.8.
    rng, held = np.random.default_rng(1), 0
    for seed in range(200):
        truth = rng.integers(2, size=150)
        low, high = macro_f1_interval(truth, truth ^ (rng.random(150) < 0.2), n_resamples=300, seed=seed)
        held += low <= 0.8 <= high
    assert 0.9 <= held / 200 <= 0.98


def bootstrap(statistic, arrays, groups, n_resamples, seed):
    """The percentile interval by its definition: a statistic of rows, redrawn with the same generator."""
    groups = np.arange(len(arrays[0])) if groups is None else groups
    members = [np.flatnonzero(groups == group) for group in np.unique(groups)]
    draws = np.random.default_rng(seed).integers(len(members), size=(n_resamples, len(members)))
    rows = [np.concatenate([members[group] for group in draw]) for draw in draws]
    return np.quantile([statistic(*(array[drawn] for array in arrays)) for drawn in rows], [0.025, 0.975])


@pytest.mark.parametrize("groups", [None, np.arange(24) // 3])
def test_the_fast_ways_equal_the_definition(groups):
    rng = np.random.default_rng(2)
    truth, values = np.array(["oboe", *["cello"] * 8, *["flute"] * 15]), rng.normal(size=24)  # many draws lack oboe
    answer = np.where(rng.random(24) < 0.6, truth, rng.choice(["oboe", "flute", "drum"], 24))
    options = {"groups": groups, "n_resamples": 60, "seed": 5}
    general = bootstrap(macro_f1, [truth, answer], **options)
    assert 0 < general[0] < macro_f1(truth, answer) < general[1] < 1
    np.testing.assert_allclose(macro_f1_interval(truth, answer, **options), general, rtol=1e-12)
    np.testing.assert_allclose(mean_interval(values, **options), bootstrap(np.mean, [values], **options), rtol=1e-12)


def test_blocks_of_draws_change_nothing(monkeypatch):
    values = np.random.default_rng(3).normal(size=50)
    whole = mean_interval(values)
    monkeypatch.setattr("tsdsae_keras.metrics.intervals.BLOCK", 1)
    assert mean_interval(values) == pytest.approx(whole, rel=1e-12)


def test_what_does_not_vary_looks_certain():
    truth = np.arange(60) % 3
    assert macro_f1_interval(truth, truth) == (1, 1)
    assert macro_f1_interval(truth, (truth + 1) % 3) == (0, 0)
    assert mean_interval(np.full(9, 2.5)) == pytest.approx((2.5, 2.5))


def test_the_seed_fixes_the_draws():
    values = np.random.default_rng(4).normal(size=30)
    assert mean_interval(values) == mean_interval(values) != mean_interval(values, seed=1)


def test_more_examples_or_less_confidence_narrow_it():
    rng = np.random.default_rng(5)
    wide, narrow = mean_interval(rng.normal(size=100)), mean_interval(rng.normal(size=10_000))
    assert np.ptp(wide) == pytest.approx(2 * 1.96 / 10, rel=0.25)
    assert np.ptp(wide) / np.ptp(narrow) == pytest.approx(10, rel=0.25)
    assert np.ptp(mean_interval(rng.normal(size=100), level=0.5)) == pytest.approx(2 * 0.674 / 10, rel=0.3)


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: mean_interval([1.0]), "1 independent examples or groups"),
        (lambda: mean_interval([1.0, 2.0], groups=[7, 7]), "1 independent examples or groups"),
        (lambda: mean_interval([1.0, 2.0], groups=[7]), r"groups has shape \(1,\)"),
        (lambda: mean_interval(np.zeros((3, 2))), r"shape \(3, 2\)"),
        (lambda: mean_interval([1.0, np.nan]), "nan or infinite"),
        (lambda: mean_interval([1.0, 2.0], level=95), "level 95"),
        (lambda: mean_interval([1.0, 2.0], n_resamples=0), "n_resamples is 0"),
        (lambda: macro_f1_interval([0, 1], [0, 1, 1]), r"answer \(3,\)"),
    ],
)
def test_what_has_no_interval_is_one_line(call, text):
    with pytest.raises(InputError, match=text) as caught:
        call()
    assert "\n" not in str(caught.value)
