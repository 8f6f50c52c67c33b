"""FluidSynth played offline: the same notes give the same bits, in any order, thread or process."""

import contextlib
import ctypes
import io
import os
import queue
import threading
from pathlib import Path

import numpy as np

from tsdsae_keras.data.audio.general_midi import PROGRAMS, check_programs
from tsdsae_keras.data.audio.notes import check_program, check_sample_rate, scale_to_peak, to_samples
from tsdsae_keras.errors import InputError
from tsdsae_keras.files import sha256_of

INSTALL = "apt-get install libfluidsynth3 musescore-general-soundfont"
FONT_VARIABLE = "TSDSAE_SOUNDFONT"
FONT_PLACES = (
    "/usr/share/sounds/sf3/MuseScore_General.sf3",
    "/usr/share/sounds/sf3/default-GM.sf3",
    "/usr/share/sounds/sf2/default-GM.sf2",
    "/usr/share/sounds/sf2/FluidR3_GM.sf2",
)
VELOCITY = 90
GAIN = 0.2
BEND_RANGE = 2.0  # semitones that the pitch wheel moves either way, General MIDI's default
BEND_STEPS = 8191
_INAUDIBLE = 1e-6  # the reverb alone leaves some 1e-8
_LOG_LEVELS = 5
_CHANNELS = 16
# Channels that the keeper may fill: a synthesiser that takes up a font selects program 0 on all of them and
# the drums on channel 9 (counted from 0), so these two must stay in memory as they are.
_KEEPING = tuple(channel for channel in range(1, _CHANNELS) if channel != 9)


class NotInstalled(InputError):
    """FluidSynth's library or a SoundFont is missing on this machine."""


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
        self._library = _Library(effects)
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
            "licence": _licence(self.soundfont.name),
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


class _Library:
    """The C functions that pyfluidsynth does not wrap, each with its return code checked."""

    def __init__(self, effects=True):
        self._effects = {} if effects else {"synth.reverb.active": 0, "synth.chorus.active": 0}
        self._module = load_module()
        self._c = self._module._fl
        self._declare("fluid_version_str", ctypes.c_char_p)
        self._declare("fluid_set_log_function", ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p)
        self._declare("fluid_synth_get_sfont", ctypes.c_void_p, ctypes.c_void_p, ctypes.c_uint)
        self._declare("fluid_synth_add_sfont", ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p)
        self._declare("fluid_synth_remove_sfont", ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p)
        side = (ctypes.c_void_p, ctypes.c_int, ctypes.c_int)
        self._declare("fluid_synth_write_float", ctypes.c_int, ctypes.c_void_p, ctypes.c_int, *side, *side)
        for level in range(_LOG_LEVELS):
            # Every failure shows in a return code; the library's own lines would only fill the terminal.
            self._c.fluid_set_log_function(level, None, None)

    @property
    def version(self):
        return self._c.fluid_version_str().decode()

    def synth(self, sample_rate):
        synth = self._module.Synth(
            gain=GAIN,
            samplerate=sample_rate,
            channels=_CHANNELS,
            **{"synth.dynamic-sample-loading": 1},
            **self._effects,
        )
        if not synth.synth:
            raise InputError("FluidSynth could not start a synthesiser: free some memory and try again")
        return synth

    def lend(self, keeper, synth):
        """Put the keeper's font into another synthesiser; the font's number there."""
        font = self._c.fluid_synth_add_sfont(synth.synth, self._c.fluid_synth_get_sfont(keeper.synth, 0))
        if font == -1:
            raise InputError("FluidSynth refused its own SoundFont: free some memory and try again")
        return font

    def take_back(self, keeper, synth):
        """Without this, deleting the borrower would delete the font too."""
        self._c.fluid_synth_remove_sfont(synth.synth, self._c.fluid_synth_get_sfont(keeper.synth, 0))

    def play(self, synth, events, length, bend=0, velocity=VELOCITY):
        """(2, length): renders up to each event, then lets it happen."""
        if bend and synth.pitch_bend(0, bend) != 0:
            raise InputError(f"FluidSynth refused a pitch bend of {bend} steps")
        stereo, done = np.zeros((2, length), np.float32), 0
        for sample, starts, pitch in events:
            self._render(synth, stereo, done, sample)
            done = sample
            if not starts:
                synth.noteoff(0, pitch)  # says "failed" of a note that has died away by itself: not an error
            elif synth.noteon(0, pitch, velocity) != 0:
                raise InputError(f"FluidSynth refused note {pitch}: choose notes that the instrument has")
        self._render(synth, stereo, done, length)
        return stereo

    def _render(self, synth, stereo, start, end):
        left, right = (side.ctypes.data for side in stereo)
        if self._c.fluid_synth_write_float(synth.synth, end - start, left, start, 1, right, start, 1) != 0:
            raise InputError("FluidSynth failed while rendering: try again with fewer workers")

    def _declare(self, name, result, *arguments):
        function = getattr(self._c, name)
        function.restype, function.argtypes = result, list(arguments)


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


def load_module():
    """pyfluidsynth's module; its import fails where the C library is missing.

    soundfile brings a libsndfile under the name by which FluidSynth asks for the system's, and whichever comes first
    serves both. The two decode a font's samples otherwise in the last bit, so the order is always this one.

    Raises:
        NotInstalled: the module or the library is missing.
        InputError: another package has that name.
    """
    import soundfile  # noqa: F401 - before fluidsynth

    try:
        with contextlib.redirect_stdout(io.StringIO()):  # it prints where it found the library when CI is set
            import fluidsynth
    except (ImportError, OSError, AttributeError) as error:
        raise NotInstalled(f"FluidSynth is not installed: {INSTALL}") from error
    if not hasattr(fluidsynth, "_fl"):
        raise InputError("the module fluidsynth is not pyfluidsynth: pip install --force-reinstall pyfluidsynth")
    return fluidsynth


def find_font(soundfont=None):
    """The SoundFont to use, links resolved: the one given, else TSDSAE_SOUNDFONT, else Debian's.

    Raises:
        NotInstalled: no font was given and none is installed.
        InputError: the font given is missing or no SoundFont.
    """
    named = soundfont or os.environ.get(FONT_VARIABLE)
    if named:
        return _check_font(Path(named), "" if soundfont else f" (from {FONT_VARIABLE})")
    for place in FONT_PLACES:
        if Path(place).is_file():
            return _check_font(Path(place), "")
    raise NotInstalled(f"no SoundFont is installed: {INSTALL}, or set {FONT_VARIABLE} to an .sf2 or .sf3 file")


def _check_font(path, origin):
    if not path.is_file():
        raise InputError(f"SoundFont {path}{origin} does not exist: give the path of an .sf2 or .sf3 file")
    with path.open("rb") as file:
        head = file.read(12)
    if head[:4] != b"RIFF" or head[8:] != b"sfbk":
        raise InputError(f"{path}{origin} is not a SoundFont: give the path of an .sf2 or .sf3 file")
    return path.resolve()


def _licence(name):
    known = name.startswith("MuseScore_General")
    return "MuseScore General: MIT licence" if known else "unknown: see the SoundFont's own notes"
