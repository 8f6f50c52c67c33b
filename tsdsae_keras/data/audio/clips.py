"""Short sounds as probes and pre-training take them: mono float32 at 16 kHz, peak 0.9, told apart by content."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from tsdsae_keras.data.audio.sound_files import SILENT, audio_blocks
from tsdsae_keras.files import sha256

RATE = 16000
PEAK = 0.9


@dataclass(frozen=True)
class Clip:
    """A sound that is read when it is needed.

    Attributes:
        name: unique within a task or a pool.
        read: () -> samples, mono float32 at 16 kHz.
        label: what a task asks for, a text.
        split: "train", "validation" or "test", or the name of a fold.
        group: what must not be in two splits, such as a kit or a phrase.
    """

    name: str
    read: Callable
    label: str = ""
    split: str = ""
    group: str = ""


def read_clip(path, seconds=None):
    """The samples of a sound file at 16 kHz, at most `seconds` of it; a long file is not read to its end.

    Raises:
        InputError: as `sound_files.audio_blocks`.
    """
    parts, count, most = [], 0, np.inf if seconds is None else round(seconds * RATE)
    for block in audio_blocks(path, RATE):
        parts.append(block)
        count += len(block)
        if count >= most:
            break
    samples = np.concatenate(parts) if parts else np.zeros(0, "float32")
    return samples if seconds is None else samples[:most]


def is_silent(samples):
    """Whether a sound lies 80 dB or more below full scale throughout, or has no samples."""
    return float(np.abs(samples).max(initial=0)) < SILENT


def scale_peak(samples):
    """A sound whose greatest magnitude is 0.9, or loudness would answer half the tasks; silence as it is."""
    return samples if is_silent(samples) else (samples * np.float32(PEAK / np.abs(samples).max())).astype("float32")


def fit_length(samples, seconds):
    """Cut, or padded by digital silence at the end, to `seconds`."""
    count = round(seconds * RATE)
    return np.pad(samples[:count], (0, max(0, count - len(samples))))


def content_hash(samples):
    """A whole number below 2^63 that is equal for equal sounds, whatever their names, lossless containers and levels.

    Of the signs of the samples, which no gain changes; rounded amplitudes would differ in some last digit.
    """
    signs = np.packbits(np.asarray(samples) > 0)
    return int(sha256(len(samples).to_bytes(8) + signs.tobytes())[:16], 16) >> 1
