"""New sequences: the roll-out is the model's own transition, and with all draws given no backend decides."""

import numpy as np
import pytest
from keras import ops

from tests import cases
from tsdsae_keras.errors import InputError
from tsdsae_keras.families.tsdsae.roll_out import roll_out


def grow(scale):
    """A small model whose transition moves: its weights are larger than initial ones."""
    model = cases.small()
    for number, weight in enumerate(model.p_z.trainable_variables):
        weight.assign(scale * np.random.default_rng(number).normal(size=weight.shape))
    return model


def test_the_roll_out_is_that_of_the_transition():
    model = grow(0.5)
    noise = np.random.default_rng(0).normal(size=(3, 8, model.z_dim))
    z = roll_out(model.p_z, noise)
    mean, log_var = (ops.convert_to_numpy(part) for part in model.p_z(ops.convert_to_tensor(z.astype("float32"))))
    np.testing.assert_allclose(z, mean + np.exp(0.5 * log_var) * noise, rtol=1e-4, atol=1e-5)


def test_given_draws_are_used():
    model, rng = grow(0.5), np.random.default_rng(1)
    noise, v = rng.normal(size=(2, 6, model.z_dim)), rng.normal(size=(2, model.v_dim))
    made = model.generate(2, 6, v=v, noise=noise)
    z = roll_out(model.p_z, noise).astype("float32")
    np.testing.assert_allclose(made, model.decode(z, v.astype("float32")), rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(made, model.generate(2, 6, v=v, noise=noise, seed=9))
    assert np.abs(made - model.generate(2, 6, v=v, noise=noise + 1)).max() > 1e-3


def test_draws_of_another_shape_are_named():
    model = cases.small()
    with pytest.raises(InputError, match=rf"noise has shape \(2, 5, {model.z_dim}\)"):
        model.generate(2, 6, noise=np.zeros((2, 5, model.z_dim)))
    with pytest.raises(InputError, match=rf"v has shape \(1, {model.v_dim}\)"):
        model.generate(2, 6, v=np.zeros((1, model.v_dim)))
