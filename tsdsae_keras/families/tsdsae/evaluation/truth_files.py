"""True swaps that a user has as sound files: a table of melody, timbre and what their swap must sound like."""

import csv
from pathlib import Path

import numpy as np

from tsdsae_keras.errors import InputError, quote
from tsdsae_keras.families.tsdsae.evaluation.counterfactual import TrueSwaps, pad_sequences
from tsdsae_keras.families.tsdsae.sound.codec import Recording

COLUMNS = ("melody", "timbre", "truth")
LONGEST = 1 << 20  # bytes of a table
FRAMES = 1 << 20  # of all rows together, padded: five copies of them are held


def read_truth(path, front_end):
    """The `TrueSwaps` of a table of sound files.

    Args:
        path: a CSV file with the columns melody, timbre and truth: the sound file of a melody, that of another
            instrument, and the melody played by that instrument, as long as the first. Relative names are from the
            table's folder. Directions are called by the folders of melody and timbre.
        front_end: the `FrontEnd` of the model.

    Raises:
        InputError: a table of another form, a file that is missing or cannot be read, or one whose truth has another
            length than its melody.
    """
    rows = _read_rows(Path(path))
    frames = {}  # each file is read once, however many rows name it
    for place, row in enumerate(rows, start=2):
        for file in row:
            if file not in frames:
                _check_there(path, place, file)
                frames[file] = _frames_of(file, front_end)
        melody, _, truth = (len(frames[file]) for file in row)
        if melody != truth:
            raise InputError(
                f"{path}, line {place}: {row[2]} has {truth} frames and {row[0]} has {melody}; a truth must be as long "
                "as its melody"
            )
    if len(rows) * max(map(len, frames.values())) > FRAMES:
        raise InputError(f"{path} names too much sound to hold at once: cut the files into pieces of some seconds")
    return _stack(rows, frames)


def _read_rows(path):
    """[(melody, timbre, truth)], paths."""
    if not path.is_file():
        raise InputError(f"--truth {path} is not a file; give a CSV file with the columns {','.join(COLUMNS)}")
    if path.stat().st_size > LONGEST:
        raise InputError(f"--truth {path} has {path.stat().st_size} bytes; at most {LONGEST} are read")
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            lines = [line for line in csv.reader(file) if line]
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"--truth {path} is not a CSV file in UTF-8") from error
    header = tuple(name.strip() for name in lines[0]) if lines else ()
    if sorted(header) != sorted(COLUMNS):
        found = quote(",".join(header))
        raise InputError(f"--truth {path} has the columns {found}; its first line must be {','.join(COLUMNS)}")
    if len(lines) < 2 or any(len(line) != len(COLUMNS) or not all(map(str.strip, line)) for line in lines):
        raise InputError(f"--truth {path}: give one line or more below the first, three sound files in each")
    order = [header.index(name) for name in COLUMNS]
    return [tuple(path.parent / line[place].strip() for place in order) for line in lines[1:]]


def _check_there(path, place, file):
    if not file.is_file():
        raise InputError(f"{path}, line {place}: {file} is not a file; names are relative to the folder of the table")


def _frames_of(file, front_end):
    """All log-mel frames of a sound file (T, bands)."""
    return np.concatenate([frames[window.core] for window, frames in Recording(file, front_end).windows()])


def _stack(rows, frames):
    original, mask = pad_sequences([frames[melody] for melody, _, _ in rows])
    timbre, timbre_mask = pad_sequences([frames[timbre] for _, timbre, _ in rows])
    truth, _ = pad_sequences([frames[truth] for _, _, truth in rows])
    names = [tuple(file.resolve().parent.name for file in row[:2]) for row in rows]
    # Where all files lie in one folder, it says nothing of who plays.
    pairs = names if any(own != other for own, other in names) else [("melody", "timbre")] * len(rows)
    groups = np.unique([str(melody) for melody, _, _ in rows], return_inverse=True)[1]
    return TrueSwaps(original, truth, timbre, pairs, groups, mask, timbre_mask, source="sound files")
