"""Dense layers give what Keras's give, and the same gradients; two merged what one after the other does, and one joined
what it does with the code joined to every frame.
"""

import keras
import numpy as np
import pytest
from keras import ops

from tests.gradients import check_same, terms_and_gradients
from tsdsae_keras.networks.dense import Dense, dense_of_frames_and_code, fuse
from tsdsae_keras.networks.native import of_backend, squared_error
from tsdsae_keras.ops import concat_to_frames


class Layers:
    """Built layers and their input, which is a variable too, so that its gradient is asked for."""

    def __init__(self, *made, rows=9):
        rng, widths = np.random.default_rng(0), (3, *(layer.units for layer in made))
        self.layers = made
        self.x = keras.Variable(rng.normal(size=(rows, 3)).astype("float32"), name="x")
        for layer, width in zip(made, widths, strict=False):
            layer.build((None, width))
            layer.bias.assign(rng.normal(size=layer.units))
        self.variables = [self.x, *(weight for layer in made for weight in layer.trainable_weights)]
        self.weights = rng.normal(size=(rows, widths[-1])).astype("float32")


@pytest.mark.parametrize("activation", ["tanh", None])
def test_equal_to_keras_dense(activation):
    made = Layers(Dense(4, activation, name="own"))
    own, after = made.layers[0], keras.activations.get(activation)
    check_same(made, own, lambda x: after(ops.add(ops.matmul(x, own.kernel), own.bias)))


@pytest.mark.parametrize("intel", [False, True])
def test_tanh_over_its_whole_range(intel, monkeypatch):
    if keras.backend.backend() == "torch":  # which takes one of two ways, by the processor
        monkeypatch.setattr(of_backend(), "_is_intel", lambda: intel)
    values = np.concatenate([np.linspace(-12, 12, 1001), [-1e4, 1e4, 1e-8, 0.0]]).astype("float32")[:, None]
    layer = Dense(1, "tanh", name="one")
    layer.build((None, 1))
    layer.set_weights([np.ones((1, 1)), np.zeros(1)])
    found = ops.convert_to_numpy(layer(ops.convert_to_tensor(values)))
    np.testing.assert_allclose(found, np.tanh(values.astype("float64")), atol=5e-7)


def test_two_fused_layers_equal_one_after_the_other():
    made = Layers(Dense(5, name="first"), Dense(4, "tanh", name="second"))
    first, second = made.layers
    check_same(made, lambda x: fuse(first, second)(x), lambda x: second(first(x)))


def test_a_dense_layer_of_frames_and_code_equals_concatenation():
    made = Layers(Dense(4, "tanh", name="one"))
    layer = made.layers[0]

    def parts(x):
        """Nine rows as the frames of three sequences, two values each, and the codes of the three."""
        frames = ops.reshape(x, (3, 3, 3))
        return frames[..., :2], frames[:, 0, 2:]

    def concatenate(x):
        z, v = parts(x)
        return layer(ops.reshape(concat_to_frames(z, v), (9, 3)))

    check_same(made, lambda x: ops.reshape(dense_of_frames_and_code(layer, *parts(x)), (9, 4)), concatenate)


def test_squared_error_and_its_gradient():
    rng = np.random.default_rng(0)
    x, y = (keras.Variable(rng.normal(size=(4, 5, 6)).astype("float32"), name=name) for name in "xy")

    class Both:
        variables = [x, y]

    def terms():
        return {"loss": squared_error(ops.convert_to_tensor(x), ops.convert_to_tensor(y))}

    values, gradients = terms_and_gradients(Both, terms)
    apart = ops.convert_to_numpy(x).astype("float64") - ops.convert_to_numpy(y)
    assert values["loss"] == pytest.approx(np.square(apart).sum(), rel=1e-6)
    np.testing.assert_allclose(gradients["x"], 2 * apart, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(gradients["y"], -2 * apart, rtol=1e-5, atol=1e-6)
