import subprocess
import sys

import numpy as np
import pytest
from joblib import Parallel, delayed

from tsdsae_keras.data.audio import fluid_library, soundfonts
from tsdsae_keras.data.audio.additive import AdditiveSynth
from tsdsae_keras.data.audio.logmel import FrontEnd
from tsdsae_keras.data.audio.synthesis import open_synth
from tsdsae_keras.data.sets import melodies as grid
from tsdsae_keras.errors import InputError

pytestmark = pytest.mark.no_backend

SLOTS = grid.notes_of(grid.paper_subset()[[0, 2500, 7055]])
NOTES = [grid.timed_notes(slots) for slots in SLOTS]

IN_A_NEW_PROCESS = """
import sys
{first}
import numpy as np
from tsdsae_keras.data.sets import melodies as grid
from tsdsae_keras.data.audio.synthesis import open_synth
notes = grid.notes_of(grid.paper_subset()[[0, 2500, 7055]])
with open_synth({kind!r}) as synth:
    np.save(sys.argv[1], synth.render(grid.timed_notes(notes[2]), 56, 4))
"""


def test_a_clip_is_four_seconds_with_peak_one(synth):
    sound = synth.render(NOTES[0], 40, 4)
    assert sound.shape == (64000,) and sound.dtype == np.float32
    assert np.max(np.abs(sound)) == 1
    assert not synth.render([], 40, 4).any()


def test_rendering_is_bit_equal_in_any_order_and_thread(synth):
    jobs = [(row, program, 4) for row in NOTES for program in (40, 56)]
    alone = [synth.render(*job) for job in jobs]
    back = [synth.render(*job) for job in reversed(jobs)][::-1]
    threads = Parallel(n_jobs=3, prefer="threads")(delayed(synth.render)(*job) for job in jobs * 3)
    for i, sound in enumerate(threads + back):
        assert np.array_equal(sound, alone[i % len(jobs)])


@pytest.mark.parametrize("first", ["", "import soundfile", "import librosa, tensorflow"])
def test_rendering_is_bit_equal_in_a_new_process(synth, first, tmp_path):
    script = IN_A_NEW_PROCESS.format(kind=synth.kind, first=first)
    command = [sys.executable, "-c", script, str(tmp_path / "sound.npy")]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    there, here = np.load(tmp_path / "sound.npy"), synth.render(NOTES[2], 56, 4)
    assert np.array_equal(there, here), f"{np.sum(there != here)} samples differ, by up to {np.ptp(there - here):.2g}"
    assert first or not result.stderr


def test_every_slot_has_its_pitch(synth):
    for program in (40, 56):
        sound = synth.render(NOTES[1], program, 4).reshape(16, 4000)
        for slot in np.flatnonzero(SLOTS[1]):
            assert abs(pitch_of(sound[slot, 1200:3900]) - SLOTS[1][slot]) < 0.2


def pitch_of(samples, sample_rate=16000):
    """The MIDI note whose first six harmonics hold most: a comb over the magnitude spectrum."""
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples)), 1 << 16))
    candidates = np.arange(55, 80, 0.05)
    partials = np.outer(440 * 2 ** ((candidates - 69) / 12), np.arange(1, 7)) * (1 << 16) / sample_rate
    return candidates[np.sqrt(spectrum[np.round(partials).astype(int)]).sum(axis=1).argmax()]


def test_the_two_default_timbres_differ(synth):
    violin, trumpet = (FrontEnd().log_mel(synth.render(NOTES[0], program, 4)).mean(axis=0) for program in (40, 56))
    assert np.abs(violin - trumpet).mean() > 0.5


def test_additive_refuses_two_programs_of_one_timbre():
    with pytest.raises(InputError, match="violin and cello"):
        AdditiveSynth((40, 42))


def test_a_note_sounds_where_it_is_put_and_notes_may_overlap(synth):
    """A rhythm that is not that of any data set: a chord of two notes from 0.3 s, one of which lasts until 0.9 s."""
    low, high = (0.3, 0.2, 60), (0.3, 0.6, 67)
    sound, alone = (synth.render(notes, 56, 1.0) for notes in ([low, high], [high]))
    assert sound.shape == (16000,) and np.abs(sound[:4800]).max() < 1e-3
    assert abs(pitch_of(alone[5500:12000]) - 67) < 0.2
    assert not np.array_equal(sound[4800:8000], alone[4800:8000])


@pytest.mark.parametrize("pitch", [66.5, 70.2])
def test_pitches_between_semitones(synth, pitch):
    sound = synth.render([(0.0, 0.5, pitch)], 56, 0.5)
    assert abs(pitch_of(sound[1200:7000]) - pitch) < 0.1


def test_notes_that_one_pitch_wheel_cannot_bend_are_refused(synth):
    notes = [(0.0, 0.2, 60.25), (0.2, 0.2, 64.25)]
    assert synth.render(notes, 56, 0.5).any()
    if synth.kind == "fluidsynth":
        with pytest.raises(InputError, match="one by one"):
            synth.render([(0.0, 0.2, 60), (0.2, 0.2, 64.25)], 56, 0.5)


def test_the_level_follows_the_velocity(synth):
    soft, loud = (synth.render([(0.0, 0.4, 60)], 56, 0.5, velocity=v, level=True) for v in (40, 110))
    assert 0 < np.abs(soft).max() < 0.7 * np.abs(loud).max() < 0.7


@pytest.mark.parametrize(
    ("notes", "program", "word"),
    [
        ([(0, 1)], 40, "is not a note"),
        ([(0, 1, 128)], 40, "1 to 127"),
        ([(float("nan"), 1, 60)], 40, "finite times"),
        ([(3.5, 1, 60)], 40, "not within the 4 s"),
        ([(0, 1, 60)], 41, "40, 56"),
    ],
)
def test_refusals_of_render(synth, notes, program, word):
    with pytest.raises(InputError, match=word):
        synth.render(notes, program, 4)


def test_auto_falls_back_in_one_line_and_fluidsynth_does_not(monkeypatch, caplog):
    monkeypatch.setattr(soundfonts, "FONT_PLACES", ())
    monkeypatch.delenv(soundfonts.FONT_VARIABLE, raising=False)
    assert isinstance(open_synth("auto"), AdditiveSynth)
    assert len(caplog.messages) == 1 and fluid_library.INSTALL in caplog.messages[0]
    with pytest.raises(InputError, match="apt-get install"):
        open_synth("fluidsynth")


def test_auto_falls_back_where_the_library_is_missing(monkeypatch, caplog):
    monkeypatch.setitem(sys.modules, "fluidsynth", None)
    assert isinstance(open_synth("auto"), AdditiveSynth)
    assert len(caplog.messages) == 1


@pytest.mark.parametrize("kind", ["auto", "fluidsynth", "additive"])
def test_a_named_font_is_never_passed_over(tmp_path, kind):
    with pytest.raises(InputError, match="does not exist"):
        open_synth(kind, soundfont=str(tmp_path / "none.sf3"))
    (tmp_path / "text.sf3").write_text("no font")
    with pytest.raises(InputError, match="not a SoundFont"):
        open_synth(kind, soundfont=str(tmp_path / "text.sf3"))


def test_a_font_with_only_the_right_head_is_refused(tmp_path, synth):
    if synth.kind == "additive":
        return
    path = tmp_path / "hollow.sf3"
    path.write_bytes(b"RIFF\x04\x00\x00\x00sfbk")
    with open_synth("fluidsynth", soundfont=str(path)) as opened, pytest.raises(InputError, match="cannot load"):
        opened.load()
