"""How far reconstructions lie from their originals.

A code that keeps little separates easily, so scores of a swap can be compared at equal reconstruction only. Sequences
are log-mel power in nats, (batch, time, features); `mask` (batch, time) is true where a frame is valid, None when all
are. Every sequence counts the same, however long it is.
"""

import numpy as np

from tsdsae_keras.errors import InputError
from tsdsae_keras.metrics.frames import mean_over_frames

DECIBELS = 10 / np.log(10)  # in one neper of power


def sequence_errors(x, x_hat, mask=None):
    """Mean squared error of each sequence over features and valid frames: (batch,), in nats squared.

    From 0 (exact) upwards. It cannot see whether an error is audible: a decibel of background noise costs as much as
    one of a partial.

    Raises:
        InputError: the shapes differ, or a sequence has no valid frame.
    """
    return mean_over_frames(np.square(_difference(x, x_hat)).mean(axis=-1), mask)


def log_spectral_distances(x, x_hat, mask=None):
    """Mean over valid frames of sqrt(mean over bands of d^2), d = 10 (x - x_hat) / log 10: (batch,), in decibels.

    From 0 (exact) upwards. Compared with the squared error it is on the scale of hearing's levels, and one bad frame
    weighs less. It cannot see whether a difference is heard: a band 70 dB below the others counts as much as the
    loudest, and digital silence, at -36 nats, is 156 dB below a power of 1.

    Raises:
        InputError: the shapes differ, or a sequence has no valid frame.

    Source: Gray, Markel, Distance Measures for Speech Processing, IEEE TASSP 1976; there over frequencies, here over
    mel bands.
    """
    by_frame = np.sqrt(np.square(DECIBELS * _difference(x, x_hat)).mean(axis=-1))
    return mean_over_frames(by_frame, mask)


def _difference(x, x_hat):
    if np.shape(x) != np.shape(x_hat):
        raise InputError(
            f"the reconstruction has shape {np.shape(x_hat)}; it should be that of its input, {np.shape(x)}"
        )
    return np.subtract(x, x_hat, dtype="float64")
