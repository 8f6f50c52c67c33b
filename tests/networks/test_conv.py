"""Convolutions as matrix products, or by the backend's own functions, are Keras's, and so are their gradients."""

import keras
import numpy as np
import pytest

from tests.gradients import check_same
from tsdsae_keras.networks.conv import Conv, DoublingConv, HalvingConv, HalvingPool, WholeConv, WholeConvTranspose

SHAPES = {HalvingConv: (3, 4, 3), DoublingConv: (12, 16, 3)}


class Both(keras.layers.Layer):
    """A layer whose input is a variable too; see `tests.gradients.check_same`."""

    def __init__(self, kind):
        super().__init__()
        rng = np.random.default_rng(0)
        self.layer = kind(3, bias_initializer="ones")
        self.layer.build((None, 6, 8, 2))
        self.x = self.add_weight(shape=(2, 6, 8, 2))
        self.x.assign(rng.normal(size=(2, 6, 8, 2)).astype("float32"))
        self.weights_of_sum = rng.normal(size=(2, *SHAPES[kind])).astype("float32")


@pytest.mark.parametrize("kind", SHAPES)
@pytest.mark.parametrize("how", ["as it is called", "as a product"])
def test_they_are_keras_convolutions(kind, how):
    both = Both(kind)
    native = keras.layers.Conv2D if kind is HalvingConv else keras.layers.Conv2DTranspose

    class Layers:
        x, weights, variables = both.x, both.weights_of_sum, both.variables

    def run(x):
        return both.layer(x) if how == "as it is called" else both.layer.by_product(x) + both.layer.bias

    check_same(Layers, run, lambda x: native.call(both.layer, x))


def test_one_pixel_to_a_map():
    layer = WholeConvTranspose(3, (2, 4), bias_initializer="ones")
    check_as_keras(layer, keras.layers.Conv2DTranspose, (2, 1, 1, 5))


def test_a_map_to_one_pixel():
    check_as_keras(WholeConv(3, (2, 4), bias_initializer="ones"), keras.layers.Conv2D, (2, 2, 4, 5))


def test_without_a_bias():
    check_as_keras(HalvingConv(3, use_bias=False), keras.layers.Conv2D, (2, 6, 8, 5))


@pytest.mark.parametrize(
    ("size", "strides", "padding"), [(3, 1, "same"), (5, 2, "same"), (4, (1, 2), "same"), (3, 2, "valid")]
)
def test_other_sizes(size, strides, padding):
    check_as_keras(Conv(3, size, strides, padding=padding, bias_initializer="ones"), keras.layers.Conv2D, (2, 7, 8, 5))


@pytest.mark.parametrize("shape", [(2, 6, 4, 3), (2, 5, 4, 3)])
def test_maxima_of_blocks(shape):
    check_as_keras(HalvingPool(), keras.layers.MaxPooling2D, shape)


def check_as_keras(layer, native, shape):
    x = keras.ops.convert_to_tensor(np.random.default_rng(0).normal(size=shape).astype("float32"))
    found, expected = layer(x), native.call(layer, x)
    np.testing.assert_allclose(*(keras.ops.convert_to_numpy(each) for each in (found, expected)), atol=1e-5)
