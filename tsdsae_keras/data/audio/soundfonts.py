"""The SoundFont that FluidSynth plays: where one is looked for, and what is known of it."""

import os
from pathlib import Path

from tsdsae_keras.data.audio.fluid_library import INSTALL, NotInstalled
from tsdsae_keras.errors import InputError

FONT_VARIABLE = "TSDSAE_SOUNDFONT"
FONT_PLACES = (
    "/usr/share/sounds/sf3/MuseScore_General.sf3",
    "/usr/share/sounds/sf3/default-GM.sf3",
    "/usr/share/sounds/sf2/default-GM.sf2",
    "/usr/share/sounds/sf2/FluidR3_GM.sf2",
)


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


def licence_of(name):
    known = name.startswith("MuseScore_General")
    return "MuseScore General: MIT licence" if known else "unknown: see the SoundFont's own notes"
