"""Tasks of rendered notes, split by where the samples come from: FluidR3, TimGM6mb and FreePats share none to speak of.

Fonts under other names may hold the same samples (sf_GMbank those of TimGM6mb, MuseScore General those of FluidR3), so
a split by file name would leak.
"""

import functools
from pathlib import Path

import numpy as np

from tsdsae_keras.data.audio.clips import RATE, Clip
from tsdsae_keras.data.audio.fluid import FluidSynth
from tsdsae_keras.data.audio.fluid_library import load_module
from tsdsae_keras.data.audio.patches import play_patch, read_patch
from tsdsae_keras.data.prepared.files import only_one
from tsdsae_keras.data.prepared.npy import map_array
from tsdsae_keras.data.tasks import NotInstalled, Task
from tsdsae_keras.data.tasks.packages import FREEPATS, find_folder
from tsdsae_keras.errors import InputError
from tsdsae_keras.files import replacing, sha256_of

FONTS = {
    "FluidR3": (Path("/usr/share/sounds/sf2/FluidR3_GM.sf2"), "fluid-soundfont-gm", "MIT"),
    "TimGM6mb": (Path("/usr/share/sounds/sf2/TimGM6mb.sf2"), "timgm6mb-soundfont", "GPL-2"),
}
FAMILIES = {
    "piano": range(8),
    "mallet": range(8, 15),
    "organ": range(16, 24),
    "guitar": range(24, 32),
    "bass": range(32, 40),
    "string": (*range(40, 47), 48, 49),
    "brass": range(56, 64),
    "reed": range(64, 72),
    "flute": range(72, 80),
}
NOTES, LOWEST, HIGHEST = 12, 40, 79  # of a program; MIDI numbers
SECONDS = 1.6
HELD = 1.2  # seconds after which a key is let go
_AT_ONCE = 14  # programs of a synthesiser


def open_family9_timgm(cache):
    """Families of instruments, from FluidR3 to TimGM6mb."""
    test, licence = _clips_of("TimGM6mb", "test", cache), _licence("FluidR3", "TimGM6mb")
    return _family9("family9-timgm", "FluidR3 to TimGM6mb", test, licence, cache)


def open_family9_freepats(cache):
    """Families of instruments, from FluidR3 to FreePats."""
    licence = f"{_licence('FluidR3')}; FreePats: GPL-2+ with exception"
    return _family9("family9-freepats", "FluidR3 to FreePats", _freepats(), licence, cache)


def open_pitch40(cache):
    """The MIDI note, from FluidR3 to TimGM6mb."""
    clips = [*_clips_of("FluidR3", "train", cache), *_clips_of("TimGM6mb", "test", cache)]
    clips = [Clip(each.name, each.read, each.name.rpartition("-")[2], each.split, each.group) for each in clips]
    return Task("pitch40", "MIDI notes", SECONDS, clips, licence=_licence("FluidR3", "TimGM6mb"))


def list_fluidr3(cache):
    """The training side: rendered notes of FluidR3, which a pool may hold."""
    return _clips_of("FluidR3", "train", cache)


def _family9(name, title, test, licence, cache):
    clips = [*_clips_of("FluidR3", "train", cache), *test]
    return Task(name, f"families of instruments, {title}", SECONDS, clips, licence=licence)


def _licence(*fonts):
    return "; ".join(f"{font}: {FONTS[font][2]}" for font in fonts)


def drawn_notes(program):
    """The MIDI numbers of a program, drawn once for all fonts."""
    drawn = np.random.default_rng((909, program)).choice(np.arange(LOWEST, HIGHEST + 1), NOTES, replace=False)
    return sorted(drawn.tolist())


def family_of(program):
    """The family of a General MIDI program, or None."""
    return next((name for name, programs in FAMILIES.items() if program in programs), None)


def _clips_of(font, split, cache):
    """Clips of one font, read from the file of its rendered notes; notes that it has no sound for are left out."""
    sounds = _notes_of(font, cache)
    sounding = map_array(sounds).any(axis=1)
    return [
        Clip(f"{font}/{program}-{pitch}", functools.partial(_row, sounds, row), family_of(program), split, str(program))
        for row, (program, pitch) in enumerate(_plan())
        if sounding[row]
    ]


def _row(path, row):
    return map_array(path)[row].astype("float32") / 32767


def _plan():
    """(program, pitch) of every note."""
    programs = [program for programs in FAMILIES.values() for program in programs]
    return [(program, pitch) for program in programs for pitch in drawn_notes(program)]


def _notes_of(font, cache):
    """The file of a font's notes, int16 (notes, samples), rendered where it is not there yet."""
    path, package, _ = FONTS[font]
    if not path.is_file():
        raise NotInstalled(f"{path} is not installed; for it: apt-get install {package}")
    folder = Path(cache)
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"notes-{font}-{sha256_of(path)[:12]}.npy"
    with only_one(folder / f".{file.stem}.lock"):
        if not file.is_file():
            load_module()
            with replacing(file) as temporary:
                np.save(temporary, _render(path))
    return file


def _render(font):
    """All notes of a font without reverb and chorus, which would tell fonts and rooms rather than instruments."""
    plan, sounds = _plan(), []
    programs = list(dict.fromkeys(program for program, _ in plan))
    for start in range(0, len(programs), _AT_ONCE):
        few = programs[start : start + _AT_ONCE]
        with FluidSynth(str(font), few, RATE, effects=False) as synth:
            for program, pitch in plan:
                if program in few:
                    sounds.append(_note(synth, program, pitch))
    return np.stack(sounds)


def _note(synth, program, pitch):
    try:
        sound = synth.render([(0.0, HELD, pitch)], program, SECONDS)
    except InputError:  # a program that has no sound at this pitch
        sound = np.zeros(round(SECONDS * RATE), "float32")
    return np.round(sound * 0.9 * 32767).astype("int16")


def _freepats():
    """The programs that FreePats has, as test clips."""
    clips = []
    for path in sorted(find_folder(FREEPATS / "Tone_000", "freepats").glob("*.pat")):
        program = int(path.stem[:3])
        family = family_of(program)
        for pitch in drawn_notes(program) if family else ():
            read = functools.partial(_play, path, pitch)
            clips.append(Clip(f"FreePats/{program}-{pitch}", read, family, "test", str(program)))
    return clips


def _play(path, pitch):
    return play_patch(read_patch(path), pitch, SECONDS)
