"""Notes to samples: FluidSynth where it is installed, a small additive synthesiser where it is not.

Both are context managers with the same methods: `load()`, `render(notes, program)`, `describe()` and `close()`.
"""

import logging
import os
from pathlib import Path

from tsdsae_keras.data.audio.additive import AdditiveSynth
from tsdsae_keras.data.audio.fluid import FluidSynth
from tsdsae_keras.data.audio.fluid_library import INSTALL, NotInstalled
from tsdsae_keras.data.audio.soundfonts import FONT_PLACES, FONT_VARIABLE, find_font
from tsdsae_keras.errors import InputError
from tsdsae_keras.files import sha256_of

log = logging.getLogger(__name__)

KINDS = ("auto", "fluidsynth", "additive")

__all__ = ["KINDS", "AdditiveSynth", "FluidSynth", "open_synth", "reopen_synth"]


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


def reopen_synth(described, programs, soundfont=None):
    """Reopen the synthesiser that rendered some data.

    Args:
        described: what its `describe` gave, as a manifest keeps it.
        programs: General MIDI program numbers that will be played.
        soundfont: path at which its font may be, before the usual places.

    Returns:
        `FluidSynth` or `AdditiveSynth`. Another version of FluidSynth may sound slightly different.

    Raises:
        InputError: it is unknown, or FluidSynth or the very font is not on this machine.
    """
    name, rate = described.get("name"), described.get("sample_rate")
    if name == "additive":
        return AdditiveSynth(programs, rate)
    if name != "fluidsynth":
        raise InputError(f"the data were rendered by {name!r}, which is not a synthesiser of this library")
    font = _find_same_font(described.get("soundfont"), described.get("soundfont_sha256"), soundfont)
    return FluidSynth(font, programs, rate)


def _find_same_font(name, digest, soundfont):
    """The SoundFont of this SHA-256, wherever one of its name is installed."""
    nearby = (Path(place).with_name(Path(str(name)).name) for place in FONT_PLACES)
    for place in (soundfont, os.environ.get(FONT_VARIABLE), *FONT_PLACES, *nearby):
        if place and Path(place).is_file() and sha256_of(Path(place)) == digest:
            return str(place)
    raise NotInstalled(f"the data were rendered with {name}, which is not here: set {FONT_VARIABLE} to that SoundFont")
