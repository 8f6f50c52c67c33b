"""A small synthesiser in numpy: five timbres of a few harmonics, for machines without FluidSynth or a SoundFont."""

import numpy as np

from tsdsae_keras.data.audio.general_midi import checked_programs, names_of
from tsdsae_keras.data.sets.melodies import SLOT_SECONDS, SLOTS
from tsdsae_keras.errors import InputError

# name: amplitudes of the harmonics; seconds of attack; decay a second (0 sustains); vibrato depth in semitones
TIMBRES = {
    "plucked": ((1, 0.5, 0.33, 0.2, 0.12, 0.08), 0.004, 12.0, 0.0),
    "organ": ((1, 0.8, 0, 0.6, 0, 0, 0, 0.4), 0.010, 0.0, 0.0),
    "bowed": ((1, 0.7, 0.6, 0.5, 0.45, 0.35, 0.3, 0.25, 0.2, 0.15), 0.060, 0.0, 0.15),
    "brass": ((0.5, 0.8, 1, 0.9, 0.5, 0.25, 0.1), 0.025, 0.0, 0.0),
    "hollow": ((1, 0, 0.4, 0, 0.15, 0, 0.05), 0.040, 0.0, 0.0),
}
# One entry for each General MIDI family of eight programs.
_FAMILIES = (
    "plucked", "plucked", "organ", "plucked", "plucked", "bowed", "bowed", "brass",
    "hollow", "hollow", "organ", "organ", "brass", "plucked", "plucked", "hollow",
)  # fmt: skip
_RELEASE_SECONDS = 0.015
_VIBRATO_HZ = 5.5


class AdditiveSynth:
    """Notes to samples by adding harmonics: no outside file, the same bits on every run.

    Args:
        programs: General MIDI program numbers; each sounds as one of `TIMBRES`, by its family.
        sample_rate: samples a second, divisible by 4 so that an eighth note is a whole number of samples.

    Raises:
        InputError: a program is unknown, or two programs would sound the same.
    """

    def __init__(self, programs=(40, 56), sample_rate=16000):
        self.programs = checked_programs(programs)
        self.sample_rate = checked_rate(sample_rate)
        _check_distinct(self.programs)

    def render(self, notes, program):
        """One melody as sound.

        Args:
            notes: sixteen MIDI note numbers, 0 for a rest; each lasts an eighth note at 120 beats a minute.
            program: one of `programs`.

        Returns:
            float32 array of four seconds, its greatest magnitude 1 (all zeros where every slot is a rest).

        Raises:
            InputError: the notes or the program cannot be played.
        """
        notes = checked_notes(notes)
        check_program(program, self.programs)
        length = slot_length(self.sample_rate)
        sound = np.zeros((SLOTS, length))
        for slot in np.flatnonzero(notes):
            sound[slot] = _note(int(notes[slot]), timbre_of(program), length, self.sample_rate)
        return normalised(sound.ravel())

    def describe(self):
        """What the manifest says of this synthesiser."""
        return {"name": "additive", "version": 1, "sample_rate": self.sample_rate, "licence": "no samples used"}

    def load(self):
        """Nothing to load."""

    def close(self):
        """Nothing to free."""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def timbre_of(program):
    """The name of the timbre that stands for a General MIDI program."""
    return _FAMILIES[program // 8]


def slot_length(sample_rate):
    """Samples in an eighth note at 120 beats a minute."""
    return int(sample_rate * SLOT_SECONDS)


def normalised(sound):
    """float32, divided by the greatest magnitude; silence stays zeros."""
    peak = np.max(np.abs(sound))
    return (sound / peak if peak > 0 else sound).astype(np.float32)


def checked_rate(sample_rate):
    """The sample rate, where the synthesisers can use it."""
    if isinstance(sample_rate, bool) or sample_rate not in range(8000, 96001, 4):
        raise InputError(f"sample_rate {sample_rate!r} cannot be rendered: give a multiple of 4 from 8000 to 96000")
    return int(sample_rate)


def checked_notes(notes):
    """The sixteen slots as an integer array."""
    notes = np.asarray(notes)
    if notes.shape != (SLOTS,) or notes.dtype.kind not in "iu":
        raise InputError(f"notes are {notes.dtype} of shape {notes.shape}: give {SLOTS} integers")
    if notes.min() < 0 or notes.max() > 127:
        raise InputError(f"notes reach from {notes.min()} to {notes.max()}: MIDI notes go from 1 to 127, 0 is a rest")
    return notes


def check_program(program, programs):
    """Refuse a program the synthesiser was not opened with."""
    if program not in programs:
        raise InputError(f"program {program} was not opened: this synthesiser has {', '.join(map(str, programs))}")


def _check_distinct(programs):
    seen = {}
    for program, name in zip(programs, names_of(programs), strict=True):
        timbre = timbre_of(program)
        if timbre in seen:
            raise InputError(
                f"the additive synthesiser plays {seen[timbre]} and {name} alike ({timbre}): "
                "choose programs of other families, or use FluidSynth"
            )
        seen[timbre] = name


def _note(note, timbre, length, sample_rate):
    harmonics, attack, decay, vibrato = TIMBRES[timbre]
    time = np.arange(length) / sample_rate
    frequency = 440 * 2 ** ((note - 69) / 12)
    swing = 1 + vibrato * np.log(2) / 12 * np.sin(2 * np.pi * _VIBRATO_HZ * time)
    phase = 2 * np.pi * frequency * np.cumsum(swing) / sample_rate
    orders = [n for n in range(1, len(harmonics) + 1) if n * frequency < 0.45 * sample_rate]
    tone = sum((harmonics[n - 1] * np.sin(n * phase) for n in orders), np.zeros(length))
    return tone * np.exp(-decay * time) * _gate(time, attack)


def _gate(time, attack):
    """Rises over the attack and falls to silence before the slot ends."""
    return np.clip(time / attack, 0, 1) * np.clip((SLOT_SECONDS - time) / _RELEASE_SECONDS, 0, 1)
