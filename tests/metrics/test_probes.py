"""Probes on codes whose answers are known: ideal, worthless, duplicated, leaking."""

import math

import numpy as np
import pytest

from tsdsae_keras.errors import InputError
from tsdsae_keras.metrics.probes import KINDS, Probe, label_entropy, readings

pytestmark = pytest.mark.no_backend

CLASSES = np.arange(300) % 3
NOISE = np.random.default_rng(0).normal(size=(600, 4))


def score_probe(codes, labels, asked, truth, kind="linear"):
    return Probe(codes, labels, kind).scores(asked, truth)


def information(codes, labels, asked, truth):
    return readings(codes, labels, asked, truth)["information"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_code_that_is_the_class_scores_one(kind):
    code = np.eye(3)[CLASSES]
    scores = score_probe(code, CLASSES, code[:30], CLASSES[:30], kind)
    assert (scores["accuracy"], scores["score"], scores["n"]) == (1, 1, 30)
    assert scores["chance"] == pytest.approx(1 / 3)
    # An unseen class keeps 1 / 301 of the probability.
    assert scores["cross_entropy"] == pytest.approx(math.log(301 / 300), abs=1e-4)


@pytest.mark.parametrize("kind", KINDS)
def test_a_code_of_noise_scores_about_zero_and_costs_no_more_than_the_prior(kind):
    scores = score_probe(NOISE[:300], CLASSES, NOISE[300:], CLASSES, kind)
    assert abs(scores["score"]) < 0.15
    assert scores["cross_entropy"] == pytest.approx(math.log(3), abs=0.03)


@pytest.mark.parametrize("kind", KINDS)
def test_constant_codes_are_named_by_the_most_frequent_class(kind):
    labels = np.array(["oboe", "oboe", "viola"] * 20)
    scores = score_probe(np.ones((60, 2)), labels, np.ones((5, 2)), np.array(["viola"] * 4 + ["oboe"]), kind)
    assert scores["accuracy"] == scores["chance"] == pytest.approx(1 / 5)
    assert scores["score"] == 0


def test_only_the_perceptron_reads_an_exclusive_or():
    bits = np.random.default_rng(1).integers(0, 2, (1200, 2))
    code, label = 2.0 * bits - 1, bits[:, 0] ^ bits[:, 1]
    linear, mlp = (score_probe(code[:900], label[:900], code[900:], label[900:], kind)["score"] for kind in KINDS)
    assert abs(linear) < 0.3
    assert mlp == 1
    found = information(code[:900], label[:900], code[900:], label[900:])
    assert found == pytest.approx(label_entropy(label[900:]), abs=0.01)


def flip(n, errors):
    """Fair bits, and the same after a channel that turns exactly `errors` of every ten."""
    bits, place = np.arange(n) // 10 % 2, np.arange(n) % 10
    return (bits ^ (place < errors)).astype(float)[:, None], bits


@pytest.mark.parametrize("errors", [1, 2, 3])
def test_information_of_a_binary_symmetric_channel(errors):
    p = errors / 10
    capacity = math.log(2) + p * math.log(p) + (1 - p) * math.log(1 - p)
    found = information(*flip(2000, errors), *flip(1000, errors))
    # From below, for the empirical frequencies are those of the channel; the rest is what the probe did not learn.
    assert capacity - 0.01 < found <= capacity


def test_information_is_a_lower_bound_where_the_best_probe_is_linear():
    """y = +-1 in Gaussian noise of variance 1: H(y | code) is the mean of log(1 + exp(-2 (1 + e))), e normal."""
    rng = np.random.default_rng(2)
    label = rng.integers(0, 2, 6000)
    code = (2 * label - 1 + rng.normal(size=6000))[:, None]
    nodes, weights = np.polynomial.hermite_e.hermegauss(80)
    lost = (weights * np.log1p(np.exp(-2 * (1 + nodes)))).sum() / weights.sum()
    found = information(code[:2000], label[:2000], code[2000:], label[2000:])
    assert found == pytest.approx(math.log(2) - lost, abs=0.03)


def test_information_is_never_negative():
    assert information(NOISE[:60], CLASSES[:60], NOISE[300:330], CLASSES[:30]) >= 0


def test_entropy_by_hand():
    assert label_entropy(["a", "b", "b", "b"]) == pytest.approx(math.log(4) - 0.75 * math.log(3))


def test_the_seed_fixes_a_probe():
    first, second = (readings(NOISE[:60], CLASSES[:60], NOISE[60:90], CLASSES[60:90], seed=4) for _ in range(2))
    assert first == second


def tangle(n, seed):
    """Codes whose label is two bits: the sign of a product, and that of one dimension under noise."""
    rng = np.random.default_rng(seed)
    code = rng.normal(size=(n, 8)) * np.geomspace(1, 0.01, 8)
    label = (code[:, 0] * code[:, 1] > 0) + 2 * (code[:, 2] + 0.2 * rng.normal(size=n) > 0)
    return code, label


@pytest.mark.parametrize(("kind", "tolerance"), [("linear", 1e-3), ("mlp", 0.03)])
def test_last_digits_of_a_code_hardly_matter(kind, tolerance):
    """Codes of one sequence by two backends differ by about 1e-6 of their spread.

    Logistic regression has one minimum, a perceptron many: its scores agree to some hundredths.
    """
    (code, label), (asked, truth) = tangle(900, 0), tangle(300, 1)
    rng = np.random.default_rng(2)
    other, asked_other = (rows * (1 + 1e-6 * rng.normal(size=rows.shape)) for rows in (code, asked))
    first, second = score_probe(code, label, asked, truth, kind), score_probe(other, label, asked_other, truth, kind)
    assert second == pytest.approx(first, abs=tolerance)
    # Stable, not unreadable: of four classes a line names two fifths, the best possible four fifths.
    assert first["accuracy"] > (0.3 if kind == "linear" else 0.6)


def test_rounding_is_no_code():
    """A dimension that differs in its seventh digit only is not blown up to the size of the others."""
    rng = np.random.default_rng(5)
    rounding = 1e-7 * CLASSES[:, None]
    scores = score_probe(np.hstack([NOISE[:300], rounding]), CLASSES, np.hstack([NOISE[300:], rounding]), CLASSES)
    assert abs(scores["score"]) < 0.2
    constant = 1 + 1e-9 * rng.normal(size=(300, 2))
    assert np.isfinite(score_probe(constant, CLASSES, constant, CLASSES)["cross_entropy"])


def test_a_class_never_seen_is_wrong_and_costs_what_is_kept_for_it():
    code = np.eye(3)[CLASSES]
    scores = score_probe(code[CLASSES < 2], CLASSES[CLASSES < 2], code, CLASSES)
    assert scores["accuracy"] == pytest.approx(2 / 3)
    assert scores["cross_entropy"] == pytest.approx(math.log(201) / 3 + math.log(201 / 200) * 2 / 3, abs=1e-3)


def test_rows_of_a_group_are_not_parted():
    """A code that only names its sequence helps with known sequences and with no new one."""
    rng = np.random.default_rng(3)
    sequence, label = np.repeat(np.arange(40), 20), np.repeat(rng.permutation(40) % 2, 20)
    code = rng.normal(size=(40, 32))[sequence]
    assert Probe(code, label).expected_cross_entropy < 0.1
    assert Probe(code, label, groups=sequence).expected_cross_entropy > 0.5


@pytest.mark.parametrize(
    ("codes", "labels", "said"),
    [(NOISE[:4], [0, 1, 0], r"\(3,\)"), (NOISE[:3] * np.nan, [0, 1, 0], "nan"), (NOISE[:3], [7, 7, 7], r"\[7\]")],
)
def test_what_no_probe_can_learn_from(codes, labels, said):
    with pytest.raises(InputError, match=said):
        Probe(codes, labels)
    with pytest.raises(InputError, match="forest"):
        Probe(NOISE[:3], [0, 1, 0], "forest")


def test_a_test_set_of_the_usual_class_has_no_score():
    with pytest.raises(InputError, match="usual class"):
        score_probe(NOISE[:5], [0, 0, 0, 1, 1], NOISE[:2], [0, 0])
