"""Mixed precision: another rounding of the same model."""

import keras
import numpy as np
import pytest
from keras import ops

from tests import cases
from tests.gradients import terms_and_gradients
from tsdsae_keras.base.loading import load_model
from tsdsae_keras.errors import InputError
from tsdsae_keras.networks.dense import Dense

ROUNDING = 2.0**-8  # half a step of bfloat16, which keeps 8 bits of a number


@pytest.fixture(scope="module")
def pair():
    """The same small model in both precisions, on the same sequences."""
    x, models = cases.sequences(), []
    for precision in ("float32", "mixed_bfloat16"):
        model = cases.small(stage=2, precision=precision)
        model.adapt(x)
        models.append(model)
    models[1].set_weights(models[0].get_weights())
    return x, *models


def test_differs_by_its_rounding_and_answers_in_float32(pair):
    x, exact, mixed = pair
    first, second = (model.predict(x, verbose=0) for model in (exact, mixed))
    for name in ("v_mean", "z_mean", "reconstruction"):
        spread = np.abs(first[name]).max()
        error = np.abs(first[name] - second[name]).max()
        assert second[name].dtype == np.float32
        assert 1e-6 * spread < error < 8 * ROUNDING * spread, name


def test_loss_and_gradients_stay_near(pair):
    x, *models = pair
    (terms, exact), (others, mixed) = (
        terms_and_gradients(model, lambda model=model: model.loss_terms(x, sample=False)) for model in models
    )
    for name, value in terms.items():
        assert others[name] == pytest.approx(value, rel=0.05, abs=1e-3), name
    used = [path for path, gradient in exact.items() if gradient is not None]
    whole = np.sqrt(sum(np.square(exact[path]).sum() for path in used))
    apart = np.sqrt(sum(np.square(exact[path] - mixed[path]).sum() for path in used))
    assert all(mixed[path].dtype == np.float32 for path in used)
    assert 1e-6 * whole < apart < 0.05 * whole


def test_a_bias_is_not_rounded():
    layer, bias = Dense(3, precision="mixed_bfloat16"), np.float32([1, -2, 3]) * (1 + ROUNDING / 8)
    layer.build((None, 2))
    layer.bias.assign(bias)
    np.testing.assert_array_equal(ops.convert_to_numpy(layer(ops.zeros((4, 2)))), np.tile(bias, (4, 1)))


def test_is_saved_and_trains(pair, tmp_path):
    x, _, mixed = pair
    mixed.save(tmp_path / "mixed.keras")
    loaded = load_model(tmp_path / "mixed.keras")
    assert loaded.precision == "mixed_bfloat16"
    np.testing.assert_allclose(loaded.predict(x, verbose=0)["z_mean"], mixed.predict(x, verbose=0)["z_mean"], atol=1e-5)
    cases.compile_with_adam(loaded).fit(x, batch_size=len(x), epochs=2, verbose=0)
    assert all(np.isfinite(keras.ops.convert_to_numpy(weight)).all() for weight in loaded.trainable_variables)


def test_a_precision_that_is_none():
    with pytest.raises(InputError, match=r"float16.*must be 'float32' or 'mixed_bfloat16'"):
        cases.small(precision="float16")
