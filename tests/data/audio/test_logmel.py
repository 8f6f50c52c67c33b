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


def test_survives_its_dictionary():
    front_end = FrontEnd(n_mels=64)
    assert FrontEnd.from_dict(front_end.to_dict()) == front_end


@pytest.mark.parametrize(
    ("call", "word"),
    [
        (lambda: FrontEnd().log_mel(np.zeros(1024)), "more than 1024"),
        (lambda: FrontEnd().log_mel(np.zeros((2, 64000))), "one channel"),
        (lambda: FrontEnd().log_mel(np.full(64000, np.nan)), "NaN"),
        (lambda: FrontEnd(hop_length=0), "hop_length is 0"),
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
