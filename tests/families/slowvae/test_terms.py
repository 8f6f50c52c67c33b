"""Closed forms and laws of the terms, and the invariances of the loss that make the method."""

import functools
import math

import keras
import numpy as np
import pytest

from tests.families.slowvae.small import gradients, numbers, pairs, small
from tsdsae_keras.families.slowvae import terms as of

# d, s, lam, value: checked by quadrature
VALUES = (
    (0, 1, 1, 1.491031741),
    (1, 0.5, 2, 2.016981405),
    (0.3, 0.1, 6, 0.701846297),
    (-0.3, 0.1, 6, 0.701846297),
    (2, 1, 6, 11.003276143),
    (0.01, 0.02, 6, -0.991141115),
    (5, 0.01, 3, 14.594534892),
)


def laplace(d, s, rate):
    values = [keras.ops.convert_to_tensor(np.float32(value)) for value in (d, 2 * math.log(s))]
    return float(keras.ops.convert_to_numpy(of.laplace_cross_entropy(*values, rate)))


@pytest.mark.parametrize("d, s, rate, value", VALUES)
def test_laplace_cross_entropy_by_quadrature(d, s, rate, value):
    assert laplace(d, s, rate) == pytest.approx(value, abs=2e-5)


def test_laplace_cross_entropy_of_sharp_posteriors():
    assert laplace(0, 1e-8, 6) == pytest.approx(-math.log(3), abs=1e-5)
    assert laplace(0.7, 1e-8, 6) == pytest.approx(-math.log(3) + 6 * 0.7, rel=1e-5)


def test_the_exact_laplace_term_has_a_floor():
    s = math.sqrt(math.pi / 2) / 6
    log_var = keras.ops.convert_to_tensor(np.float32([2 * math.log(s)]))
    gap = laplace(0, s, 6) - float(keras.ops.convert_to_numpy(of.entropy(log_var))[0])
    assert pytest.approx(0.048417, abs=1e-5) == of.LAPLACE_FLOOR
    assert gap == pytest.approx(of.LAPLACE_FLOOR, abs=1e-5)


small_once = functools.cache(small)


def terms_of(mean, log_var):
    """The terms for given posteriors, without a network."""
    model = small_once()
    as_tensors = {"mean": mean, "log_var": log_var, "decoded": np.zeros((len(mean), 8))}
    outputs = {name: keras.ops.convert_to_tensor(np.float32(value)) for name, value in as_tensors.items()}
    return numbers(model.terms({"x": np.zeros((len(mean), 8), "float32")}, outputs))


def test_what_leaves_the_loss_alone_and_what_does_not():
    rng = np.random.default_rng(0)
    mean, log_var = rng.normal(size=(12, 4)), rng.normal(-2, 1, (12, 1)) * np.ones((12, 4))
    known = terms_of(mean, log_var)
    swapped = np.arange(12) ^ 1
    for other in (
        (mean[:, [2, 0, 3, 1]], log_var),
        (mean * [1, -1, 1, -1], log_var),
        (mean[swapped], log_var[swapped]),
    ):
        assert terms_of(*other) == pytest.approx(known, rel=1e-5, abs=1e-5)
    turn = np.eye(4)
    turn[:2, :2] = [[math.cos(0.7), -math.sin(0.7)], [math.sin(0.7), math.cos(0.7)]]
    rotated = terms_of(mean @ turn, log_var)
    assert rotated["kl_normal"] == pytest.approx(known["kl_normal"], rel=1e-5)
    assert abs(rotated["kl_laplace"] - known["kl_laplace"]) > 0.05


def test_official_and_exact_forms_agree_up_to_entropy():
    x, gamma = pairs(), 3.0
    official, exact = small(gamma=gamma), small(gamma=2 * gamma, form="exact")
    first, second = numbers(official.loss_terms(x)), numbers(exact.loss_terms(x))
    assert first["loss"] == pytest.approx(second["loss"] + gamma * first["entropy"], rel=1e-5)


def test_kl_normal_is_zero_for_the_prior_alone():
    zeros = np.zeros((4, 4))
    assert terms_of(zeros, zeros)["kl_normal"] == pytest.approx(0, abs=1e-6)
    assert terms_of(zeros + 0.1, zeros)["kl_normal"] > 0
    assert terms_of(zeros, zeros + 0.1)["kl_normal"] > 0


def test_identical_and_far_apart_frames_give_finite_gradients():
    x, model = pairs(), small()
    x[1], x[3] = x[0], 3 * x[2]
    bias = model.encoder.get_layer("outputs").bias
    bias.assign(np.float32([0, 0, 0, 0, -20, -20, -20, -20]))  # a posterior so sharp that d / s is in the thousands
    terms, found = gradients(model, {"x": x}, None)
    assert all(math.isfinite(value) for value in terms.values())
    assert all(np.isfinite(keras.ops.convert_to_numpy(value)).all() for value in found)
