"""Swaps against the truth: ideal and worthless swaps, planted distances, and what intervals must see."""

import numpy as np
import pytest

from tsdsae_keras.errors import InputError
from tsdsae_keras.metrics.counterfactual import find_audible, limit_range, score_counterfactual, score_distances
from tsdsae_keras.metrics.intervals import ratio_interval

pytestmark = pytest.mark.no_backend

N, FRAMES, BANDS = 12, 6, 5
SIXTY_DB = 6 * np.log(10)  # of power


@pytest.fixture
def sounds():
    """(original, truth), every bin of them audible."""
    rng = np.random.default_rng(0)
    return rng.normal(size=(N, FRAMES, BANDS)), rng.normal(size=(N, FRAMES, BANDS))


def score(swap, original, reconstruction, truth, mask=None, **options):
    versions = {"swap": swap, "original": original, "reconstruction": reconstruction}
    return score_counterfactual(versions, truth, mask, **options)


def test_a_swap_that_is_the_truth_is_ideal(sounds):
    original, truth = sounds
    scores = score(truth, original, truth, truth)
    for each in (scores, scores["audible"], scores["log_spectral_distance"]):
        assert each["swap_ratio"]["value"] == each["share_of_way"]["value"] == each["share_of_attainable"]["value"] == 1
        assert each["swap_to_truth"]["value"] == each["reconstruction_of_truth"]["value"] == 0
        assert each["share_of_way"]["low"] == each["share_of_way"]["high"] == each["share_of_way"]["best"] == 1


def test_a_swap_that_changes_nothing_is_worthless(sounds):
    original, truth = sounds
    scores = score(original, original, truth + 0.5, truth)
    for each in (scores, scores["audible"], scores["log_spectral_distance"]):
        assert each["share_of_way"]["value"] == each["share_of_way"]["worst"] == 0
        assert each["share_of_attainable"]["value"] == each["share_of_attainable"]["worst"] == 0
        assert each["swap_ratio"]["value"] == each["swap_ratio"]["worst"] > 1
        assert each["swap_to_truth"]["value"] == each["swap_to_truth"]["worst"] == each["original_to_truth"]["value"]


def test_planted_distances_come_back():
    truth = np.zeros((N, FRAMES, BANDS))
    scores = score(truth + 1, truth + 2, truth - 0.5, truth)
    found = {name: each["value"] for name, each in scores.items() if "value" in each}
    planted = {"swap_to_truth": 1, "original_to_truth": 4, "reconstruction_of_truth": 0.25}
    assert found == planted | {"swap_ratio": 4, "share_of_way": 0.75, "share_of_attainable": 0.8}
    assert scores["share_of_way"]["best"] == 1 - 0.25 / 4 and scores["swap_ratio"]["worst"] == 16
    decibels = {name: each["value"] for name, each in scores["log_spectral_distance"].items()}
    assert decibels["swap_to_truth"] == pytest.approx(10 / np.log(10))
    assert decibels["swap_ratio"] == pytest.approx(2) and decibels["share_of_way"] == pytest.approx(0.5)


def test_means_are_divided_and_not_ratios_averaged():
    distances = {"swap": [1.0, 1.0], "original": [2.0, 6.0], "reconstruction": [1.0, 0.25]}
    scores = score_distances(distances)
    assert scores["swap_ratio"]["value"] == 1 / 0.625 and scores["share_of_way"]["value"] == 0.75


def test_what_lies_below_sixty_decibels_is_not_audible():
    truth = np.zeros((1, 2, 3))
    truth[0, 0] = [0, -SIXTY_DB + 0.01, -SIXTY_DB - 0.01]
    truth[0, 1] = [-100, -100 - SIXTY_DB + 0.01, -101 - SIXTY_DB]  # the peak is that of its own frame
    assert find_audible(truth).tolist() == [[[True, True, False], [True, True, False]]]
    swap = truth + np.array([1.0, 1.0, 50.0])
    scores = score(swap, truth + 2, truth + 1, truth)
    assert scores["audible"]["swap_to_truth"]["value"] == pytest.approx(1)
    assert scores["swap_to_truth"]["value"] == pytest.approx((1 + 1 + 2500) / 3)
    limited = limit_range(truth)
    assert limited[0, 0].tolist() == pytest.approx([0, -SIXTY_DB + 0.01, -SIXTY_DB])
    assert limited[0, 1].tolist() == pytest.approx([-SIXTY_DB] * 3)  # here it is that of the whole sound


def test_padding_changes_nothing(sounds):
    original, truth = sounds
    mask = np.arange(FRAMES) < 4
    mask = np.repeat(mask[None], N, axis=0)
    cut = [x[:, :4] for x in (truth + 1, original, truth - 0.5, truth)]
    spoilt = [np.where(mask[..., None], x, 1e3) for x in (truth + 1, original, truth - 0.5, truth)]
    whole, padded = score(*cut), score(*spoilt, mask=mask)
    for part in ("audible", "log_spectral_distance"):
        assert padded[part]["swap_to_truth"] == pytest.approx(whole[part]["swap_to_truth"])
    assert padded["swap_ratio"] == pytest.approx(whole["swap_ratio"])
    assert padded["reconstruction_of_truth"] == pytest.approx(whole["reconstruction_of_truth"])
    np.testing.assert_allclose(limit_range(spoilt[3], mask)[:, :4], limit_range(cut[3]))


def test_one_direction_that_fails_is_seen():
    truth = np.zeros((N, FRAMES, BANDS))
    pairs = [("oboe", "flute"), ("flute", "oboe")] * (N // 2)
    swap = truth + np.array([0.5, 2.0] * (N // 2))[:, None, None]
    scores = score(swap, truth + 2, truth + 0.5, truth, pairs=pairs)
    there, back = scores["pairs"]
    assert (there["from"], there["to"], there["n"]) == ("oboe", "flute", N // 2)
    assert (there["swap_ratio"], there["share_of_way"], there["share_of_attainable"]) == (1, 0.9375, 1)
    assert (back["from"], back["swap_ratio"], back["share_of_way"]) == ("flute", 16, 0)
    assert there["share_of_way_interval"] == [0.9375, 0.9375]
    whole = scores["share_of_way"]
    assert back["share_of_way"] < whole["low"] < whole["value"] < whole["high"] < there["share_of_way"]


def test_swaps_of_one_melody_are_drawn_together():
    rng = np.random.default_rng(1)
    by_melody = np.repeat(rng.gamma(2.0, size=30), 4)
    distances = {"swap": by_melody, "original": np.full(120, 9.0), "reconstruction": np.full(120, 0.5)}
    alone, grouped = (
        score_distances(distances, groups=groups)["swap_ratio"] for groups in (None, np.repeat(np.arange(30), 4))
    )
    assert grouped["value"] == alone["value"] and grouped["n"] == alone["n"] == 120
    assert grouped["high"] - grouped["low"] > 1.5 * (alone["high"] - alone["low"])


def test_ratios_without_a_denominator_are_no_numbers():
    ones, zeros = np.ones(3), np.zeros(3)
    scores = score_distances({"swap": ones, "original": ones, "reconstruction": zeros})
    assert scores["swap_ratio"]["value"] == np.inf and scores["swap_ratio"]["low"] is None
    worse = score_distances({"swap": ones, "original": ones, "reconstruction": 2 * ones})
    assert np.isnan(worse["share_of_attainable"]["value"])  # the decoder cannot even reproduce the truth
    one = score_distances({name: ones[:1] for name in ("swap", "original", "reconstruction")})
    assert one["swap_ratio"] == {"value": 1, "low": None, "high": None, "n": 1, "worst": 1, "best": 1}


def test_other_shapes_are_refused(sounds):
    original, truth = sounds
    with pytest.raises(InputError, match="shape"):
        score(truth[:, :3], original, truth, truth)
    with pytest.raises(InputError, match="no valid frame"):
        score(truth, original, truth, truth, mask=np.zeros((N, FRAMES)))


def test_intervals_of_a_ratio_cover_it():
    rng, held = np.random.default_rng(2), 0
    for seed in range(200):
        below = rng.gamma(4.0, size=80)
        above = 1.5 * below + rng.normal(size=80)  # E above / E below = 1.5
        low, high = ratio_interval(above, below, n_resamples=300, seed=seed)
        held += low <= 1.5 <= high
    assert 0.9 <= held / 200 <= 0.98
    with pytest.raises(InputError, match="no mean above 0"):
        ratio_interval(np.ones(4), np.array([1.0, -3, 1, 1]))
