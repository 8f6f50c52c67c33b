"""What v is inferred from in training: another sequence of the same recording, or the sequence transposed."""

import numpy as np
import pytest
from keras import ops

from tests import cases
from tsdsae_keras.data.audio.logmel import FrontEnd
from tsdsae_keras.errors import InputError
from tsdsae_keras.families.tsdsae.v_input import transposition

NAMES = ("v_mean", "v_log_var", "v_prior_mean", "v_prior_log_var")


def of(outputs, name):
    return ops.convert_to_numpy(outputs[name])


def test_v_is_that_of_the_neighbour_in_training_alone():
    model, x = cases.small(v_source="recording", stage=2), cases.sequences(n=4)
    mask = np.arange(x.shape[1]) < np.array([[2], [3], [4], [5]])
    alone, trained = model.one_pass(x, mask), model.one_pass(x, mask, sample=True)
    for name in NAMES:
        np.testing.assert_allclose(of(trained, name), of(alone, name)[[1, 0, 3, 2]], atol=1e-5, err_msg=name)
    np.testing.assert_allclose(of(trained, "z_mean"), of(alone, "z_mean"), atol=1e-5)


def test_a_transposition_is_exact_for_what_is_linear_in_mel():
    """mel(f) over the bands, 5 semitones higher, is mel(f 2^(-5/12)); beyond the first band, that of the first."""
    front_end = FrontEnd(n_mels=40).to_dict()
    mel = np.linspace(0, 2595 * np.log10(1 + 8000 / 700), 42)[1:-1].astype("float32")
    hz = 700 * (10 ** (mel / 2595) - 1)
    moved = mel @ ops.convert_to_numpy(transposition(ops.full((1, 1, 1), 5.0), 40, front_end))[0]
    expected = np.maximum(2595 * np.log10(1 + hz * 2 ** (-5 / 12) / 700), mel[0])
    np.testing.assert_allclose(moved, expected, rtol=1e-4)


def test_v_hears_the_transposed_sequence_and_z_does_not():
    front_end = FrontEnd(n_mels=cases.SIZES["features"]).to_dict()
    model, x = cases.small(v_transpose=12.0, front_end=front_end), cases.sequences(n=3)
    semitones = np.array([0.0, 12.0, -6.0], "float32").reshape(3, 1, 1)
    with model.given_draws({"transpose": semitones / 12}):
        outputs = model.one_pass(x)
    heard = x @ ops.convert_to_numpy(transposition(ops.convert_to_tensor(semitones), x.shape[-1], front_end))
    np.testing.assert_allclose(of(outputs, "v_mean"), model.encode(heard)["v_mean"], atol=1e-5)
    np.testing.assert_allclose(of(outputs, "z_mean"), model.encode(x)["z_mean"], atol=1e-5)
    np.testing.assert_allclose(of(model.one_pass(x), "v_mean"), model.encode(x)["v_mean"], atol=1e-5)


def test_bands_without_a_front_end_cannot_be_transposed():
    with pytest.raises(InputError, match="v_transpose is of log-mel frames"):
        cases.small(v_transpose=2.0)
