"""Laws of cutting, of mel power by parts and of loudness; invalid settings."""

import numpy as np
import pyloudnorm
import pytest

from tsdsae_keras.data.audio.leveling import Meter, gain, k_weighting, levels, loudness
from tsdsae_keras.data.sets.recordings.segments import SoundSettings, cut
from tsdsae_keras.errors import InputError

pytestmark = pytest.mark.no_backend

RATE = 8000


def test_segments_cover_what_is_there_once_whatever_the_blocks():
    samples = np.arange(103, dtype=np.float32)
    for cuts in ([], [1, 2, 50], [99], list(range(1, 103))):
        found = list(cut(np.split(samples, cuts), 10, 10))
        assert np.array_equal(np.concatenate([part for _, part in found]), samples)
        assert [start for start, _ in found] == list(range(0, 101, 10))
    overlapping = list(cut(iter([samples[:21]]), 10, 4))
    assert [(start, len(part)) for start, part in overlapping] == [(0, 10), (4, 10), (8, 10), (18, 3)]
    assert [(s, len(part)) for s, part in cut(iter([samples[:40]]), 10, 15)] == [(0, 10), (15, 10), (30, 10)]


def test_loudness_is_that_of_the_standard():
    # ITU-R BS.1770-4, tables 1 and 2, 48 kHz.
    (b, a), (_, high_pass) = k_weighting(48000)
    np.testing.assert_allclose(b, [1.53512485958697, -2.69169618940638, 1.19839281085285], rtol=1e-9)
    np.testing.assert_allclose(a, [1, -1.69065929318241, 0.73248077421585], rtol=1e-9)
    np.testing.assert_allclose(high_pass, [1, -1.99004745483398, 0.99007225036621], rtol=1e-9)
    time = np.arange(48000 * 5) / 48000
    sine = np.sin(2 * np.pi * 997 * time).astype(np.float32)
    powers = measure_powers(sine, 48000)
    assert loudness([powers]) == pytest.approx(-3.01, abs=0.02) and levels(sine[None])[0] == pytest.approx(
        -3.01, abs=0.01
    )
    quiet = measure_powers(0.001 * sine, 48000)
    assert loudness([powers, quiet]) == pytest.approx(-3.01, abs=0.1)  # the quiet part is gated
    assert 20 * np.log10(gain("loudness", [1.0], [powers])) == pytest.approx(-23 + 3.01, abs=0.02)
    assert gain("peak", [0.1, 0.5], [[], []]) == 2 and gain("none", [0.1], [[]]) == 1
    assert loudness([measure_powers(0 * sine, 48000)]) == -70 and levels(np.full((1, 9), 0.5))[0] == -np.inf


@pytest.mark.parametrize("rate", (16000, 44100))
def test_loudness_is_that_of_pyloudnorm(rate):
    """A tone, noise, and noise that pauses, so that both gates act; pyloudnorm hears each as a whole."""
    rng, time = np.random.default_rng(0), np.arange(4 * rate) / rate
    noise = rng.normal(0, 0.1, len(time))
    for samples in (0.3 * np.sin(2 * np.pi * 440 * time), noise, noise * np.where(time % 2 < 1, 1, 0.003)):
        wanted = pyloudnorm.Meter(rate, "DeMan").integrated_loudness(samples)
        assert loudness([measure_powers(samples.astype(np.float32), rate)]) == pytest.approx(wanted, abs=0.1)


def measure_powers(samples, rate):
    meter = Meter(rate)
    for block in np.array_split(samples, 7):
        meter.add(block)
    return meter.powers


@pytest.mark.parametrize(
    "options", ({"segment": 0.01}, {"segment": float("nan")}, {"hop": 0.0}, {"min_level": 3.0}, {"normalise": "x"})
)
def test_settings_that_cannot_be(options):
    with pytest.raises(InputError, match=next(iter(options))):
        SoundSettings(**options)
