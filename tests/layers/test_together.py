"""All layers in one loop give what the layers give one after the other."""

import numpy as np
import pytest
from keras import layers, ops

from tsdsae_keras.layers.together import run_together


@pytest.mark.parametrize(("units", "frames"), [((5,), 4), ((4, 3), 7), ((3, 6, 2), 1)])
def test_equal_to_keras_lstm(units, frames):
    stack = [layers.LSTM(width, return_sequences=True) for width in units]
    x = ops.convert_to_tensor(np.random.default_rng(0).normal(size=(2, frames, 3)).astype("float32"))
    expected = x
    for layer in stack:
        expected = layer(expected)
        layer.cell.bias.assign(layer.cell.bias + 0.7)  # a bias alone must not start a layer early
    expected = x
    for layer in stack:
        expected = layer(expected)
    np.testing.assert_allclose(
        ops.convert_to_numpy(run_together(stack, x)), ops.convert_to_numpy(expected), rtol=1e-5, atol=1e-6
    )
