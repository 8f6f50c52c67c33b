import numpy as np
import pytest

from tsdsae_keras.errors import InputError
from tsdsae_keras.metrics.reconstruction import masked_mse


def test_closed_form_with_unequal_lengths():
    x = np.zeros((2, 3, 2))
    x_hat = np.array([[[1, 1], [2, 0], [9, 9]], [[3, 3], [9, 9], [9, 9]]], dtype="float32")
    mask = np.array([[1, 1, 0], [1, 0, 0]], dtype=bool)
    # First sequence: frames 1 and 2, mean 1.5; second: 9; the sequences weigh alike.
    assert masked_mse(x, x_hat, mask) == pytest.approx((1.5 + 9) / 2)
    assert masked_mse(x, x_hat) == pytest.approx(((1 + 2 + 81) / 3 + (9 + 81 + 81) / 3) / 2)


def test_equal_sequences_have_no_error():
    x = np.random.default_rng(0).normal(size=(2, 3, 4))
    assert masked_mse(x, x) == 0.0


def test_what_cannot_be_compared_is_named():
    with pytest.raises(InputError, match=r"\(1, 2, 4\)"):
        masked_mse(np.zeros((1, 2, 3)), np.zeros((1, 2, 4)))
    with pytest.raises(InputError, match="no valid frame"):
        masked_mse(np.zeros((1, 2, 3)), np.zeros((1, 2, 3)), np.zeros((1, 2)))
