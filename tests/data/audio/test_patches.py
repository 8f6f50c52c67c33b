"""Gravis patches: a file of known samples, played at other pitches."""

import struct

import numpy as np
import pytest

from tsdsae_keras.data.audio.clips import RATE
from tsdsae_keras.data.audio.patches import play_patch, read_patch
from tsdsae_keras.errors import InputError

pytestmark = pytest.mark.no_backend


def patch(sounds, loop=False, unsigned=False, wide=True):
    """The bytes of a patch with one layer; every sound is (samples in -1 to 1, root in Hz, low, high)."""
    head = (
        b"GF1PATCH110\0ID#000002\0"
        + bytes(60)
        + bytes([1, 14, 0])
        + struct.pack("<HHI", len(sounds), 127, 0)
        + bytes(36)
    )
    instrument = struct.pack("<H16sIB40x", 0, b"test", 0, 1)
    layer = struct.pack("<BBIB40x", 0, 0, 0, len(sounds))
    content = head + instrument + layer
    for samples, root, low, high in sounds:
        whole = np.round(samples * (32767 if wide else 127)).astype(int) + unsigned * (32768 if wide else 128)
        data = whole.astype({(1, 0): "<i2", (1, 1): "<u2", (0, 0): "i1", (0, 1): "u1"}[wide, unsigned]).tobytes()
        mode = wide * 1 + unsigned * 2 + loop * 4
        frequencies = (round(1000 * each) for each in (low, high, root))
        ends = (len(data) // 4 * wide, len(data))
        about = struct.pack(
            "<7sBIIIHIIIhB12s6sBhH36x", b"wave", 0, len(data), *ends, RATE, *frequencies, 0, 7, b"", b"", mode, 60, 1024
        )
        content += about + data
    return content


def sine(frequency, seconds=0.5):
    return 0.8 * np.sin(2 * np.pi * frequency * np.arange(round(seconds * RATE)) / RATE)


def pitch_of(samples):
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples)), 1 << 16))
    return spectrum.argmax() * RATE / (1 << 16)


@pytest.mark.parametrize("wide", [True, False])
@pytest.mark.parametrize("unsigned", [True, False])
def test_samples_are_read_in_every_width(tmp_path, wide, unsigned):
    (tmp_path / "a.pat").write_bytes(patch([(sine(440), 440, 20, 20000)], wide=wide, unsigned=unsigned))
    (found,) = read_patch(tmp_path / "a.pat")
    np.testing.assert_allclose(found.samples, sine(440), atol=1.5 / (32767 if wide else 127))
    assert (found.rate, found.root, found.loop) == (RATE, 440.0, None)


def test_a_note_sounds_at_its_pitch_from_the_sample_of_its_range(tmp_path):
    sounds = [(sine(220), 220, 20, 300), (sine(880), 880, 300, 20000)]
    (tmp_path / "a.pat").write_bytes(patch(sounds))
    found = read_patch(tmp_path / "a.pat")
    for note, frequency, source in ((57, 220.0, 0), (60, 261.63, 0), (76, 659.26, 1), (84, 1046.5, 1)):
        played = play_patch(found, note, 1.0)
        assert pitch_of(played) == pytest.approx(frequency, rel=2e-3)
        assert len(played) == pytest.approx(0.5 * RATE * found[source].root / frequency, abs=3)


def test_a_loop_holds_a_note(tmp_path):
    (tmp_path / "a.pat").write_bytes(patch([(sine(400), 400, 20, 20000)], loop=True))
    played = play_patch(read_patch(tmp_path / "a.pat"), 69 + 12 * np.log2(400 / 440), 2.0)
    assert len(played) == 2 * RATE and np.abs(played[-1000:]).max() > 0.5


def test_other_files_are_refused(tmp_path):
    whole = patch([(sine(440), 440, 20, 20000)])
    for name, content in {"text.pat": b"no patch", "cut.pat": whole[:-100], "shorter.pat": whole[:250]}.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(InputError, match=r"patch|cut off"):
            read_patch(tmp_path / name)
