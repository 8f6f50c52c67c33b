"""Batch norm against its formula in float64, and what it must never take in."""

import keras
import numpy as np
import pytest
from keras import ops

from tests.gradients import check_same
from tsdsae_keras.networks.batch_norm import BatchNorm

SHAPE = (6, 5, 4, 3)


class Images(keras.layers.Layer):
    """Batch norm whose input is a variable too; see `tests.gradients.check_same`."""

    def __init__(self, relu):
        super().__init__()
        rng = np.random.default_rng(0)
        self.norm = BatchNorm(relu=relu)
        self.norm.build((None, None, None, 3))
        self.norm.gamma.assign([0.5, -1.0, 2.0])
        self.norm.beta.assign([0.1, 0.0, -0.3])
        self.x = self.add_weight(shape=SHAPE)
        self.x.assign((2 + rng.normal(size=SHAPE)).astype("float32"))
        self.weights_of_sum = rng.normal(size=SHAPE).astype("float32")


@pytest.mark.parametrize("relu", [False, True])
def test_gradients_are_those_of_the_formula(relu):
    images = Images(relu)

    class Layers:
        x, weights = images.x, images.weights_of_sum
        variables = images.trainable_variables

    def formula(x):
        mean = ops.mean(x, axis=(0, 1, 2))
        deviation = ops.sqrt(ops.mean(ops.square(x - mean), axis=(0, 1, 2)) + 1e-5)
        outputs = (x - mean) / deviation * images.norm.gamma + images.norm.beta
        return ops.relu(outputs) if relu else outputs

    check_same(Layers, lambda x: images.norm(x, training=True), formula)


def test_running_statistics_follow_mean_and_unbiased_variance():
    norm, x = BatchNorm(momentum=0.75), np.random.default_rng(1).normal(3, 2, (8, 3)).astype("float32")
    norm(x, training=True)
    found = [ops.convert_to_numpy(each) for each in (norm.moving_mean, norm.moving_variance)]
    np.testing.assert_allclose(found[0], 0.25 * x.mean(0), rtol=1e-5)
    np.testing.assert_allclose(found[1], 0.75 + 0.25 * x.var(0, ddof=1), rtol=1e-5)
    outputs = ops.convert_to_numpy(norm(x))
    np.testing.assert_allclose(outputs, (x - found[0]) / np.sqrt(found[1] + 1e-5), rtol=1e-4, atol=1e-5)


def test_long_sums_keep_their_digits():
    x = np.random.default_rng(2).normal(5, 1, (64, 64, 64, 2)).astype("float32")
    outputs = ops.convert_to_numpy(BatchNorm()(x, training=True))
    exact = x.astype("float64")
    exact = (exact - exact.mean((0, 1, 2))) / np.sqrt(exact.var((0, 1, 2)) + 1e-5)
    np.testing.assert_allclose(outputs, exact, atol=5e-6)


def test_values_not_finite_do_not_enter_the_running_statistics():
    norm, x = BatchNorm(), np.ones((4, 2), "float32")
    norm(x, training=True)
    before = [ops.convert_to_numpy(each).copy() for each in (norm.moving_mean, norm.moving_variance)]
    norm(np.array([[np.nan, 1.0], [1.0, np.inf]], "float32"), training=True)
    for kept, old in zip((norm.moving_mean, norm.moving_variance), before, strict=True):
        np.testing.assert_array_equal(ops.convert_to_numpy(kept), old)
