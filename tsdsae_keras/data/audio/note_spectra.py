"""Notes as pictures of their spectrum: five STFT frames a note, and back to sound by Griffin-Lim.

A note is 2,560 samples at 16 kHz, 0.16 s. STFT: 1,024-point periodic Hann window, hop 512, zeros for half a window at
both ends, so that frame 0 is centred on sample 0; magnitude = 2 |FFT|; x = log2(magnitude + 1) / 12.5, between 0 and
0.8 for samples within +-1. Note i is frames 5i to 5i + 4, as an array (513, 5). (Liu et al., NeurIPS 2023.)
"""

import numpy as np

from tsdsae_keras.data.audio.sound_files import SILENT
from tsdsae_keras.errors import InputError

SAMPLE_RATE, N_FFT, HOP, BINS, FRAMES = 16000, 1024, 512, 513, 5
NOTE = FRAMES * HOP  # samples
TOP = 12.5  # octaves of magnitude, the scale of x
ITERATIONS = 32
MOMENTUM = 0.99


def note_spectra(samples, hop_frames=FRAMES):
    """Notes (n, 513, 5) of samples (m,) at 16 kHz.

    Args:
        samples: mono, full scale at 1.
        hop_frames: STFT frames from one note to the next; 5 for notes that do not overlap.

    Raises:
        InputError: samples that are silent, not finite, not mono, or shorter than a note.
    """
    samples = np.asarray(samples, "float32")
    if samples.ndim != 1 or len(samples) <= (FRAMES - 1) * HOP:
        shortest = (FRAMES - 1) * HOP / SAMPLE_RATE
        raise InputError(f"samples have shape {samples.shape}; give one channel of more than {shortest:.3f} s")
    if not np.isfinite(samples).all():
        raise InputError("the sound holds values that are not finite")
    if np.abs(samples).max() < SILENT:
        raise InputError("the sound is silent: its peak lies 80 dB below full scale; give one that can be heard")
    frames = stft_frames(samples)
    starts = np.arange(0, len(frames) - FRAMES + 1, hop_frames)
    return np.stack([frames[start : start + FRAMES].T for start in starts])


def stft_frames(samples):
    """x of every STFT frame, (1 + m // 512, 513)."""
    padded = np.pad(samples, N_FFT // 2)
    windows = np.lib.stride_tricks.sliding_window_view(padded, N_FFT)[::HOP]
    hann = np.float32(0.5 - 0.5 * np.cos(2 * np.pi * np.arange(N_FFT) / N_FFT))
    magnitude = 2 * np.abs(np.fft.rfft(windows * hann, axis=-1))
    return np.float32(np.log2(magnitude + 1) / TOP)


def sound_of_notes(notes, power=1.0, seed=0):
    """Samples of notes in a row, by Griffin-Lim with momentum from random phases.

    Args:
        notes: x (n, 513, 5).
        power: of the magnitudes that are inverted: 1, or 2 for the published form, which takes the magnitudes for
            powers and so inverts their square root.
        seed: of the phases.

    Returns:
        float32 (512 (5 n - 1),): 2,048 samples of one note.

    Raises:
        InputError: notes of another shape.
    """
    import librosa

    notes = np.asarray(notes, "float32")
    if notes.ndim != 3 or notes.shape[1:] != (BINS, FRAMES):
        raise InputError(f"notes have shape {notes.shape}; they should be (n, {BINS}, {FRAMES})")
    magnitude = np.concatenate((2.0 ** (TOP * np.clip(notes, 0, 1)) - 1) / 2, axis=-1)
    return librosa.griffinlim(
        magnitude ** (1 / power),
        n_iter=ITERATIONS,
        hop_length=HOP,
        n_fft=N_FFT,
        momentum=MOMENTUM,
        random_state=seed,
        pad_mode="constant",
    ).astype("float32")
