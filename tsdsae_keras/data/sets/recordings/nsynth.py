"""NSynth, single notes of about a thousand instruments, 4 s at 16 kHz: a list of recordings from its JSON and WAV form.

`nsynth-{train,valid,test}/examples.json`, {note: what is known of it}, and `audio/<note>.wav`. Source: Engel,
Resnick, Roberts, Dieleman, Eck, Simonyan, Norouzi, ICML 2017.
"""

import json
import os
import sys
from pathlib import Path

from tsdsae_keras.data.sets.recordings.sound_file import SoundFile
from tsdsae_keras.errors import InputError

FAMILIES = (
    *("bass", "brass", "flute", "guitar", "keyboard", "mallet", "organ", "reed", "string"),
    *("synth_lead", "vocal"),
)
SOURCES = ("acoustic", "electronic", "synthetic")
SPLITS = ("instrument", "published")
WARNING = (
    "The published split of NSynth shares instruments between validation and test (none with training), so what is "
    "chosen on validation flatters the test."
)
_FOLDERS = {"train": "train", "valid": "validation", "test": "test"}
_LIST = "examples.json"
# NSynth's keys and the labels made of them.
_TEXTS = {"instrument_family_str": "instrument", "instrument_source_str": "source", "instrument_str": "name"}
_NUMBERS = {"pitch": "pitch", "velocity": "velocity"}


def list_nsynth(root, families=None, sources=None, split="instrument"):
    """The notes of some families and sources, and what is left out.

    Labels: "instrument" (the family: an instrument of its own never comes twice where splits are by instrument),
    "source", "pitch" (MIDI number) and "velocity". Notes that `families` and `sources` exclude are counted in one line
    a folder and reason, not listed. The qualities of notes are not read.

    Args:
        root: the folder that holds `nsynth-train`, `nsynth-valid` and `nsynth-test`, or some of them, or one itself.
        families: which of `FAMILIES`; None takes all.
        sources: which of `SOURCES`; None takes all.
        split: "instrument": drawn later over all notes, every instrument in one split. "published": as the folders say,
            every note a group of its own; see `WARNING`.

    Returns:
        ([SoundFile], [(name, reason)]), both ordered by name.

    Raises:
        InputError: no such folder, family, source or split; examples.json missing or invalid; not one note.
    """
    chosen = {"instrument": ("family", families, FAMILIES), "source": ("source", sources, SOURCES)}
    wanted = {label: _check_choice(*choice) for label, choice in chosen.items()}
    if split not in SPLITS:
        raise InputError(f"split is {split!r}; choose {' or '.join(SPLITS)}")
    root, recordings, left_out = Path(root), [], []
    for folder in _folders(root):
        own = _split_of(folder) if split == "published" else None
        kept, out = _notes(folder, root, wanted, own)
        recordings += kept
        left_out += out
    if not recordings:
        some = "; ".join(f"{name}: {reason}" for name, reason in sorted(left_out)[:3])
        raise InputError(f"{root} has no note to take ({some or 'its lists are empty'}); ask for other families")
    return sorted(recordings, key=lambda recording: recording.name), sorted(left_out)


def _check_choice(what, values, known):
    if values is None:
        return known
    values = (values,) if isinstance(values, str) else tuple(values)
    unknown = [value for value in values if value not in known]
    if unknown or not values:
        raise InputError(f"{what} {unknown[0] if unknown else values!r} is not in NSynth: choose {', '.join(known)}")
    return values


def _folders(root):
    """The folders with a list of notes; the hundred thousands of sounds are not walked through."""
    found = []
    for folder, folders, names in os.walk(root):
        if _LIST in names:
            found.append(Path(folder))
        folders[:] = [name for name in sorted(folders) if name != "audio"]
    if not found:
        raise InputError(f"{root} holds no {_LIST}: give the folder with nsynth-train, nsynth-valid and nsynth-test")
    return found


def _split_of(folder):
    for word, split in _FOLDERS.items():
        if folder.resolve().name.startswith(f"nsynth-{word}"):
            return split
    raise InputError(f"{folder} does not say its split: name it nsynth-train, -valid or -test, or split by instrument")


def _notes(folder, root, wanted, split):
    """The recordings of one folder, and what is left out of it."""
    place = folder.relative_to(root).as_posix()
    place = "" if place == "." else f"{place}/"
    notes, sounds = _read_list(folder / _LIST), _sounds(folder / "audio")
    recordings, left_out, excluded = [], [], {}
    for note in sorted(notes):
        about, name = notes[note], f"{place}audio/{note}.wav"
        reason = _fault(about) or _exclusion(about, wanted)
        if reason is None and f"{note}.wav" not in sounds:
            reason = "listed, but there is no such file"
        if reason is None:
            path = folder / "audio" / f"{note}.wav"
            recordings.append(_recording(name, path, about, split))
        elif isinstance(reason, tuple):
            excluded[reason] = excluded.get(reason, 0) + 1
        else:
            left_out.append((name, reason))
    left_out += [(f"{place}audio/{name}", f"not listed in {_LIST}") for name in sounds - {f"{n}.wav" for n in notes}]
    left_out += [(f"{place}{_LIST}", f"{count} notes of {what} {which}") for (what, which), count in excluded.items()]
    return recordings, left_out


def _recording(name, path, about, split):
    labels = {label: about[label] for label in ("instrument", "source", "pitch", "velocity")}
    group = about["name"] if split is None else name
    return SoundFile(name, path, labels, group, split, loudness_group=about["name"])


def _fault(about):
    if not isinstance(about, dict):
        return f"its entry in {_LIST} is not an object"
    missing = [key for key, label in {**_TEXTS, **_NUMBERS}.items() if label not in about]
    return f"its entry in {_LIST} lacks {missing[0]}, or holds something else there" if missing else None


def _exclusion(about, wanted):
    """(label, value) of what was not asked for, or None."""
    for label, values in wanted.items():
        if about[label] not in values:
            return ("family" if label == "instrument" else label), about[label]
    return None


def _sounds(folder):
    if not folder.is_dir():
        raise InputError(f"{folder} is not a folder: unpack the sounds next to {_LIST}")
    return {name for name in os.listdir(folder) if name.endswith(".wav") and not name.startswith(".")}


def _read_list(path):
    """{note: {label: text}} of what is used, slimmed as it is read: the whole list takes a gigabyte in memory."""
    try:
        with path.open(encoding="utf-8") as file:
            notes = json.load(file, object_hook=_slim)
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(f"{path} cannot be read as JSON ({type(error).__name__}): unpack the data again") from error
    if not isinstance(notes, dict):
        raise InputError(f"{path} is not a list of notes by name: unpack the data again")
    return notes


def _slim(value):
    if _TEXTS.keys().isdisjoint(value):
        return value  # the outermost object
    about = {label: sys.intern(value[key]) for key, label in _TEXTS.items() if isinstance(value.get(key), str)}
    numbers = {label: value.get(key) for key, label in _NUMBERS.items()}
    return about | {label: sys.intern(str(number)) for label, number in numbers.items() if type(number) is int}
