"""MIG, DCI, SAP and modularity on codes whose scores can be worked out by hand."""

import itertools
import json
import math

import numpy as np
import pytest

from tsdsae_keras.errors import InputError
from tsdsae_keras.metrics import disentanglement as metrics
from tsdsae_keras.metrics.information import bin_codes, dependence, entropies, mutual_information
from tsdsae_keras.metrics.leakage import LabelledCodes

pytestmark = pytest.mark.no_backend

SIZES = (4, 3, 2)
# Every combination of levels equally often, so that the factors are exactly independent.
FACTORS = np.repeat(list(itertools.product(*map(range, SIZES))), 30, axis=0)
RNG = np.random.default_rng(0)
NOISE = RNG.normal(size=(2, len(FACTORS), 3))
BITS = np.repeat(list(itertools.product([0, 1], repeat=2)), 100, axis=0)
SIGNS = 2.0 * BITS - 1
ROTATED = SIGNS @ [[1, 1], [1, -1]] / math.sqrt(2)


def scores(code, factors=FACTORS, test_code=None):
    asked = code if test_code is None else test_code
    split = code, factors, asked, factors
    axes = {"mig": metrics.mig(code, factors), "modularity": metrics.modularity(code, factors)}
    return axes | {"sap": metrics.sap(*split)} | metrics.dci(*split)


CHANCE = np.mean([1 / size for size in SIZES])


@pytest.mark.parametrize("dead", [0, 1, 2], ids=["alone", "one dead", "two dead"])
def test_one_dimension_a_factor(dead):
    code = np.concatenate([-3.0 * FACTORS + 7, np.full((len(FACTORS), dead), 5.0)], axis=1)
    ones = dict.fromkeys(("mig", "modularity", "disentanglement", "completeness", "informativeness"), 1)
    assert scores(code) == pytest.approx(ones | {"sap": 1 - CHANCE})


def test_noise():
    found = scores(NOISE[0], test_code=NOISE[1])
    assert found["mig"] == found["modularity"] == 0
    assert found == pytest.approx(dict.fromkeys(found, 0), abs=0.08)


def test_a_constant_code():
    assert set(scores(np.ones((len(FACTORS), 4))).values()) == {0.0}


def test_every_factor_in_two_dimensions():
    found = scores(np.concatenate([FACTORS, -2 * FACTORS], axis=1))
    assert found["mig"] == found["sap"] == 0
    assert found["modularity"] == found["disentanglement"] == pytest.approx(1)
    # The forest takes either copy at random: half the importance each, if it were endless; never less even.
    half = 1 - math.log(2) / math.log(6)
    assert half - 1e-9 <= found["completeness"] < half + 0.1
    assert found["informativeness"] == 1


def test_two_bits_turned_by_45_degrees():
    """Each dimension is 0 half of the time, where it says nothing of a bit, and else tells it: I = log(2) / 2."""
    np.testing.assert_allclose(mutual_information(bin_codes(ROTATED), BITS), np.full((2, 2), math.log(2) / 2))
    found = scores(ROTATED, BITS)
    assert found == pytest.approx(dict.fromkeys(found, 0) | {"informativeness": 1}, abs=0.02)


def test_both_bits_in_one_dimension():
    """code = a + 2 b tells both bits wholly: completeness is 1 and modularity 0."""
    code = np.stack([BITS @ [1, 2], np.zeros(len(BITS))], axis=1)
    found = scores(code, BITS)
    # A threshold finds b; a changes thrice along the dimension, and bins see that too.
    assert [found["mig"], found["completeness"]] == pytest.approx([1, 1])
    assert found["modularity"] == pytest.approx(0)
    assert found["disentanglement"] == pytest.approx(0)
    assert found["sap"] == pytest.approx(1 / 2)
    np.testing.assert_equal(scores(code[:, :1], BITS), found)


def test_modularity_by_hand():
    """A dimension (a, and b where a is 1): I(c; a) = log 2, I(c; b) = H(b) - H(b | c) = log(2) / 2."""
    code = BITS[:, :1] * (1 + BITS[:, 1:])
    assert metrics.modularity(code, BITS) == pytest.approx(1 - 1 / 4)


def test_mig_of_a_second_dimension_behind_a_channel():
    """The second dimension turns one bit of ten, so I = log 2 - h(1/10), and the gap is h(1/10) / log 2."""
    bit = np.arange(1000) // 10 % 2
    code = np.stack([bit, bit ^ (np.arange(1000) % 10 < 1)], axis=1)
    lost = -(0.1 * math.log(0.1) + 0.9 * math.log(0.9))
    assert metrics.mig(code, bit[:, None]) == pytest.approx(lost / math.log(2))


def test_sap_of_a_second_dimension_behind_a_channel():
    bit = np.arange(1000) // 10 % 2
    code = np.stack([bit, bit ^ (np.arange(1000) % 10 < 3)], axis=1)
    split = code, bit[:, None]
    assert metrics.sap(*split, *split) == pytest.approx(1 - 0.7)


def test_sap_is_scored_on_rows_it_did_not_learn():
    """A dimension with the opposite meaning on test rows is of no use: 1 for the other, 0 for it."""
    bit = np.arange(40)[:, None] % 2
    assert metrics.sap(np.tile(bit, 2), bit, np.concatenate([bit, 1 - bit], axis=1), bit) == 1


def test_sap_keeps_the_bins_of_the_training_rows():
    """All test rows are at the upper level: the bit itself says so, a constant names the lower."""
    bit = np.arange(40)[:, None] % 2
    code = np.concatenate([bit, np.zeros_like(bit)], axis=1)
    assert metrics.sap(code, bit, code[bit[:, 0] == 1], bit[bit[:, 0] == 1]) == 1


def test_entropy_and_information_of_equals():
    np.testing.assert_allclose(entropies(FACTORS), np.log(SIZES))
    np.testing.assert_allclose(mutual_information(FACTORS, FACTORS), np.diag(np.log(SIZES)), atol=1e-12)


def test_independent_columns_depend_on_nothing_and_noisy_ones_still_do():
    many = np.random.default_rng(1).integers(0, 28, (len(FACTORS), 1))
    assert mutual_information(bin_codes(NOISE[0]), many).min() > 0.1
    assert not dependence(bin_codes(NOISE[0]), np.concatenate([FACTORS, many], axis=1)).any()
    noisy = FACTORS + NOISE[0]
    kept = dependence(bin_codes(noisy), FACTORS)
    assert (np.diag(kept) == np.diag(mutual_information(bin_codes(noisy), FACTORS))).all()
    assert np.diag(kept).all() and np.count_nonzero(kept) == 3


def test_bins_are_equal_and_closed():
    assert bin_codes(np.array([[0.0], [0.24], [0.26], [0.99], [1]]), 4)[:, 0].tolist() == [0, 0, 1, 3, 3]
    assert bin_codes(np.array([[-9.0], [9]]), 4, like=np.array([[0.0], [1]]))[:, 0].tolist() == [0, 3]
    assert bin_codes(np.ones((3, 1)))[:, 0].tolist() == [0, 0, 0]


@pytest.mark.parametrize(
    ("code", "factors", "said"),
    [
        (np.ones((4, 2)), np.ones((3, 2)), r"\(3, 2\)"),
        (np.full((4, 2), np.inf), BITS[::100], "infinity"),
        (np.ones((4, 2)), np.array([[0, 5], [1, 5], [0, 5], [1, 5]]), "factor 1 has one value"),
        (np.ones((4, 2)), np.arange(4)[:, None], "2 or more"),
    ],
)
def test_what_cannot_be_scored_is_named(code, factors, said):
    with pytest.raises(InputError, match=said):
        metrics.modularity(code, factors)


def label_codes(repeats):
    """v is the instrument, z over time the octave and, in another dimension, the scale."""
    rows = np.tile(np.array(list(itertools.product(range(2), range(3), range(3)))), (repeats, 1))
    z = np.tile(rows[:, None, 1:], (1, 4, 1)) + np.array([-1.0, 1, -2, 2])[:, None]
    names = {"octave": rows[:, 1], "scale": np.array(["a", "b", "c"])[rows[:, 2]], "tonic": np.zeros(len(rows))}
    return LabelledCodes(rows[:, :1].astype(float), z, rows[:, 0], names)


def test_blocks_of_known_codes():
    result = metrics.factor_scores(label_codes(40), label_codes(10))
    assert result["factors"] == ["instrument", "octave", "scale"]
    assert "tonic" in result["left_out"]
    assert result["both"]["mig"] == result["both"]["disentanglement"] == result["both"]["informativeness"] == 1
    assert result["v"]["mig"] == pytest.approx(1 / 3)
    assert result["z"]["mig"] == pytest.approx(2 / 3)
    assert result["v"]["modularity"] == result["z"]["modularity"] == 1
    assert json.loads(json.dumps(result)) == result


def test_one_factor_has_no_scores():
    given = label_codes(2)
    alone = LabelledCodes(given.v, given.z, given.instrument)
    result = metrics.factor_scores(alone, alone)
    assert "v" not in result and "scores" in result["left_out"]
