"""Sounds as text that a page can carry: Ogg Vorbis in a data URI, the same bytes on every run."""

import base64
import io
import struct
from functools import cache

import numpy as np

from tsdsae_keras.errors import InputError

SERIAL = 1
_BLOCK = 4096  # samples; the Vorbis encoder lays each block on the stack, and a long one ends the process
_POLYNOMIAL = 0x04C11DB7
_HEAD = 27  # bytes of an Ogg page before its table of segments
_SERIAL_AT, _SUM_AT, _SEGMENTS_AT = 14, 22, 26


def sound_uri(samples, sample_rate, name="a sound"):
    """Mono samples as ``data:audio/ogg;base64,...``, which every current browser plays.

    Vorbis takes any sample rate and, measured at 16 kHz on rendered melodies, comes nearer to the samples than
    Opus as libsndfile writes it (signal to noise 24 dB against 17), in 5.5 kilobytes a second against 4. What is
    heard is therefore near the samples, not equal to them. A sound whose peak exceeds 1 is scaled to a peak of 1,
    so that nothing is clipped; a quieter one keeps its level.

    Args:
        samples: (n,) floats.
        sample_rate: samples a second.
        name: what an error calls the sound.

    Raises:
        InputError: the samples are not one channel, are none, or are not finite; or the rate is not positive.
    """
    ogg = vorbis_bytes(check_samples(samples, sample_rate, name), int(sample_rate))
    return "data:audio/ogg;base64," + base64.b64encode(ogg).decode("ascii")


def vorbis_bytes(samples, sample_rate):
    """Checked samples (n,) as the bytes of an Ogg Vorbis file."""
    import soundfile

    file = io.BytesIO()
    with soundfile.SoundFile(file, "w", sample_rate, 1, format="OGG", subtype="VORBIS") as sound:
        for start in range(0, len(samples), _BLOCK):
            sound.write(samples[start : start + _BLOCK])
    return with_serial(file.getvalue(), SERIAL)


def with_serial(ogg, serial):
    """An Ogg file with the given number in place of the stream's random serial number, checksums renewed.

    Source: RFC 3533, section 6. The checksum is a CRC-32 of polynomial 0x04c11db7, neither reflected nor inverted.
    """
    pages, start = [], 0
    while start < len(ogg):
        end = start + _page_length(ogg, start)
        page = bytearray(ogg[start:end])
        struct.pack_into("<I", page, _SERIAL_AT, serial)
        struct.pack_into("<I", page, _SUM_AT, 0)
        struct.pack_into("<I", page, _SUM_AT, checksum(page))
        pages.append(bytes(page))
        start = end
    return b"".join(pages)


def checksum(page):
    """The checksum of an Ogg page whose own field holds zero."""
    table, value = _table(), 0
    for byte in page:
        value = (value << 8 & 0xFFFFFFFF) ^ table[value >> 24 ^ byte]
    return value


def check_samples(samples, sample_rate, name):
    """Samples (n,) as float32 whose peak is 1 at most; InputError where they are not a sound."""
    samples = np.asarray(samples, dtype="float32")
    if samples.ndim != 1 or not samples.size:
        raise InputError(f"{name} has samples of shape {samples.shape}; give one channel, shape (n,)")
    if not np.isfinite(samples).all():
        raise InputError(f"{name} holds samples that are nan or infinite; give finite ones")
    if not sample_rate > 0:
        raise InputError(f"{name} has a sample rate of {sample_rate!r}; give samples a second, such as 16000")
    return samples / max(1.0, float(np.abs(samples).max()))


def _page_length(ogg, start):
    table = start + _HEAD
    segments = ogg[start + _SEGMENTS_AT]
    return _HEAD + segments + sum(ogg[table : table + segments])


@cache
def _table():
    return tuple(_remainder(byte << 24) for byte in range(256))


def _remainder(value):
    for _ in range(8):
        value = (value << 1 & 0xFFFFFFFF) ^ (_POLYNOMIAL if value & 0x80000000 else 0)
    return value
