"""Convolutions along rows, as they are called and as matrix products, are Keras's between padding and cropping."""

import keras
import numpy as np
import pytest
from keras import ops

from tests.gradients import check_same
from tsdsae_keras.networks.row_conv import Conv1D, Conv1DTranspose

SHAPE = (2, 13, 4)
SIZES = [(5, 2, 1), (8, 4, 2), (4, 2, 1), (3, 1, 0), (3, 3, 0)]  # size, stride, rows


class Both(keras.layers.Layer):
    """A layer whose input is a variable too; see `tests.gradients.check_same`."""

    def __init__(self, kind, size):
        super().__init__()
        rng = np.random.default_rng(0)
        self.layer = kind(3, *size, bias_initializer="ones")
        self.layer.build((None, *SHAPE[1:]))
        self.x = self.add_weight(shape=SHAPE)
        self.x.assign(rng.normal(size=SHAPE).astype("float32"))
        self.weights_of_sum = rng.normal(size=ops.shape(self.layer(self.x))).astype("float32")


def padded(layer, x):
    return keras.layers.Conv1D.call(layer, ops.pad(x, ((0, 0), (layer.rows, layer.rows), (0, 0))))


def cropped(layer, x):
    y = keras.layers.Conv1DTranspose.call(layer, x)
    return y[:, layer.rows : y.shape[1] - layer.rows]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(("kind", "expected"), [(Conv1D, padded), (Conv1DTranspose, cropped)])
@pytest.mark.parametrize("how", ["as it is called", "as a product"])
def test_they_are_keras_convolutions(kind, expected, how, size):
    both = Both(kind, size)

    class Layers:
        x, weights, variables = both.x, both.weights_of_sum, both.variables

    def run(x):
        return both.layer(x) if how == "as it is called" else both.layer.by_product(x) + both.layer.bias

    check_same(Layers, run, lambda x: expected(both.layer, x))
