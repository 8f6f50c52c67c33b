"""What a pool can hold: Debian packages of recorded sound, read where the system installed them, with their licences.

No sound is part of this library, and the log-mel frames of a pool are for one's own use: most licences here do not
allow passing them on under another.
"""

import functools
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tsdsae_keras.data.audio.clips import Clip, read_clip
from tsdsae_keras.data.tasks import NotInstalled, notes, packages
from tsdsae_keras.data.tasks.packages import SHARE, find_folder
from tsdsae_keras.errors import InputError

LONGEST = 60.0  # seconds that are taken of a file, such as of a piece of music
ASTERISK = SHARE / "asterisk/sounds"
SONIC_PI = SHARE / "sonic-pi/samples"
HEDGEWARS = SHARE / "games/hedgewars/Data"
SUFFIXES = (".wav", ".flac", ".ogg", ".oga", ".aiff", ".aif", ".mp3", ".opus")


@dataclass(frozen=True)
class Source:
    """A package of sound.

    Attributes:
        package: its name for apt-get.
        licence: of the sounds.
        clips: (cache) -> list of `Clip`; raises `NotInstalled`.
    """

    package: str
    licence: str
    clips: Callable


def list_files(folder, package, source):
    """Every sound file below a folder, the same order everywhere."""
    root = find_folder(folder, package)
    paths = sorted(path for path in root.rglob("*") if path.suffix.lower() in SUFFIXES and path.is_file())
    return [
        Clip(f"{source}/{path.relative_to(root).as_posix()}", functools.partial(read_clip, path, LONGEST))
        for path in paths
    ]


def _kits(cache):
    """Kits that no task tests on: sounds of the others are too alike to those tested, labelled or not."""
    return [clip for clip in packages.list_kits() if clip.split == "train"]


def _files(folder, package, source):
    return lambda cache: list_files(folder, package, source)


RECORDED = {
    "hydrogen": Source("hydrogen-drumkits", "GPL-2(+), CC-BY(-SA)-3.0 or CC0 by kit", _kits),
    "klettres": Source("klettres-data", "GPL-2+", lambda cache: packages.list_klettres()),
    "ktuberling": Source("ktuberling-data", "GPL-2+", lambda cache: packages.list_ktuberling()),
    "sonic-pi": Source("sonic-pi-samples", "CC0", _files(SONIC_PI, "sonic-pi-samples", "sonic-pi")),
    "hedgewars": Source("hedgewars-data", "GFDL-1.3, a few CC-BY-SA", _files(HEDGEWARS, "hedgewars-data", "hedgewars")),
    "asterisk": Source(
        "asterisk-core-sounds-en-wav",
        "CC-BY-SA-3.0 (Italian and Russian CC-BY-3.0)",
        _files(ASTERISK, "asterisk-core-sounds-en-wav", "asterisk"),
    ),
    "wesnoth": Source("wesnoth-1.16-data", "GPL-2+", _files(packages.WESNOTH, "wesnoth-1.16-data", "wesnoth")),
    "fluidr3": Source("fluid-soundfont-gm", "MIT; notes rendered with FluidSynth", notes.list_fluidr3),
}


def list_sources(names, cache):
    """{source: clips} of the sources that are installed, and a line for each that is not.

    Args:
        names: of `RECORDED`.
        cache: folder for rendered notes.
    """
    found, missing = {}, []
    for name in names:
        try:
            found[name] = RECORDED[name].clips(cache)
        except NotInstalled as error:
            missing.append(str(error))
    return found, missing


def own_folder(path):
    """The sound files of a user's folder as clips."""
    if not Path(path).is_dir():
        raise InputError(f"--folder {path} is not a folder; give the one that holds your sound files")
    clips = list_files(Path(path), "", "folder")
    if not clips:
        raise InputError(f"--folder {path} holds no sound file ({' '.join(SUFFIXES)}); convert yours to one of them")
    return clips
