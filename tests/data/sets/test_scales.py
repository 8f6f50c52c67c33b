"""Scales: what is played, the published front end, and its inverse."""

from pathlib import Path

import numpy as np
import pytest

from tsdsae_keras.data.audio.note_spectra import NOTE, note_spectra, sound_of_notes, stft_frames
from tsdsae_keras.data.audio.synthesis import NotInstalled, find_font, open_synth
from tsdsae_keras.data.sets.cards.scales import ScaleSettings
from tsdsae_keras.data.sets.scales import MAJOR, ScaleRenderer, join_notes, open_scales, start_pitches
from tsdsae_keras.errors import InputError
from tsdsae_keras.metrics.pitch_code import interval_deviation, yin_pitch

pytestmark = pytest.mark.no_backend

REFERENCE = Path(__file__).parents[2] / "reference" / "sps" / "music_small.npz"
FLUID_R3 = Path("/usr/share/sounds/sf2/FluidR3_GM.sf2")


@pytest.fixture(params=["additive", "fluidsynth"])
def synth(request):
    try:
        if request.param == "fluidsynth":
            find_font()
        with open_synth(request.param, (21,)) as opened:
            yield opened
    except NotInstalled:
        pytest.skip("no FluidSynth")


def test_a_sine_has_the_magnitude_of_half_its_window():
    """A cosine on a bin of the STFT has 2 |FFT| = A sum(window) = 512 A there."""
    time = np.arange(4 * NOTE) / 16000
    frames = stft_frames(0.25 * np.cos(2 * np.pi * 40 * 16000 / 1024 * time))
    np.testing.assert_allclose(frames[4, 40], np.log2(0.25 * 512 + 1) / 12.5, rtol=1e-4)
    assert frames.shape == (1 + 4 * NOTE // 512, 513)


def test_a_scale_has_fifteen_notes_of_which_each_is_played_alone(synth):
    render = ScaleRenderer(synth)
    x = render(21, [60.3])
    assert x.shape == (1, 15, 513, 5)
    note = render.note(21, 67.3)
    assert len(note) == 2048 and note[-1] == 0
    np.testing.assert_allclose(x[0, 4], note_spectra(join_notes([note] * 2))[1], atol=0.05)  # but for its neighbours


def test_notes_have_their_fractional_pitches(synth):
    render = ScaleRenderer(synth)
    pitch = np.array([[60.0, 60.37, 64.25, 71.5]])
    found = yin_pitch(np.stack([render.note(21, each) for each in pitch[0]]))
    np.testing.assert_allclose(found, pitch[0], atol=0.2)


@pytest.mark.skipif(not FLUID_R3.is_file(), reason="needs FluidR3_GM")
def test_spectra_are_near_the_published_data():
    """Same programme, font and pitches; phases of the chorus differ, so single bins do too."""
    with np.load(REFERENCE) as stored:
        x, starts = np.float32(stored["x"][:, :, 0]), stored["start_pitch"]
    with open_synth("fluidsynth", (21,), str(FLUID_R3)) as opened:
        found = ScaleRenderer(opened)(21, starts)[:, : x.shape[1]]
    assert np.abs(found - x).mean() < 0.15 * x.mean()
    assert np.corrcoef(found.ravel(), x.ravel())[0, 1] > 0.98


def test_sound_comes_back_in_tune(synth):
    x = ScaleRenderer(synth)(21, [62.4])[0]
    for power in (1.0, 2.0):
        sound = sound_of_notes(x, power)
        assert sound.shape == (512 * 74,)
        found = yin_pitch(np.stack([sound_of_notes(note[None], power) for note in x]))
        kept = interval_deviation(found[None], MAJOR)
        assert kept["cents"] < 40, (power, kept)


def test_data_are_equal_for_equal_settings():
    settings = ScaleSettings(scales=3, test_scales=2, synth="additive")
    data = open_scales(settings)
    assert data.identity == open_scales(settings).identity
    assert data.x["train"].shape == (3, 15, 513, 5) and data.x["test"].shape == (2, 15, 513, 5)
    starts = {split: data.labels[split][:, 0, 0] for split in data.x}
    assert not set(starts["train"] % 1) & set(starts["test"] % 1)
    whole = open_scales(ScaleSettings(scales=3, test_scales=2, synth="additive", fractional=False))
    assert (whole.labels["train"] % 1 == 0).all() and whole.identity != data.identity
    assert "additive" in data.warning


def test_training_scales_may_begin_lower():
    settings = ScaleSettings(margin=3.0, lowest=60, highest=70)
    train, test = (start_pitches(settings, split) for split in ("train", "test"))
    assert 57 <= train.min() < 58 and train.max() <= 70
    assert test.min() >= 60 and test.max() <= 70


def test_unusable_sound_is_refused():
    with pytest.raises(InputError, match="silent"):
        note_spectra(np.zeros(8000))
    with pytest.raises(InputError, match="one channel"):
        note_spectra(np.zeros(500))
    with pytest.raises(InputError, match="above --lowest"):
        open_scales(ScaleSettings(lowest=70, highest=60))
