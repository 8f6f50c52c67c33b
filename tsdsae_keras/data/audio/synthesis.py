"""Notes to samples: FluidSynth where it is installed, a small additive synthesiser where it is not.

Both are context managers with the same methods: `load()`, `render(notes, program)`, `describe()` and `close()`.
"""

import logging

from tsdsae_keras.data.audio.additive import AdditiveSynth
from tsdsae_keras.data.audio.fluid import FluidSynth
from tsdsae_keras.data.audio.fluid_library import INSTALL, NotInstalled
from tsdsae_keras.data.audio.soundfonts import find_font
from tsdsae_keras.errors import InputError

log = logging.getLogger(__name__)

KINDS = ("auto", "fluidsynth", "additive")

__all__ = ["KINDS", "AdditiveSynth", "FluidSynth", "open_synth"]


def open_synth(kind="auto", programs=(40, 56), soundfont=None, sample_rate=16000):
    """Open the synthesiser that is asked for.

    Args:
        kind: "fluidsynth", "additive", or "auto": FluidSynth where the library and a font are found, else the
            additive one, which is then logged as a warning.
        programs: General MIDI program numbers that will be played.
        soundfont: path of an .sf2 or .sf3 file; see `FluidSynth`.
        sample_rate: samples a second, a multiple of 4.

    Returns:
        `FluidSynth` or `AdditiveSynth`.

    Raises:
        InputError: an unknown kind, an unusable font, or FluidSynth was requested but is not installed.
    """
    if kind not in KINDS:
        raise InputError(f"unknown synth {kind!r}: choose from {', '.join(KINDS)}")
    if soundfont:
        find_font(soundfont)  # a font that was named is never passed over in silence
    if kind == "additive":
        return AdditiveSynth(programs, sample_rate)
    try:
        return FluidSynth(soundfont, programs, sample_rate)
    except NotInstalled:
        if kind == "fluidsynth":
            raise
    log.warning(f"FluidSynth or its SoundFont is missing: using the additive synthesiser; for the real one: {INSTALL}")
    return AdditiveSynth(programs, sample_rate)
