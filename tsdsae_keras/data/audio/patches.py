"""Gravis UltraSound patches, the format of FreePats: samples of one instrument, each with its range of pitch.

A file is a header (129 bytes), an instrument (63), a layer (47), and for each sample a header (96) and its data, all
little-endian. Only the first layer is read.
"""

import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tsdsae_keras.data.audio.clips import RATE
from tsdsae_keras.errors import InputError

_HEADERS, _SAMPLE = 129 + 63 + 47, struct.Struct("<7sBIIIHIIIhB12s6sBhH36x")
_WIDE, _UNSIGNED, _LOOP, _BACKWARDS = 1, 2, 4, 16  # bits of the mode
LONGEST = 1 << 24  # bytes of a sample


@dataclass(frozen=True)
class PatchSample:
    """One sample of a patch.

    Attributes:
        samples: float32 (n,).
        rate: Hz.
        low, high, root: frequencies, Hz: the range it is meant for, and the one it sounds at.
        loop: (start, end) in samples, or None.
    """

    samples: np.ndarray
    rate: int
    low: float
    high: float
    root: float
    loop: tuple | None


def read_patch(path):
    """The samples of a patch file.

    Raises:
        InputError: it is not a patch, or cut off.
    """
    content = Path(path).read_bytes()
    if content[:11] not in (b"GF1PATCH110", b"GF1PATCH100") or len(content) < _HEADERS:
        raise InputError(f"{path} is not a Gravis UltraSound patch; give the .pat files of freepats")
    place, found = _HEADERS, []
    for _ in range(content[_HEADERS - 41]):  # samples of the layer
        if len(content) < place + _SAMPLE.size:
            raise InputError(f"{path} is cut off; install freepats again")
        fields = _SAMPLE.unpack_from(content, place)
        start = place + _SAMPLE.size
        place = start + fields[2]
        if fields[2] > LONGEST or len(content) < place:
            raise InputError(f"{path} is cut off; install freepats again")
        found.append(_sample(fields, content[start:place]))
    return found


def _sample(fields, data):
    _, _, _, loop_start, loop_end, rate, low, high, root, *_, mode, _, _ = fields
    wide = 2 if mode & _WIDE else 1
    kind = {(2, 0): "<i2", (2, 2): "<u2", (1, 0): "i1", (1, 2): "u1"}[wide, mode & _UNSIGNED]
    samples = np.frombuffer(data[: len(data) // wide * wide], kind).astype("float32")
    half = 128.0**wide * (1 if wide == 1 else 2)
    samples = (samples - half if mode & _UNSIGNED else samples) / half
    if mode & _BACKWARDS:
        samples = samples[::-1]
    loop = (loop_start // wide, loop_end // wide)
    looped = mode & _LOOP and 0 <= loop[0] < loop[1] <= len(samples)
    return PatchSample(samples, max(rate, 1), low / 1000, high / 1000, root / 1000, loop if looped else None)


def play_patch(found, pitch, seconds):
    """A note: the sample whose range holds it, read faster or slower, its loop repeated.

    Args:
        found: of `read_patch`.
        pitch: MIDI number.
        seconds: longest.

    Returns:
        float32 (n,) at 16 kHz.
    """
    frequency = 440 * 2 ** ((pitch - 69) / 12)
    inside = [each for each in found if each.low <= frequency <= each.high]
    sample = min(inside or found, key=lambda each: abs(np.log(frequency / max(each.root, 1e-3))))
    step = sample.rate / RATE * frequency / max(sample.root, 1e-3)
    places = step * np.arange(round(seconds * RATE))
    if sample.loop is None:
        places = places[places < len(sample.samples) - 1]
    else:
        start, end = sample.loop
        places = np.where(places < end, places, start + (places - start) % (end - start))
    return np.interp(places, np.arange(len(sample.samples)), sample.samples).astype("float32")
