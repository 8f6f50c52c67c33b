"""A stack of LSTMs gives what the layers give one after the other, and the same gradients, whichever way it goes."""

from functools import partial

import keras
import numpy as np
import pytest
from keras import layers, ops

from tests.gradients import check_same
from tsdsae_keras.networks.native import of_backend
from tsdsae_keras.networks.stacked_lstm import in_one_loop, stacked_lstm

WAYS = {"together": stacked_lstm, "joined": in_one_loop}


def one_by_one(stack, x):
    for layer in stack:
        x = layer(x)
    return x


class Stack:
    """LSTMs and their input, which is a variable too, so that its gradient is asked for."""

    def __init__(self, units, frames):
        rng = np.random.default_rng(0)
        self.layers = [layers.LSTM(width, return_sequences=True, name=f"lstm_{i}") for i, width in enumerate(units)]
        self.x = keras.Variable(rng.normal(size=(2, frames, 3)).astype("float32"), name="x")
        one_by_one(self.layers, ops.convert_to_tensor(self.x))
        for layer in self.layers:  # a bias alone must not start a layer early
            layer.cell.bias.assign(rng.normal(0.7, 0.3, layer.cell.bias.shape))
        self.variables = [self.x, *(weight for layer in self.layers for weight in layer.trainable_weights)]
        self.weights = rng.normal(size=(2, frames, units[-1])).astype("float32")


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(("units", "frames"), [((5,), 4), ((4, 3), 7), ((3, 6, 2), 1)])
def test_equal_to_keras_lstm(units, frames, way):
    stack = Stack(units, frames)
    check_same(stack, partial(WAYS[way], stack.layers), partial(one_by_one, stack.layers))


def test_the_backends_own_way_is_taken_here():
    import tensorflow as tf

    if tf.config.list_physical_devices("GPU"):
        pytest.skip("on a GPU the loop is joined, but for PyTorch")
    assert of_backend().serves(ops.zeros((1, 2, 3)))
