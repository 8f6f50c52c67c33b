"""The discrepancy of swaps and real sequences: against a restatement in NumPy, and what it must see."""

import numpy as np
import pytest
from keras import ops

from tests import cases
from tsdsae_keras.families.tsdsae.discrepancy import BANDWIDTHS, TIMBRE_BANDWIDTH, discrepancy


def value_of(*arrays):
    return float(discrepancy(*(None if array is None else ops.convert_to_tensor(array) for array in arrays)))


def test_it_equals_its_formula():
    rng = np.random.default_rng(0)
    f, r = rng.normal(size=(2, 5, 3, 4)).astype("float32")
    w_r, order = rng.normal(size=(5, 2)).astype("float32"), np.array([2, 0, 1, 4, 3])
    w_f = w_r[order]
    mask = np.arange(3) < np.array([[3], [2], [3], [1], [3]])

    def squared(a, b):
        return ((a[:, None] - b[None]) ** 2).sum(-1)

    s, valid = TIMBRE_BANDWIDTH * squared(w_r, w_r).mean(), mask.T[:, :, None] * mask.T[:, None]
    others = (1 - np.eye(5)) * valid
    scale = sum((squared(r[:, t], r[:, t]) * valid[t]).sum() for t in range(3)) / valid.sum()

    def k(a, b):
        (a, w_a, v_a), (b, w_b, v_b) = a, b
        u = others * (v_a[:, None] != v_b) * np.exp(-squared(w_a, w_b) / (2 * s))
        distances = [squared(a[:, t], b[:, t]) / scale for t in range(3)]
        kernels = [np.mean([np.exp(-d / (2 * c)) for c in BANDWIDTHS], axis=0) for d in distances]
        return (u * kernels).sum() / u.sum()

    swaps, real = (f, w_f, order), (r, w_r, np.arange(5))
    k_ff, k_fr, k_rr = k(swaps, swaps), k(swaps, real), k(real, real)
    assert value_of(f, r, w_r, order, mask) == pytest.approx((k_ff + k_rr - 2 * k_fr) / k_rr, rel=1e-4)


def test_it_sees_a_timbre_that_comes_late_and_only_that():
    """Every sound is there at some time for both timbres, so single frames out of time would not tell."""
    rng, n = np.random.default_rng(0), 400
    v = rng.integers(0, 2, (n, 1)).astype("float32")
    order = rng.permutation(n)

    def sounds(delay):
        onsets = 4 * rng.integers(0, 4, (n, 1))
        return np.exp(-(((np.arange(20) - onsets - delay) / 2) ** 2))[..., None].astype("float32")

    late = value_of(sounds(2 * v), sounds(2 * v), v, order)  # a swap keeps the delay of its melody
    right = value_of(sounds(2 * v[order]), sounds(2 * v), v, order)
    assert abs(right) < 0.005 < 0.02 < late


def test_a_model_weighs_it_in_stage_two_alone():
    model, x = cases.small(term_weights={"mmd_swap": 5.0}), cases.sequences()
    assert "mmd_swap" not in model.loss_terms(x)
    model.enter_stage(2)
    terms = cases.numbers(model.loss_terms(x))
    expected = sum(model.term_weights[name] * value for name, value in terms.items() if name != "loss")
    assert terms["loss"] == pytest.approx(expected, rel=1e-5)
    assert "mmd_swap" not in cases.small(stage=2).loss_terms(x)
