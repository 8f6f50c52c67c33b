"""Data sets of the EVAR benchmark as they are distributed: splits, folds and lengths of the benchmark.

EVAR (nttcslab/eval-audio-repr) is not part of this library and none of it is used: these are readers of the public
layouts of the data sets, with the lengths and splits its description gives. Nothing is downloaded.
"""

import csv
import functools
import json
from pathlib import Path

from tsdsae_keras.data.audio.clips import Clip, read_clip
from tsdsae_keras.data.tasks import Task
from tsdsae_keras.errors import InputError

SECONDS = {"esc50": 5.0, "us8k": 4.0, "spcv2": 1.0, "gtzan": 30.0, "nsynth": 4.0}


def open_evar(given):
    """A task from "NAME=FOLDER".

    Args:
        given: such as "esc50=/data/ESC-50-master"; NAME is esc50, us8k, spcv2, gtzan or nsynth.

    Raises:
        InputError: another name, or a folder of another layout; the line names the file that is missing.
    """
    name, _, folder = given.partition("=")
    if name not in SECONDS or not folder:
        raise InputError(f"evar:{given} is not a task; give evar:NAME=FOLDER with NAME {', '.join(SECONDS)}")
    folder = Path(folder)
    if not folder.is_dir():
        raise InputError(f"{folder} is not a folder; give the one that {name} was unpacked to")
    rows, folds = _LISTS[name](folder)
    clips = [
        Clip(str(path.relative_to(folder)), functools.partial(read_clip, path, SECONDS[name]), label, split, path.stem)
        for path, label, split in rows
    ]
    return Task(name, name, SECONDS[name], clips, folds, note="in the layout and with the splits of EVAR")


def _list_esc50(folder):
    rows = _table(folder / "meta" / "esc50.csv", ("filename", "fold", "category"))
    found = [(folder / "audio" / name, label, f"fold {fold}") for name, fold, label in rows]
    return found, tuple(f"fold {number}" for number in range(1, 6))


def _list_us8k(folder):
    rows = _table(folder / "metadata" / "UrbanSound8K.csv", ("slice_file_name", "fold", "class"))
    found = [(folder / "audio" / f"fold{fold}" / name, label, f"fold {fold}") for name, fold, label in rows]
    return found, tuple(f"fold {number}" for number in range(1, 11))


def _list_spcv2(folder):
    lists = {split: set(_lines(folder / f"{split}_list.txt")) for split in ("validation", "testing")}
    found = []
    for path in sorted(folder.glob("*/*.wav")):
        word, name = path.parent.name, f"{path.parent.name}/{path.name}"
        if not word.startswith("_"):  # background noise
            split = "validation" if name in lists["validation"] else "test" if name in lists["testing"] else "train"
            found.append((path, word, split))
    return found, ()


def _list_gtzan(folder):
    """The filtered lists, without the files that are repeated or damaged (Sturm 2013; Kereliuk et al. 2015)."""
    found = []
    for split, name in (("train", "train"), ("validation", "valid"), ("test", "test")):
        for line in _lines(folder / f"{name}_filtered.txt"):
            found.append((folder / "genres" / line, line.partition("/")[0], split))
    return found, ()


def _list_nsynth(folder):
    found = []
    for split, name in (("train", "train"), ("validation", "valid"), ("test", "test")):
        part = folder / f"nsynth-{name}"
        for note, about in sorted(_json(part / "examples.json").items()):
            found.append((part / "audio" / f"{note}.wav", about["instrument_family_str"], split))
    return found, ()


_LISTS = {"esc50": _list_esc50, "us8k": _list_us8k, "spcv2": _list_spcv2, "gtzan": _list_gtzan, "nsynth": _list_nsynth}


def _text(path):
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(
            f"{path} cannot be read, so the folder is not laid out as the data set is distributed"
        ) from error


def _lines(path):
    return [line.strip() for line in _text(path).splitlines() if line.strip()]


def _table(path, columns):
    rows = list(csv.DictReader(_text(path).splitlines()))
    if not rows or not set(columns) <= set(rows[0]):
        raise InputError(f"{path} lacks one of the columns {', '.join(columns)}; unpack the data set again")
    return [tuple(row[column] for column in columns) for row in rows]


def _json(path):
    text = _text(path)
    try:
        return dict(json.loads(text))
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path} is not a JSON object; unpack the data set again") from error
