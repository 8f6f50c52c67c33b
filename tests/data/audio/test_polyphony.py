"""Several notes at once are told from one note with vibrato, from notes that follow each other, and from noise."""

import numpy as np
import pytest

from tsdsae_keras.data.audio.polyphony import (
    DOUBTED,
    REFUSED,
    check_single_voice,
    partials,
    polyphonic_share,
    strongest_fundamental,
)
from tsdsae_keras.data.audio.synthesis import NotInstalled, find_font, open_synth
from tsdsae_keras.errors import InputError

pytestmark = pytest.mark.no_backend

RATE = 16000
CHORDS = {"major": (0, 4, 7), "minor": (0, 3, 7), "seventh": (0, 4, 7, 10), "third": (0, 4), "fourth": (0, 5)}


def tone(pitch, seconds=1.0, cents=0.0, roll_off=1.0):
    """Harmonics of a pitch, with a vibrato of so many cents either way."""
    time = np.arange(round(RATE * seconds)) / RATE
    hz = 440 * 2 ** ((pitch - 69 + cents / 100 * np.sin(2 * np.pi * 5.5 * time)) / 12)
    phase = 2 * np.pi * np.cumsum(hz) / RATE
    return 0.1 * sum(np.sin(n * phase) / n**roll_off for n in range(1, 9))


@pytest.mark.parametrize("pitch", [40, 52, 60.37, 67, 79])
@pytest.mark.parametrize("roll_off", [0.5, 1.0, 2.0])
def test_one_note_is_not_a_chord(pitch, roll_off):
    for cents in (0, 30, 50):  # 50 either way is a strong vibrato
        assert polyphonic_share(tone(pitch, cents=cents, roll_off=roll_off)) <= (DOUBTED / 2 if cents == 50 else 0)


@pytest.mark.parametrize("chord", CHORDS)
@pytest.mark.parametrize("pitch", [55, 62.3, 70])
def test_chords_are_heard(chord, pitch):
    sound = sum(tone(pitch + step, cents=10) for step in CHORDS[chord])
    assert polyphonic_share(sound) > 0.9


def test_notes_that_follow_each_other_are_one_voice():
    """Also where a tail of each note lies under the next."""
    notes = [tone(60 + step, 0.2) for step in (0, 4, 7, 12, 7, 4)]
    melody = np.concatenate(notes)
    tail = np.zeros_like(melody)
    tail[3200:] = 0.1 * melody[:-3200]
    assert polyphonic_share(melody) == 0
    assert polyphonic_share(melody + tail) < DOUBTED


def test_what_has_no_pitch_says_nothing():
    rng = np.random.default_rng(0)
    for sound in (rng.normal(size=RATE), np.zeros(RATE), np.zeros(0), np.zeros(10)):
        assert polyphonic_share(sound) == 0


def test_a_missing_fundamental_is_found_and_that_of_a_chord_is_not():
    time = np.arange(4096) / RATE
    bassoon = sum(np.sin(2 * np.pi * 110 * n * time) for n in (2, 3, 4, 5))
    assert strongest_fundamental(*partials(bassoon)) == pytest.approx(110, rel=0.01)
    major = sum(np.sin(2 * np.pi * 65.4 * n * time) for n in (4, 5, 6, 8, 10, 12))
    assert strongest_fundamental(*partials(major)) > 100  # and not the 65.4 Hz that explain all


def test_a_chord_is_refused_and_half_of_one_warned_of(caplog):
    chord, note = tone(60) + tone(64), tone(60)
    with pytest.raises(InputError, match=r"song\.wav is polyphonic: .* give a recording of a single voice") as caught:
        check_single_voice(chord, "song.wav")
    assert "\n" not in str(caught.value)
    half = np.concatenate([note, chord])
    assert DOUBTED < polyphonic_share(half) < REFUSED
    check_single_voice(half, "song.wav")
    assert "may be polyphonic" in caplog.text
    caplog.clear()
    check_single_voice(note, "song.wav")
    assert not caplog.text


@pytest.mark.parametrize("program", [0, 21, 40, 56, 71])
def test_instruments_of_a_soundfont(program):
    """Piano, accordion, violin, trumpet, clarinet, with reverberation and chorus."""
    try:
        find_font()
        synth = open_synth("fluidsynth", (program,))
    except NotInstalled:
        pytest.skip("no FluidSynth")
    with synth:
        melody = synth.render([(0.3 * i, 0.3, 60 + step) for i, step in enumerate((0, 2, 4, 5, 7))], program, 1.6)
        assert polyphonic_share(melody) < DOUBTED
        shares = []
        for chord in ("major", "minor"):
            sound = synth.render([(0.0, 1.2, 64 + step) for step in CHORDS[chord]], program, 1.2)
            shares.append(polyphonic_share(sound))
        # The tremolo of an accordion hides one of them.
        assert max(shares) > DOUBTED and (max(shares) > REFUSED or program == 21)
