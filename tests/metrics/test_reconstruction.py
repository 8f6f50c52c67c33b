"""Errors of reconstructions in closed form."""

import numpy as np
import pytest

from tsdsae_keras.errors import InputError
from tsdsae_keras.metrics.reconstruction import log_spectral_distances, sequence_errors

pytestmark = pytest.mark.no_backend


def test_closed_form_with_unequal_lengths():
    x = np.zeros((2, 3, 2))
    x_hat = np.array([[[1, 1], [2, 0], [9, 9]], [[3, 3], [9, 9], [9, 9]]], dtype="float32")
    mask = np.array([[1, 1, 0], [1, 0, 0]], dtype=bool)
    # First sequence: frames 1 and 2; second: frame 1.
    assert sequence_errors(x, x_hat, mask) == pytest.approx([1.5, 9])
    assert sequence_errors(x, x_hat) == pytest.approx([(1 + 2 + 81) / 3, (9 + 81 + 81) / 3])


def test_equal_sequences_have_no_error():
    x = np.random.default_rng(0).normal(size=(2, 3, 4))
    assert sequence_errors(x, x).tolist() == [0, 0]


def test_what_cannot_be_compared_is_named():
    with pytest.raises(InputError, match=r"\(1, 2, 4\)"):
        sequence_errors(np.zeros((1, 2, 3)), np.zeros((1, 2, 4)))
    with pytest.raises(InputError, match="no valid frame"):
        sequence_errors(np.zeros((1, 2, 3)), np.zeros((1, 2, 3)), np.zeros((1, 2)))


def test_log_spectral_distance_is_its_formula():
    x = np.zeros((2, 4, 5))
    level = np.log(10) / 10  # a decibel
    x_hat = x + level * np.array([3.0, 0, 0, 4.0, 0])
    np.testing.assert_allclose(log_spectral_distances(x, x_hat), [np.sqrt(5), np.sqrt(5)])
    x_hat[1, 2:] = np.nan
    mask = np.array([[1, 1, 1, 1], [1, 1, 0, 0]], bool)
    np.testing.assert_allclose(log_spectral_distances(x, x_hat, mask), [np.sqrt(5), np.sqrt(5)])
    x_hat[0] = 7 * level  # the same in all bands: its decibels
    assert log_spectral_distances(x, x_hat, mask)[0] == pytest.approx(7)
    for other, valid, words in ((x[:1], None, "shape"), (x_hat, np.zeros((2, 4)), "no valid frame")):
        with pytest.raises(InputError, match=words):
            log_spectral_distances(x, other, valid)
