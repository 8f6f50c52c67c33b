"""FluidSynth's C library through pyfluidsynth: what renders offline, each return code checked."""

import contextlib
import ctypes
import io

import numpy as np

from tsdsae_keras.errors import InputError

INSTALL = "apt-get install libfluidsynth3 musescore-general-soundfont"
CHANNELS = 16
_GAIN = 0.2
_LOG_LEVELS = 5


class NotInstalled(InputError):
    """FluidSynth's library or a SoundFont is missing on this machine."""


class Library:
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
            gain=_GAIN,
            samplerate=sample_rate,
            channels=CHANNELS,
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

    def play(self, synth, events, length, bend, velocity):
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
