"""Synthesised sounds of six kinds, for machines without recordings: enough to run and test, not to learn much from."""

import numpy as np

from tsdsae_keras.data.audio.clips import RATE, scale_peak

KINDS = ("hit", "noise", "pluck", "tone", "chirp", "vowel")


def synthesise(kind, rng):
    """A sound of 0.3 to 2 s.

    Args:
        kind: one of `KINDS`.
        rng: a NumPy generator, which decides pitch, length, spectrum and envelope.

    Returns:
        float32 (n,) at 16 kHz, peak 0.9.
    """
    time = np.arange(int(RATE * rng.uniform(0.3, 2.0))) / RATE
    sound = _MAKERS[kind](time, rng) * np.clip(time / rng.uniform(0.001, 0.02), 0, 1)
    return scale_peak(sound.astype("float32"))


def _hit(time, rng):
    """A falling sine and a burst of noise, like a drum."""
    low, fall = rng.uniform(50, 250), rng.uniform(1, 4)
    phase = 2 * np.pi * np.cumsum(low * (1 + fall * np.exp(-40 * time))) / RATE
    body = np.sin(phase) * np.exp(-rng.uniform(6, 25) * time)
    return body + rng.uniform(0, 1) * _noise(time, rng) * np.exp(-rng.uniform(20, 60) * time)


def _noise(time, rng):
    """Noise in a band of random place and width."""
    spectrum = np.fft.rfft(rng.normal(size=len(time)))
    frequency = np.fft.rfftfreq(len(time), 1 / RATE)
    centre, width = 2 ** rng.uniform(8, 12.5), rng.uniform(0.3, 2.0)  # Hz, octaves
    band = np.exp(-0.5 * np.square(np.log2(np.maximum(frequency, 1) / centre) / width))
    sound = np.fft.irfft(spectrum * band, len(time))
    return sound / np.abs(sound).max() * np.exp(-rng.uniform(0, 4) * time)


def _pluck(time, rng):
    """Harmonics, the higher the sooner gone."""
    return _harmonics(time, rng, decay=rng.uniform(1.5, 6), slope=rng.uniform(0.5, 2))


def _tone(time, rng):
    """Harmonics held, with vibrato."""
    return _harmonics(time, rng, decay=0.0, slope=rng.uniform(0.3, 2), vibrato=rng.uniform(0, 0.01))


def _chirp(time, rng):
    """A sine that glides from one pitch to another."""
    first, last = 2 ** rng.uniform(7, 12, 2)
    frequency = first * (last / first) ** (time / time[-1])
    return np.sin(2 * np.pi * np.cumsum(frequency) / RATE)


def _vowel(time, rng):
    """A train of harmonics shaped by three formants, some syllables long."""
    pitch = rng.uniform(80, 300) * (1 + 0.1 * np.sin(2 * np.pi * rng.uniform(0.5, 3) * time))
    formants = rng.uniform((250, 800, 2000), (800, 2200, 3500))
    phase, sound = 2 * np.pi * np.cumsum(pitch) / RATE, np.zeros(len(time))
    for number in range(1, 24):
        frequency = number * pitch.mean()
        sound += np.exp(-0.5 * np.square((formants - frequency) / 150)).sum() * np.sin(number * phase)
    return sound * (0.2 + np.square(np.sin(np.pi * rng.uniform(1, 5) * time)))


def _harmonics(time, rng, decay, slope, vibrato=0.0):
    pitch = 2 ** rng.uniform(6.5, 10) * (1 + vibrato * np.sin(2 * np.pi * 5.5 * time))
    phase, odd = 2 * np.pi * np.cumsum(pitch) / RATE, rng.uniform(0, 1)
    sound = np.zeros(len(time))
    for number in range(1, 16):
        if number * pitch.max() < 0.45 * RATE:
            level = number**-slope * (odd if number % 2 == 0 else 1)
            sound += level * np.sin(number * phase) * np.exp(-decay * number**0.7 * time)
    return sound


_MAKERS = {"hit": _hit, "noise": _noise, "pluck": _pluck, "tone": _tone, "chirp": _chirp, "vowel": _vowel}
