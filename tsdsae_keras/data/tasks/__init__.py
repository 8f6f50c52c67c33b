"""Labelled sounds to probe representations with: which tasks there are, and opening one. Light: read by the options.

A task is a name here, `evar:NAME=FOLDER` for a data set in the layout of EVAR, or a folder of one's own.
"""

import importlib
from dataclasses import dataclass, field
from pathlib import Path

from tsdsae_keras.errors import InputError

TASKS = {
    "synth6": ("synthetic:open_synth6", "six kinds of synthesised sounds; nothing to install"),
    "drum6": ("packages:open_drum6", "kick, snare, tom, hi-hat, cymbal, hand percussion; other kits in test"),
    "voice15": ("packages:open_voice15", "15 voices; other phrases in test"),
    "phrase60": ("packages:open_phrase60", "60 spoken phrases; other voices in test"),
    "family9-timgm": ("notes:open_family9_timgm", "nine families of instruments, FluidR3 to TimGM6mb"),
    "family9-freepats": ("notes:open_family9_freepats", "nine families of instruments, FluidR3 to FreePats"),
    "pitch40": ("notes:open_pitch40", "MIDI notes 40 to 79, FluidR3 to TimGM6mb: the price of the invariances"),
    "sfx7": ("packages:open_sfx7", "seven kinds of game effects, five folds by name"),
    "voice20": ("packages:open_voice20", "20 languages, one voice each; nearly solved by any feature"),
    "language11": ("packages:open_language11", "11 languages, another corpus in test; at chance for all we tried"),
}
REPORTED = ("drum6", "voice15", "family9-timgm", "family9-freepats", "phrase60")
EVAR = "evar:"


@dataclass(frozen=True)
class Task:
    """A classification of sounds.

    Attributes:
        name, title: for tables.
        seconds: to which every sound is cut or padded.
        clips: `Clip`s with label, group, and split: "train", "validation" (or none) and "test", or a fold's name.
        folds: names of the folds, each tested in turn; empty where there is one split.
        licence: of the sounds.
        note: what a reader of the score should know, or "".
    """

    name: str
    title: str
    seconds: float
    clips: list = field(repr=False)
    folds: tuple = ()
    licence: str = ""
    note: str = ""

    def __post_init__(self):
        classes = {each.label for each in self.clips}
        if len(classes) < 2:
            shown = ", ".join(sorted(classes)) or "none"
            raise InputError(f"the task {self.name} has {len(classes)} class ({shown}); give at least two")
        parts = set(self.folds) or {"train", "test"}
        missing = sorted(parts - {each.split for each in self.clips})
        if missing:
            raise InputError(f"the task {self.name} has nothing in {missing[0]}; give more sounds, or other splits")

    def splits(self):
        """[(train, validation, test)], lists of clips: one, or one a fold; validation may be empty."""
        if self.folds:
            return [
                ([each for each in self.clips if each.split != fold], [], [c for c in self.clips if c.split == fold])
                for fold in self.folds
            ]
        return [tuple([each for each in self.clips if each.split == s] for s in ("train", "validation", "test"))]

    def test_clips(self):
        """The clips that a probe is tested on; no model may have been trained on them."""
        return [each for _, _, test in self.splits() for each in test]


class NotInstalled(InputError):
    """The sounds of a task, or a part of the pool, are not on this machine; the message names the package."""


def open_task(name, cache="data", labels="folder", split_by="file"):
    """A task by its name, as EVAR lays it out, or from a folder of one's own.

    Args:
        name: in `TASKS`; "evar:esc50=FOLDER" and the like; or the path of a folder.
        cache: folder in which rendered notes are kept.
        labels, split_by: of one's own folder; see `data.sets.recordings.folder.list_folder`.

    Raises:
        NotInstalled: a package is missing.
        InputError: there is no such task, or it cannot be used.
    """
    if name in TASKS:
        return _resolve(TASKS[name][0])(cache)
    if name.startswith(EVAR):
        return _resolve("evar:open_evar")(name.removeprefix(EVAR))
    if Path(name).is_dir():
        return _resolve("labelled:open_folder")(name, labels, split_by)
    raise InputError(f"{name!r} is not a task; give {', '.join(TASKS)}, evar:NAME=FOLDER or a folder of sounds")


def installed_tasks(cache="data", names=REPORTED):
    """Those of some tasks whose sounds are on this machine, and a line for each that is not: (tasks, lines)."""
    found, missing = [], []
    for name in names:
        try:
            found.append(open_task(name, cache))
        except NotInstalled as error:
            missing.append(str(error))
    return found, missing


def _resolve(where):
    module, _, name = where.partition(":")
    return getattr(importlib.import_module(f"{__name__}.{module}"), name)
