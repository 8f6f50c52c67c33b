"""Means over valid frames: padding is not looked at, and NumPy and the backend agree on the mean and on the KL."""

import numpy as np
import pytest
from keras.ops import convert_to_numpy

from tsdsae_keras import ops
from tsdsae_keras.errors import InputError
from tsdsae_keras.metrics.frames import mean_over_frames
from tsdsae_keras.metrics.gaussian import gaussian_kl

pytestmark = pytest.mark.no_backend

MASK = np.array([[1, 1, 0], [1, 0, 0]], bool)


def test_padding_may_hold_anything():
    values = np.array([[1.0, 3, np.nan], [5, np.inf, 7]])
    np.testing.assert_array_equal(mean_over_frames(values, MASK), [2, 5])
    both = np.stack([values, 2 * values], axis=-1)
    np.testing.assert_array_equal(mean_over_frames(both, MASK), [[2, 4], [5, 10]])
    np.testing.assert_array_equal(mean_over_frames([[1, 2], [3, 5]]), [1.5, 4])


def test_a_sequence_without_a_valid_frame_is_refused():
    with pytest.raises(InputError, match="no valid frame"):
        mean_over_frames(np.zeros((2, 3)), MASK & [[True], [False]])


def test_arrays_and_tensors_agree():
    gaussians = np.random.default_rng(0).normal(size=(4, 2, 3, 5)).astype("float32")
    kl, mean = convert_to_numpy(ops.gaussian_kl(*gaussians)), convert_to_numpy(ops.masked_mean(gaussians[0], MASK))
    np.testing.assert_allclose(gaussian_kl(*gaussians), kl, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(mean_over_frames(gaussians[0], MASK), mean, rtol=1e-5, atol=1e-6)
