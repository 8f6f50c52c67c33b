"""Features without learning, to compare embeddings with: statistics of log-mel bands, and of MFCCs."""

import numpy as np

from tsdsae_keras.data.audio.clips import RATE
from tsdsae_keras.data.audio.logmel import FrontEnd

FRONT_END = FrontEnd(RATE, 1024, 160, 64, 60.0, 7800.0, 1e-5)
COEFFICIENTS = 20


def mel_statistics(samples):
    """Mean, standard deviation and maximum over time of 64 log-mel bands: (192,)."""
    frames = FRONT_END.log_mel(samples)
    return np.concatenate([frames.mean(axis=0), frames.std(axis=0), frames.max(axis=0)])


def mfcc_statistics(samples):
    """Mean and standard deviation of 20 MFCCs, and the standard deviation of their differences: (60,)."""
    from scipy.fft import dct

    coefficients = dct(FRONT_END.log_mel(samples), axis=1, norm="ortho")[:, :COEFFICIENTS]
    moved = np.diff(coefficients, axis=0) if len(coefficients) > 1 else np.zeros((1, COEFFICIENTS))
    return np.concatenate([coefficients.mean(axis=0), coefficients.std(axis=0), moved.std(axis=0)])


STATISTICS = {"mel statistics": mel_statistics, "MFCC": mfcc_statistics}
