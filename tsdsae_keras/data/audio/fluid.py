"""FluidSynth played offline: the same notes give the same bits, in any order, thread or process."""

import queue
import threading

import numpy as np

from tsdsae_keras.data.audio.fluid_library import CHANNELS, Library
from tsdsae_keras.data.audio.general_midi import PROGRAMS, check_programs
from tsdsae_keras.data.audio.notes import check_program, check_sample_rate, scale_to_peak, to_samples
from tsdsae_keras.data.audio.soundfonts import find_font, licence_of
from tsdsae_keras.errors import InputError
from tsdsae_keras.files import sha256_of

VELOCITY = 90
BEND_RANGE = 2.0  # semitones that the pitch wheel moves either way, General MIDI's default
BEND_STEPS = 8191
_INAUDIBLE = 1e-6  # the reverb alone leaves some 1e-8
# Channels that the keeper may fill: a synthesiser that takes up a font selects program 0 on all of them and
# the drums on channel 9 (counted from 0), so these two must stay in memory as they are.
_KEEPING = tuple(channel for channel in range(1, CHANNELS) if channel != 9)


class FluidSynth:
    """Notes to samples through FluidSynth and a SoundFont.

    Every sound is played by a new synthesiser, since one used again still rings and its chorus is at another phase.
    Loading the font is what costs time, so keepers hold it in memory, one for each thread that renders at once (the
    reference counts inside a font are not safe between threads), and the new synthesiser borrows it. Samples are
    taken as floats: FluidSynth dithers its 16-bit output with the C library's random numbers.

    Args:
        soundfont: path of an .sf2 or .sf3 file; None looks into the environment variable TSDSAE_SOUNDFONT, then where
            Debian installs fonts.
        programs: General MIDI program numbers (bank 0) that will be played, at most 14.
        sample_rate: Hz.
        effects: whether there is reverb and chorus.

    Raises:
        InputError: no library or font (`NotInstalled`), or not a SoundFont; with the first melody or `load`,
            FluidSynth cannot read the font or it lacks a program.
    """

    def __init__(self, soundfont=None, programs=(40, 56), sample_rate=16000, effects=True):
        self.programs = check_programs(programs)
        check_sample_rate(sample_rate)
        self.sample_rate = int(sample_rate)
        if len(self.programs) > len(_KEEPING):
            raise InputError(f"{len(self.programs)} programs are too many: open at most {len(_KEEPING)} at once")
        self.soundfont = find_font(soundfont)
        self._library = Library(effects)
        self._keepers = []
        self._idle = queue.LifoQueue()
        self._loading = threading.Lock()

    def load(self):
        """Load the font and the programs now, rather than at the first melody: takes about two seconds.

        Raises:
            InputError: the font cannot be loaded, or lacks a program.
        """
        self._idle.put(self._borrow())

    def render(self, notes, program, seconds, *, velocity=VELOCITY, level=False):
        """Notes as sound.

        Args:
            notes: (start in seconds, duration in seconds, MIDI pitch) of each note; notes of different pitch may
                overlap. Pitches between semitones are the nearest key with the pitch wheel turned, in steps of 1/41
                cent; as the wheel turns all that sounds, the notes of a sound are then all equally far from their keys.
            program: one of `programs`.
            seconds: length of the sound.
            velocity: of the keys, 1 to 127.
            level: whether the sound keeps the level that FluidSynth gives it.

        Returns:
            float32 array (round(seconds * sample_rate),): the mean of both channels, its greatest magnitude 1 unless
            `level` (all zeros without notes).

        Raises:
            InputError: the notes or the program cannot be played.
        """
        check_program(program, self.programs)
        timed, length = to_samples(notes, seconds, self.sample_rate)
        if not timed:
            return scale_to_peak(np.zeros(length))
        keeper = self._borrow()
        try:
            stereo = self._play(keeper, _events(timed), program, length, _bend(timed), velocity)
        finally:
            self._idle.put(keeper)
        if np.max(np.abs(stereo)) < _INAUDIBLE:
            raise InputError(f"{self.soundfont.name} has no sound for these notes on program {program}: choose another")
        mono = stereo.mean(axis=0)
        return mono if level else scale_to_peak(mono)

    def describe(self):
        """What the manifest says of this synthesiser: versions, the font by its name and SHA-256, its licence."""
        return {
            "name": "fluidsynth",
            "version": self._library.version,
            "sample_rate": self.sample_rate,
            "soundfont": self.soundfont.name,
            "soundfont_sha256": sha256_of(self.soundfont),
            "licence": licence_of(self.soundfont.name),
        }

    def close(self):
        """Free the synthesisers and the font. Nothing can be rendered afterwards."""
        self._idle = queue.LifoQueue()
        while self._keepers:
            self._keepers.pop().delete()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def _borrow(self):
        try:
            return self._idle.get_nowait()
        except queue.Empty:
            with self._loading:
                return self._new_keeper()

    def _new_keeper(self):
        keeper = self._library.synth(self.sample_rate)
        self._keepers.append(keeper)  # first of all, so that close() frees it even where the font fails
        font = keeper.sfload(str(self.soundfont), 1)
        if font == -1:
            raise InputError(f"FluidSynth cannot load {self.soundfont}: give an intact .sf2 or .sf3 SoundFont")
        for channel, program in zip(_KEEPING, self.programs, strict=False):
            self._select(keeper, channel, font, program)
        return keeper

    def _select(self, synth, channel, font, program):
        if synth.program_select(channel, font, 0, program) != 0:
            raise InputError(
                f"{self.soundfont.name} has no program {program} ({PROGRAMS[program]}) in bank 0: "
                "choose another program or SoundFont"
            )

    def _play(self, keeper, events, program, length, bend, velocity):
        """(2, samples): a new synthesiser borrows the keeper's font and is deleted again, whatever happens."""
        synth = self._library.synth(self.sample_rate)
        try:
            font = self._library.lend(keeper, synth)
            try:
                self._select(synth, 0, font, program)
                return self._library.play(synth, events, length, bend, velocity)
            finally:
                self._library.take_back(keeper, synth)
        finally:
            synth.delete()


def _events(timed):
    """(sample, whether a note starts, key) in order; where one note ends and another starts, the end comes first."""
    starts = [(first, True, round(pitch)) for first, _, pitch in timed]
    ends = [(end, False, round(pitch)) for _, end, pitch in timed]
    return sorted(starts + ends)


def _bend(timed):
    """Steps of the pitch wheel from its middle, for all notes; InputError where they differ."""
    bends = {round((pitch - round(pitch)) / BEND_RANGE * BEND_STEPS) for *_, pitch in timed}
    if len(bends) > 1:
        raise InputError(
            "the notes of one sound lie differently far from semitones, and FluidSynth bends all of them alike: "
            "render them one by one"
        )
    return bends.pop()
