"""A small synthesiser in numpy: five timbres of a few harmonics, for machines without FluidSynth or a SoundFont."""

import numpy as np

from tsdsae_keras.data.audio.general_midi import check_programs, names_of
from tsdsae_keras.data.audio.notes import check_program, check_sample_rate, scale_to_peak, to_samples
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
_LEVEL = 0.02  # of a note's first harmonic at full velocity, near that of FluidSynth at its default gain


class AdditiveSynth:
    """Notes to samples by adding harmonics: no outside file, the same bits on every run.

    Args:
        programs: General MIDI program numbers; each sounds as one of `TIMBRES`, by its family.
        sample_rate: Hz.

    Raises:
        InputError: a program is unknown, or two programs would sound the same.
    """

    def __init__(self, programs=(40, 56), sample_rate=16000):
        self.programs = check_programs(programs)
        check_sample_rate(sample_rate)
        self.sample_rate = int(sample_rate)
        _check_distinct(self.programs)

    def render(self, notes, program, seconds, *, velocity=127, level=False):
        """Notes as sound.

        Args:
            notes: (start in seconds, duration in seconds, MIDI pitch) of each note; pitches may lie between semitones,
                and notes may overlap.
            program: one of `programs`.
            seconds: length of the sound.
            velocity: of the keys, 1 to 127.
            level: whether the sound has a level that depends on the velocity alone.

        Returns:
            float32 array (round(seconds * sample_rate),), its greatest magnitude 1 unless `level` (all zeros without
            notes).

        Raises:
            InputError: the notes or the program cannot be played.
        """
        check_program(program, self.programs)
        timed, length = to_samples(notes, seconds, self.sample_rate)
        sound = np.zeros(length)
        for first, end, pitch in timed:
            sound[first:end] += _note(pitch, timbre_of(program), end - first, self.sample_rate)
        return (_LEVEL * velocity / 127 * sound).astype("float32") if level else scale_to_peak(sound)

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
    """The name of the timbre that represents a General MIDI program."""
    return _FAMILIES[program // 8]


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


def _note(pitch, timbre, length, sample_rate):
    harmonics, attack, decay, vibrato = TIMBRES[timbre]
    time = np.arange(length) / sample_rate
    frequency = 440 * 2 ** ((pitch - 69) / 12)
    swing = 1 + vibrato * np.log(2) / 12 * np.sin(2 * np.pi * _VIBRATO_HZ * time)
    phase = 2 * np.pi * frequency * np.cumsum(swing) / sample_rate
    # Harmonics close to half the sample rate would alias, so they are left out.
    orders = [n for n in range(1, len(harmonics) + 1) if n * frequency < 0.45 * sample_rate]
    tone = sum((harmonics[n - 1] * np.sin(n * phase) for n in orders), np.zeros(length))
    return tone * np.exp(-decay * time) * _gate(time, attack, length / sample_rate)


def _gate(time, attack, duration):
    """Rises over the attack and falls to silence before the note ends."""
    return np.clip(time / attack, 0, 1) * np.clip((duration - time) / _RELEASE_SECONDS, 0, 1)
