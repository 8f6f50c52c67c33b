"""Sound files in and out: laws of resampling and level, and files that are not sound."""

import tracemalloc

import numpy as np
import pytest
import soundfile

from tests.sounds import read_audio
from tsdsae_keras.data.audio.sound_files import audio_blocks, survey, write_audio
from tsdsae_keras.errors import InputError

pytestmark = pytest.mark.no_backend

RATE = 16000
NOISE = np.random.default_rng(0).normal(0, 0.1, (70_000, 2)).astype(np.float32)


def tone(rate, seconds, frequency=1000):
    return 0.5 * np.sin(2 * np.pi * frequency * np.arange(int(rate * seconds)) / rate)


def wav_bytes(declared, body, rate=RATE, channels=1):
    fields = [b"RIFF", 2**32 - 1, b"WAVEfmt ", 16, channels << 16 | 1, rate, rate * 2 * channels]
    fields += [16 << 16 | 2 * channels, b"data", declared]
    return b"".join(field if isinstance(field, bytes) else field.to_bytes(4, "little") for field in fields) + body


def flac_bytes(path, declared):
    """A good file whose header is made to declare other than its samples."""
    soundfile.write(path, NOISE[:, 0], RATE, format="FLAC")
    content = bytearray(path.read_bytes())
    counts = int.from_bytes(content[18:26], "big") >> 36 << 36 | declared
    content[18:26] = counts.to_bytes(8, "big")
    return bytes(content)


@pytest.mark.parametrize("rate", (44100, 96000, 8000, RATE))
def test_blocks_are_resampled_as_the_whole(tmp_path, rate):
    import librosa

    soundfile.write(tmp_path / "a.flac", NOISE, rate, subtype="PCM_24")
    stored = soundfile.read(tmp_path / "a.flac", dtype="float32")[0].mean(axis=1)
    expected = librosa.resample(stored, orig_sr=rate, target_sr=RATE, res_type="soxr_hq")
    found = read_audio(tmp_path / "a.flac", RATE)
    assert found.dtype == np.float32 and found.shape == expected.shape == (-(-70_000 * RATE // rate),)
    np.testing.assert_allclose(found[:-1], expected[:-1], atol=1e-6)  # the last may be lost in rounding
    assert max(map(len, audio_blocks(tmp_path / "a.flac", RATE))) <= 2**16 * RATE // rate + 1000


def test_a_tone_keeps_its_pitch_level_and_time_and_what_is_too_high_vanishes(tmp_path):
    soundfile.write(tmp_path / "a.wav", np.stack([tone(96000, 1), tone(96000, 1)], axis=1), 96000, subtype="FLOAT")
    np.testing.assert_allclose(read_audio(tmp_path / "a.wav", RATE)[500:-500], tone(RATE, 1)[500:-500], atol=1e-4)
    soundfile.write(tmp_path / "b.wav", tone(96000, 1, frequency=15000), 96000, subtype="FLOAT")
    assert np.abs(read_audio(tmp_path / "b.wav", RATE)[500:-500]).max() < 1e-4


def test_silence_is_read_and_known(tmp_path):
    soundfile.write(tmp_path / "a.wav", np.zeros(1000), 8000)
    soundfile.write(tmp_path / "b.wav", np.full(1000, 0.01), RATE)
    assert survey(tmp_path / "a.wav", RATE) == (2000, 0.0) and survey(tmp_path / "a.wav", RATE).silent
    assert not survey(tmp_path / "b.wav", RATE).silent


@pytest.mark.parametrize(("suffix", "error"), ((".wav", 1e-4), (".flac", 1e-4), (".ogg", 0.1)))
def test_what_is_written_is_read(tmp_path, suffix, error):
    path = tmp_path / f"a{suffix}"
    assert write_audio(path, iter(np.split(tone(RATE, 1), 4)), RATE) == 1
    np.testing.assert_allclose(read_audio(path, RATE)[: RATE - 100], tone(RATE, 1)[:-100], atol=error)
    assert [each.name for each in tmp_path.iterdir()] == [path.name]


def test_what_is_too_loud_is_scaled_not_clipped(tmp_path):
    factor = write_audio(tmp_path / "a.wav", 8 * tone(RATE, 1), RATE)
    assert factor == pytest.approx(0.99 / 4)
    np.testing.assert_allclose(read_audio(tmp_path / "a.wav", RATE), 1.98 * tone(RATE, 1), atol=1e-4)


def test_a_failure_in_writing_leaves_the_old_file(tmp_path):
    path = tmp_path / "a.wav"
    write_audio(path, tone(RATE, 1), RATE)
    before = path.read_bytes()
    for samples in (iter([tone(RATE, 1), np.array([np.nan])]), np.zeros(0), np.zeros((9, 2))):
        with pytest.raises(InputError):
            write_audio(path, samples, RATE)
    for other in ("a.mp3", "nowhere/a.wav"):
        with pytest.raises(InputError, match=other.split(".")[0].split("/")[0]):
            write_audio(tmp_path / other, tone(RATE, 1), RATE)
    assert path.read_bytes() == before and [each.name for each in tmp_path.iterdir()] == ["a.wav"]


def test_refusals_are_one_line_and_name_the_file(tmp_path):
    bad = {
        "text.wav": (b"not a sound", "not a sound file"),
        "empty.wav": (b"", "is empty"),
        "bare.raw": (b"ab" * 99, "not a sound file"),
        "none.wav": (wav_bytes(0, b""), "no samples"),
        "slow.wav": (wav_bytes(200, b"ab" * 100, rate=5), "5 samples a second"),
        "long.flac": (flac_bytes(tmp_path / "x", 2**36 - 1), "declares 1.19e+03 hours"),
        "unknown.flac": (flac_bytes(tmp_path / "x", 0), "does not say how long"),
        "half.flac": (flac_bytes(tmp_path / "x", 70_000)[:50_000], "is damaged after"),
    }
    for name, values in {"nan.wav": [0, np.nan], "inf.wav": [0, -np.inf], "wild.wav": [0, 1e30]}.items():
        soundfile.write(tmp_path / "x", np.repeat(values, 500), RATE, subtype="FLOAT", format="WAV")
        bad[name] = ((tmp_path / "x").read_bytes(), "1e+30" if name == "wild.wav" else "NaN or infinity")
    for name, (content, text) in bad.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(InputError) as caught:
            read_audio(tmp_path / name, RATE)
        assert text in str(caught.value) and name in str(caught.value) and "\n" not in str(caught.value)
    for path in (tmp_path / "missing.wav", tmp_path):
        with pytest.raises(InputError, match="is not a file"):
            read_audio(path, RATE)


def test_a_long_file_is_refused_in_one_piece_and_streamed(tmp_path):
    soundfile.write(tmp_path / "a.flac", np.zeros(20_000), 1000)
    with pytest.raises(InputError, match=r"declares 0\.00556 hours; at most 0\.00278"):
        read_audio(tmp_path / "a.flac", 1000, longest=10)
    assert sum(map(len, audio_blocks(tmp_path / "a.flac", 1000))) == 20_000


def test_declared_sizes_take_no_memory(tmp_path):
    (tmp_path / "a.wav").write_bytes(wav_bytes(2**32 - 1, b"ab" * 50))
    (tmp_path / "b.wav").write_bytes(wav_bytes(2**32 - 1, b"ab" * 1024, channels=1024))
    (tmp_path / "c.flac").write_bytes(flac_bytes(tmp_path / "x", 11 * 3600 * RATE))
    tracemalloc.start()
    assert len(read_audio(tmp_path / "a.wav", RATE)) == 50
    assert len(read_audio(tmp_path / "b.wav", RATE)) == 1
    with pytest.raises(InputError, match="is damaged after"):
        read_audio(tmp_path / "c.flac", RATE, longest=12 * 3600)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2**23


@pytest.mark.parametrize("format", ("wav", "flac", "ogg", "aiff", None))
def test_damaged_files_are_read_or_refused(tmp_path, format):
    rng, path = np.random.default_rng(7), tmp_path / f"a.{format or 'wav'}"
    if format:
        soundfile.write(path, NOISE[:3000], 22050)
    good = np.frombuffer(path.read_bytes() if format else rng.bytes(3000), np.uint8)
    refused = 0
    for trial in range(60):
        bad = good[: rng.integers(len(good) // 4, len(good))].copy() if trial % 2 else good.copy()
        near = 200 if trial % 3 else len(bad)  # most faults of the header show
        at = rng.integers(0, near, rng.integers(1, 12))
        bad[at] = rng.integers(0, 256, len(at))
        path.write_bytes(bad.tobytes())
        try:
            samples = read_audio(path, RATE)
            assert np.isfinite(samples).all() and 0 < len(samples) < 2**22
        except InputError as error:
            assert "\n" not in str(error)
            refused += 1
    assert refused > 5
