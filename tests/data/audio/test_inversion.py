import numpy as np
import pytest

from tsdsae_keras.data.audio.inversion import sound_of
from tsdsae_keras.data.audio.logmel import FrontEnd
from tsdsae_keras.errors import InputError

pytestmark = pytest.mark.no_backend

FRONT_END = FrontEnd()


def test_an_inverted_tone_keeps_its_pitch_and_its_frames():
    time = np.arange(32000) / 16000
    tone = sum(np.sin(2 * np.pi * 440 * n * time) / n for n in range(1, 6)).astype(np.float32)
    frames = FRONT_END.log_mel(tone)
    sound = sound_of(frames, FRONT_END)
    assert sound.dtype == np.float32 and len(sound) == 32000
    peak = np.abs(np.fft.rfft(sound * np.hanning(len(sound)))).argmax() / 2
    assert abs(12 * np.log2(peak / 440)) < 0.5
    loud = frames > frames.max() - 8
    assert np.abs(FRONT_END.log_mel(sound) - frames)[loud].mean() < 0.5
    assert np.array_equal(sound, sound_of(frames, FRONT_END))


def test_silence_stays_silent_and_wild_frames_stay_finite():
    silence = FRONT_END.log_mel(np.zeros(32000))
    assert not sound_of(silence, FRONT_END).any()
    assert np.isfinite(sound_of(30 * np.random.default_rng(0).normal(size=(40, 80)), FRONT_END)).all()


def test_a_floor_is_not_heard():
    """A tone, then digital silence: the floor, 60 dB below the tone in all 80 bands, would be noise at -41 dB."""
    front_end, tone = FrontEnd(floor_db=60), 0.3 * np.sin(2 * np.pi * 440 * np.arange(32000) / 16000)
    frames = front_end.log_mel(np.concatenate([tone, np.zeros(32000)]))
    sound = sound_of(frames, front_end)
    assert np.abs(sound[:30000]).max() > 0.1
    assert np.abs(sound[36000:]).max() < 1e-3 * np.abs(sound).max()
    quiet = frames[150:]  # a window of silence within a clip whose floor is known
    assert not sound_of(quiet, front_end.for_clip(front_end.mel_power(tone).max())).any()


@pytest.mark.parametrize("frames", [np.zeros((251, 64)), np.zeros((3, 80)), np.full((251, 80), np.nan)])
def test_refusals(frames):
    with pytest.raises(InputError):
        sound_of(frames, FRONT_END)
