"""Log-mel frames back to sound, for listening."""

import math

import numpy as np

from tsdsae_keras.data.audio.logmel import mel_matrix
from tsdsae_keras.errors import InputError

UPDATES = 50
PHASE_ITERATIONS = 32
_TINY = 1e-20
_RANGE = 60.0  # natural logarithm: what lies 260 dB below the loudest band is silence


def sound_of(log_mel, front_end, seed=0):
    """A sound whose log-mel frames come near those given: magnitudes by KL factorisation, phases by Griffin-Lim.

    Args:
        log_mel: frames, shape (T, n_mels), as `FrontEnd.log_mel` gives them.
        front_end: the `FrontEnd` that made them.
        seed: of the phases that Griffin-Lim starts from.

    Returns:
        float32 samples, shape ((T - 1) * hop_length,); zeros where all frames are digital silence. The floor of a
        front end that has one is not sound, and is taken off first.

    Raises:
        InputError: frames of another shape, too few of them, or values that are not finite.
    """
    log_mel = _check_frames(log_mel, front_end)
    length = (len(log_mel) - 1) * front_end.hop_length
    # Half a unit above the offset's logarithm: float32 frames of pure silence must count as silence.
    if log_mel.max() <= np.log(front_end.log_offset) + 0.5:
        return np.zeros(length, np.float32)
    loudest = log_mel.max()
    power = np.exp(np.maximum(log_mel - loudest, -_RANGE))
    power = np.maximum(power - _floor(front_end, loudest), 0).T.astype(np.float32)
    magnitude = np.sqrt(spectrum_of(power, mel_matrix(front_end)))
    return (_with_phases(magnitude, front_end, length, seed) * np.exp(min(loudest, 80.0) / 2)).astype(np.float32)


def spectrum_of(mel_power, bank, updates=UPDATES):
    """A non-negative power spectrogram S with bank @ S near the mel power in the Kullback-Leibler sense.

    From mel power (n_mels, T) and a sparse bank (n_mels, bins) to float32 (bins, T); bins that no band covers stay 0.

    Multiplicative updates S <- S * bank' (M / bank S) / bank' 1 (Lee and Seung, 2001), all frames at once.
    """
    back = bank.T.tocsr()
    weight = np.asarray(bank.sum(axis=0)).reshape(-1, 1)
    share = np.divide(1, weight, out=np.zeros_like(weight), where=weight > 0)
    spectrum = share * (back @ mel_power)
    for _ in range(updates):
        ratio = mel_power / np.maximum(bank @ spectrum, _TINY)
        spectrum *= share * (back @ ratio)
    return spectrum


def _floor(front_end, loudest):
    """What a front end with a floor added to mel power, relative to the loudest, whose logarithm is given."""
    if not front_end.floor_db:
        return 0.0
    return max(10 ** (-front_end.floor_db / 10), math.exp(min(0.0, math.log(front_end.log_offset) - loudest)))


def _with_phases(magnitude, front_end, length, seed):
    import librosa

    return librosa.griffinlim(
        magnitude,
        n_iter=PHASE_ITERATIONS,
        hop_length=front_end.hop_length,
        n_fft=front_end.n_fft,
        length=length,
        random_state=seed,
    )


def _check_frames(log_mel, front_end):
    log_mel = np.asarray(log_mel, np.float64)
    if log_mel.ndim != 2 or log_mel.shape[1] != front_end.n_mels:
        raise InputError(f"log_mel has shape {log_mel.shape}: give (T, {front_end.n_mels})")
    needed = 2 + front_end.n_fft // front_end.hop_length
    if len(log_mel) < needed:
        raise InputError(f"log_mel has {len(log_mel)} frames: a sound needs at least {needed}")
    if not np.all(np.isfinite(log_mel)):
        raise InputError("log_mel holds values that are not finite: give frames without NaN or infinity")
    return log_mel
