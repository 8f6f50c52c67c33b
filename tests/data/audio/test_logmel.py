import librosa
import numpy as np
import pytest

from tsdsae_keras.data.audio.logmel import FrontEnd
from tsdsae_keras.errors import InputError

pytestmark = pytest.mark.no_backend


@pytest.mark.parametrize(
    "settings", [{}, {"n_fft": 1024, "hop_length": 200, "n_mels": 40, "fmin": 50.0, "fmax": 7000.0}]
)
def test_equal_to_librosa(settings):
    front_end = FrontEnd(**settings)
    time = np.arange(64000) / 16000
    sound = np.sin(2 * np.pi * 330 * time) * np.exp(-time) + 0.01 * np.random.default_rng(0).normal(size=64000)
    sound = sound.astype(np.float32)
    power = librosa.feature.melspectrogram(
        y=sound, sr=16000, n_fft=front_end.n_fft, hop_length=front_end.hop_length, n_mels=front_end.n_mels,
        fmin=front_end.fmin, fmax=front_end.fmax, power=2, htk=True, norm=None,
        center=True, pad_mode="reflect", window="hann",
    ).T  # fmt: skip
    np.testing.assert_allclose(front_end.mel_power(sound), power, rtol=1e-6, atol=1e-9 * power.max())
    np.testing.assert_allclose(front_end.log_mel(sound), np.log(power + 2.2e-16), atol=3e-5)


def test_shape_and_silence():
    frames = FrontEnd().log_mel(np.zeros(64000))
    assert frames.shape == (251, 80) and frames.dtype == np.float32
    assert np.allclose(frames, np.log(2.2e-16), atol=1e-5)


@pytest.mark.parametrize("front_end", (FrontEnd(n_mels=64), FrontEnd(floor_db=70)))
def test_survives_its_dictionary(front_end):
    assert FrontEnd.from_dict(front_end.to_dict()) == front_end


def test_without_a_floor_data_and_models_are_described_as_before_there_was_one():
    assert "floor_db" not in FrontEnd().to_dict() and FrontEnd(floor_db=70).to_dict()["floor_db"] == 70


def fading_note():
    """A note that fades out by 200 dB, 16-bit dither at its beginning only, and half a second of digital silence."""
    time = np.arange(32000) / 16000
    note = 0.3 * np.sin(2 * np.pi * 330 * time) * 10 ** (-5 * time)
    note += np.random.default_rng(0).uniform(-1, 1, 32000) / 2**16 * (time < 0.5)
    return np.concatenate([note, np.zeros(8000)])


def test_the_floor_in_closed_form():
    sound, power = fading_note(), FrontEnd().mel_power(fading_note())
    frames = FrontEnd(floor_db=60).log_mel(sound)
    offset = 1e-6 * power.max()
    np.testing.assert_allclose(frames, np.log(power + offset), atol=1e-4)
    np.testing.assert_allclose(frames[-20:], np.log(offset), atol=1e-4)  # where there is no sound at all
    assert frames.dtype == np.float32 and frames.max() - frames.min() == pytest.approx(np.log(1e6), abs=1e-3)
    assert FrontEnd().log_mel(sound).min() == pytest.approx(np.log(2.2e-16), abs=1e-4)


@pytest.mark.parametrize("gain", (0.01, 3.0))
def test_with_a_floor_a_gain_moves_every_frame_by_one_constant(gain):
    front_end, sound = FrontEnd(floor_db=60), fading_note()
    np.testing.assert_allclose(front_end.log_mel(gain * sound) - front_end.log_mel(sound), 2 * np.log(gain), atol=2e-3)


def test_with_a_floor_digital_silence_is_the_published_constant():
    np.testing.assert_allclose(FrontEnd(floor_db=60).log_mel(np.zeros(16000)), np.log(2.2e-16), atol=1e-5)


def test_a_part_of_a_clip_has_the_floor_of_the_clip():
    front_end, power = FrontEnd(floor_db=60), FrontEnd().mel_power(fading_note())
    whole = front_end.to_log(power)
    quiet = slice(len(power) // 2, None)
    np.testing.assert_array_equal(front_end.for_clip(float(power.max())).to_log(power[quiet]), whole[quiet])
    np.testing.assert_array_equal(front_end.to_log(power[quiet], peak=power.max()), whole[quiet])


@pytest.mark.parametrize(
    ("call", "word"),
    [
        (lambda: FrontEnd().log_mel(np.zeros(1024)), "more than 1024"),
        (lambda: FrontEnd().log_mel(np.zeros((2, 64000))), "one channel"),
        (lambda: FrontEnd().log_mel(np.full(64000, np.nan)), "NaN"),
        (lambda: FrontEnd(hop_length=0), "hop_length is 0"),
        (lambda: FrontEnd(floor_db=-60), "floor_db is -60"),
        (lambda: FrontEnd(sample_rate=8000), "4000 Hz"),
        (lambda: FrontEnd.from_dict({"bands": 3}), "n_mels"),
    ],
)
def test_refusals(call, word):
    with pytest.raises(InputError, match=word):
        call()


@pytest.mark.parametrize("n_fft", (512, 301))
def test_mel_power_by_parts_is_that_of_the_whole(n_fft, monkeypatch):
    front_end = FrontEnd(8000, n_fft, 100, 20, 0.0, 4000.0)
    samples = np.random.default_rng(0).normal(0, 0.05, 3 * 8000).astype(np.float32)
    whole = front_end.mel_power(samples)
    for at_once in (1, 7, 64):
        monkeypatch.setattr("tsdsae_keras.data.audio.logmel._AT_ONCE", at_once)
        np.testing.assert_allclose(front_end.mel_power(samples), whole, rtol=1e-5, atol=1e-9)
