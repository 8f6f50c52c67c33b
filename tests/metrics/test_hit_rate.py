"""Hit-rate held to the authors' numbers, and its laws."""

from pathlib import Path

import numpy as np
import pytest

from tsdsae_keras.errors import InputError
from tsdsae_keras.metrics.hit_rate import hit_rate, hits

pytestmark = pytest.mark.no_backend

REFERENCE = Path(__file__).parents[1] / "reference" / "cpd" / "hit_rates.npz"
CASES = [
    f"{group}_info_nce" for group in ("translate3", "translate6", "rotate", "isometries_2d", "isometries_2d_local")
]
CASES += ["translate3_hinge", "rotate_vector_hinge", "mdp_hinge"]


@pytest.mark.parametrize("steps", [1, 10])
@pytest.mark.parametrize("case", CASES)
def test_hit_rates_are_the_authors(case, steps):
    with np.load(REFERENCE) as file:
        arrays = {
            name: file[f"{case}/{steps}_steps/{name}"]
            for name in ("predicted", "true", "hit_rate_32", "hit_rate_per_batch")
        }
        group_dim = int(file[f"{case}/group_dim"])
    how = {"group_dim": group_dim, "class_distance": "info_nce" if case.endswith("info_nce") else "hinge"}
    assert hit_rate(arrays["predicted"], arrays["true"], **how) == pytest.approx(float(arrays["hit_rate_32"]))
    found = hits(arrays["predicted"], arrays["true"], **how)
    np.testing.assert_allclose(found.reshape(3, 32).mean(axis=1), arrays["hit_rate_per_batch"][:3], rtol=1e-6)
    last = hits(arrays["predicted"][96:], arrays["true"][96:], candidates=12, **how)  # the authors' ragged batch
    assert last.mean() == pytest.approx(float(arrays["hit_rate_per_batch"][3]))


def codes(n, seed=0):
    e = np.random.default_rng(seed).normal(size=(n, 6))
    e[:, 3:] /= np.linalg.norm(e[:, 3:], axis=1, keepdims=True)
    return e


def test_ideal_constant_and_random_codes():
    ideal = codes(3200)
    assert hit_rate(ideal, ideal, group_dim=3) == 1.0
    assert hit_rate(np.ones((3200, 6)), np.ones((3200, 6)), group_dim=3) == 1 / 32
    assert hit_rate(codes(3200, 1), codes(3200, 2), group_dim=3) == pytest.approx(1 / 32, abs=0.01)


def test_of_two_equal_candidates_exactly_one_hits():
    true = codes(32)
    true[7] = true[3]
    found = hits(true, true, group_dim=3)
    assert found[3] and not found[7] and found.sum() == 31
    assert hits(true, true, group_dim=3, k=2).all()


def test_rows_that_do_not_fill_a_batch_are_left_out():
    true = codes(70)
    assert len(hits(true, true, group_dim=3)) == 64
    assert hit_rate(true, true, group_dim=3) == 1.0


def test_a_common_rotation_of_the_poses_changes_nothing():
    predicted, true = codes(96, 1), codes(96, 1) + 0.3 * codes(96, 2)
    turn, _ = np.linalg.qr(np.random.default_rng(0).normal(size=(3, 3)))
    plain = hits(predicted, true, group_dim=3)
    turned = [np.concatenate([each[:, :3] @ turn, each[:, 3:]], axis=1) for each in (predicted, true)]
    np.testing.assert_array_equal(hits(*turned, group_dim=3), plain)
    assert 0 < plain.mean() < 1


def test_codes_that_are_not_finite_never_hit():
    true = codes(32)
    predicted = np.array(true)
    predicted[4] = np.nan
    found = hits(predicted, true, group_dim=3)
    assert not found[4] and found.sum() == 31


def test_bad_input_is_refused_in_one_line():
    for arguments, reason in (
        ({"true": codes(63)}, "shape"),
        ({"group_dim": 7}, "group_dim"),
        ({"class_distance": "cosine"}, "class_distance"),
        ({"candidates": 65}, "do not fill"),
        ({"k": 0}, "k is 0"),
    ):
        with pytest.raises(InputError, match=reason):
            hits(**{"predicted": codes(64), "true": codes(64), "group_dim": 3, **arguments})
