"""Sounds as text that a page can carry: Ogg Vorbis in a data URI."""

import base64
import io

import numpy as np

from tsdsae_keras.errors import InputError

_BLOCK = 4096  # samples; the Vorbis encoder lays each block on the stack, and a long one ends the process


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
    ogg = vorbis_bytes(checked_samples(samples, sample_rate, name), int(sample_rate))
    return "data:audio/ogg;base64," + base64.b64encode(ogg).decode("ascii")


def vorbis_bytes(samples, sample_rate):
    """Checked samples (n,) as the bytes of an Ogg Vorbis file."""
    import soundfile

    file = io.BytesIO()
    with soundfile.SoundFile(file, "w", sample_rate, 1, format="OGG", subtype="VORBIS") as sound:
        for start in range(0, len(samples), _BLOCK):
            sound.write(samples[start : start + _BLOCK])
    return file.getvalue()


def checked_samples(samples, sample_rate, name):
    """Samples (n,) as float32 whose peak is 1 at most; InputError where they are no sound."""
    samples = np.asarray(samples, dtype="float32")
    if samples.ndim != 1 or not samples.size:
        raise InputError(f"{name} has samples of shape {samples.shape}; give one channel, shape (n,)")
    if not np.isfinite(samples).all():
        raise InputError(f"{name} holds samples that are nan or infinite; give finite ones")
    if not sample_rate > 0:
        raise InputError(f"{name} has a sample rate of {sample_rate!r}; give samples a second, such as 16000")
    return samples / max(1.0, float(np.abs(samples).max()))
