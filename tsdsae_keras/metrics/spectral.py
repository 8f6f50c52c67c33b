"""Log-spectral distance: how far a reconstruction lies from its original, in decibels."""

import numpy as np

from tsdsae_keras.errors import InputError

DECIBELS = 10 / np.log(10)  # a neper of power


def log_spectral_distances(x, x_hat, mask=None):
    """The mean over a sequence's valid frames of sqrt(mean over bands of d^2), d = (x - x_hat) 10 / log 10 in dB.

    From 0 (exact) upwards, lower is better. Beside the squared error it is on the scale of hearing's levels, and one
    bad frame weighs less. It cannot see whether a difference is heard: a band 70 dB below the others counts as
    much as the loudest, and digital silence, at -36 nats, is 156 dB below a power of 1.

    Args:
        x, x_hat: (batch, time, features) log-mel power in nats.
        mask: (batch, time), true where a frame is valid; None when all are.

    Returns:
        (batch,) decibels.

    Raises:
        InputError: the shapes differ, or a sequence has not one valid frame.

    Source: Gray, Markel, Distance Measures for Speech Processing, IEEE TASSP 1976; there over frequencies, here over
    mel bands.
    """
    if np.shape(x) != np.shape(x_hat):
        raise InputError(f"the reconstruction has shape {np.shape(x_hat)}; it should be that of its input, {x.shape}")
    difference = DECIBELS * np.subtract(x, x_hat, dtype="float64")
    by_frame = np.sqrt(np.square(difference).mean(axis=-1))
    valid = np.ones(by_frame.shape, bool) if mask is None else np.asarray(mask, bool)
    if not valid.any(axis=-1).all():
        raise InputError("a sequence has no valid frame; leave it out before evaluating")
    return np.where(valid, by_frame, 0).sum(axis=-1) / valid.sum(axis=-1)
