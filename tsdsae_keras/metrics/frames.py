"""Means over the valid frames of sequences, for numpy arrays; `tsdsae_keras.ops.masked_mean` is that of tensors."""

import numpy as np

from tsdsae_keras.errors import InputError


def mean_over_frames(values, mask=None):
    """Mean over each sequence's valid frames, (n, time, ...) -> (n, ...), in float64; padding may hold anything.

    Args:
        values: (n, time) or (n, time, dim).
        mask: (n, time), true where a frame is valid; None when all are.

    Raises:
        InputError: a sequence has no valid frame.
    """
    values = np.asarray(values)
    if mask is None:
        return values.mean(axis=1, dtype="float64")
    mask = np.asarray(mask, bool)
    if not mask.any(axis=1).all():
        raise InputError("a sequence has no valid frame, or none in common with its partner; leave it out")
    # Trailing axes of length 1 let (n, time) meet (n, time, dim), and (n,) meet (n, dim).
    trailing = (1,) * (values.ndim - 2)
    total = np.where(mask.reshape(*mask.shape, *trailing), values, 0).sum(axis=1, dtype="float64")
    return total / mask.sum(axis=1).reshape(-1, *trailing)
