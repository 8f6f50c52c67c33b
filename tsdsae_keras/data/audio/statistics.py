"""Features without learning, to compare embeddings with: statistics of log-mel bands, and of MFCCs."""

import numpy as np

from tsdsae_keras.data.audio.clips import RATE
from tsdsae_keras.data.audio.logmel import FrontEnd

FRONT_END = FrontEnd(RATE, 1024, 160, 64, 60.0, 7800.0, 1e-5)
COEFFICIENTS = 20


def mel_statistics(frames):
    """Mean, standard deviation and maximum over time of log-mel frames (T, 64): (192,)."""
    return np.concatenate([frames.mean(axis=0), frames.std(axis=0), frames.max(axis=0)])


def mfcc_statistics(frames):
    """Mean and standard deviation of 20 MFCCs of log-mel frames (T, 64), and deviation of their differences: (60,)."""
    from scipy.fft import dct

    coefficients = dct(frames, axis=1, norm="ortho")[:, :COEFFICIENTS]
    moved = np.diff(coefficients, axis=0) if len(coefficients) > 1 else np.zeros((1, COEFFICIENTS))
    return np.concatenate([coefficients.mean(axis=0), coefficients.std(axis=0), moved.std(axis=0)])


STATISTICS = {"mel statistics": mel_statistics, "MFCC": mfcc_statistics}
