"""Closed forms of the Gaussian arithmetic."""

import numpy as np
import pytest
from keras import ops, random

from tsdsae_keras import ops as own


def test_kl_of_equals_is_zero_and_of_shifted_is_half_a_square():
    mean, log_var = (ops.convert_to_tensor(np.array([row], "float32")) for row in ([0.3, -1.0], [0.5, -2.0]))
    np.testing.assert_allclose(ops.convert_to_numpy(own.gaussian_kl(mean, log_var, mean, log_var)), 0.0, atol=1e-7)
    zero = ops.zeros_like(mean)
    shifted = ops.convert_to_numpy(own.gaussian_kl(zero + 3.0, zero, zero, zero))
    np.testing.assert_allclose(shifted, 4.5, rtol=1e-6)
    wide = ops.convert_to_numpy(own.gaussian_kl(zero, zero + float(np.log(4.0)), zero, zero))
    np.testing.assert_allclose(wide, 0.5 * (4.0 - 1.0 - np.log(4.0)), rtol=1e-6)


def test_reductions_skip_padding():
    values = np.arange(12, dtype="float32").reshape(2, 3, 2)
    values[1, 2] = np.nan
    mask = np.array([[1, 1, 1], [1, 1, 0]], bool)
    valid = [values[0], values[1, :2]]
    mean = float(own.reduce_frames(ops.convert_to_tensor(values), ops.convert_to_tensor(mask), "mean"))
    total = float(own.reduce_frames(ops.convert_to_tensor(values), ops.convert_to_tensor(mask), "sum"))
    assert mean == pytest.approx(np.mean([part.mean() for part in valid]))
    assert total == pytest.approx(np.mean([part.sum() for part in valid]))


def test_permutation_and_rotation_are_permutations():
    order = ops.convert_to_numpy(own.permutation(50, random.SeedGenerator(3)))
    assert sorted(order) == list(range(50)) and list(order) != list(range(50))
    assert list(ops.convert_to_numpy(own.rotation(4))) == [1, 2, 3, 0]
