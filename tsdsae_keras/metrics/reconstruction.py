"""How much of a sequence the two codes keep.

A code that keeps little separates easily, so a swap score says something only beside this number.
"""

import numpy as np

from tsdsae_keras.errors import InputError


def masked_mse(x, x_hat, mask=None):
    """Mean squared error (x - x_hat)^2 over features, over each sequence's valid frames, over the batch.

    Every sequence weighs alike, however long it is. Ranges from 0 (exact) upwards, in squared nats for
    log-mel. It cannot see whether an error is audible: a decibel of noise floor costs as much as one of a
    partial.

    Args:
        x, x_hat: (batch, time, features).
        mask: (batch, time), true where a frame is valid; None when all are.

    Raises:
        InputError: the shapes differ, or a sequence has not one valid frame.
    """
    return float(sequence_errors(x, x_hat, mask).mean())


def sequence_errors(x, x_hat, mask=None):
    """The masked mean squared error of each sequence, (batch,)."""
    if x.shape != x_hat.shape:
        raise InputError(f"the reconstruction has shape {x_hat.shape}; it should be that of its input, {x.shape}")
    by_frame = np.square(np.subtract(x, x_hat, dtype="float64")).mean(axis=-1)
    valid = np.ones(by_frame.shape, bool) if mask is None else np.asarray(mask, bool)
    frames = valid.sum(axis=-1)
    if not frames.all():
        raise InputError("a sequence has no valid frame; leave it out before evaluating")
    return np.where(valid, by_frame, 0.0).sum(axis=-1) / frames  # padding may hold anything
