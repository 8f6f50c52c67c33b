"""A folder of sound files as recordings: every file is used, or listed with the reason why not."""

import csv
import os
import re
import stat
import unicodedata
from pathlib import Path

from tsdsae_keras.data.sets.recordings.sound_file import SoundFile
from tsdsae_keras.errors import InputError

SUFFIXES = (
    *(".wav", ".wave", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".aif", ".aiff", ".aifc", ".au", ".snd"),
    *(".caf", ".w64", ".rf64", ".voc", ".sph", ".nist", ".sf", ".ircam", ".paf", ".pvf", ".wve"),
)
_COMPRESSED = (".m4a", ".aac", ".mp4", ".m4b", ".wma", ".ape", ".wv", ".amr", ".ac3", ".mka", ".webm")
_FOLDER = "folder"


def list_folder(root, labels=None, split_by="file"):
    """The sound files of a folder and of the folders in it, as recordings.

    Args:
        root: the folder. Links to files are followed, links to folders are not.
        labels: None; "folder", which gives each file the label "instrument", the name of the folder it is in; or
            the path of a CSV file with a header, a column `file` (path below the folder, "/" between folders) and a
            column for each label. Empty cells mean no label.
        split_by: what goes together when splits are drawn: "file" (each alone), "folder" (the files of one folder), the
            name of a column of the CSV file, or a regular expression that is looked for in the name of each file: what
            its first group finds, else what all of it finds, is the group. The group also decides what is normalised
            together where that is done by group.

    Returns:
        (recordings, left_out): a list of `SoundFile` and a list of (name, reason), both by name.

    Raises:
        InputError: no such folder; a CSV file that cannot be used, or that names a file that is not there; a regular
            expression that is invalid or matches no name.
    """
    root = Path(root)
    if not root.is_dir():
        raise InputError(f"{root} is not a folder; give the folder that holds your sound files")
    table = _Table(labels) if labels not in (None, _FOLDER) else None
    found, left_out = _walk(root, table)
    names = [name for name, _ in found]
    group_of = _make_grouping(split_by, table, names)
    recordings = []
    for name, path in found:
        known, reason = _labels_of(name, labels, table)
        group = group_of(name)
        if reason or not group:
            left_out.append((name, reason or f"--split-by {split_by} finds no group in its name"))
        else:
            recordings.append(SoundFile(name, path, known, group, loudness_group=group))
    if table is not None:
        table.check_used([*names, *(name for name, _ in left_out)])
    return recordings, sorted(left_out)


def _walk(root, table):
    """([(name, path)], [(name, reason)]) of everything in the folder, by name."""
    found, left_out = [], []

    def on_error(error):
        left_out.append((_name(Path(error.filename), root), f"cannot be listed ({error.strerror})"))

    for folder, folders, files in os.walk(root, onerror=on_error):
        links = [name for name in folders if (Path(folder) / name).is_symlink()]
        left_out += [(_name(Path(folder) / name, root), "a link to a folder, which is not followed") for name in links]
        for path in (Path(folder) / name for name in files):
            if table is not None and path.resolve() == table.path.resolve():
                continue
            reason = _no_sound(path)
            (left_out if reason else found).append((_name(path, root), reason or path))
    return sorted(found), left_out


def _name(path, root):
    """The path below the root; bytes that are not UTF-8 are shown as \\xNN."""
    return os.fsencode(path.relative_to(root).as_posix()).decode("utf-8", "backslashreplace")


def _no_sound(path):
    """Why a file is not a recording, or None, as far as its name and kind tell."""
    suffix = path.suffix.lower()
    if path.name.startswith("."):
        return "a hidden file"
    if suffix in _COMPRESSED:
        return f"{suffix} is not read here; convert it to WAV or FLAC"
    if suffix not in SUFFIXES:
        return f"the suffix {suffix!r} is not that of a sound file" if suffix else "has no suffix of a sound file"
    try:
        mode = path.stat().st_mode
    except OSError as error:
        what = "a link that leads nowhere" if path.is_symlink() else "cannot be read"
        return f"{what}; {error.strerror}"
    return None if stat.S_ISREG(mode) else "not a plain file"


def _labels_of(name, labels, table):
    """({label: text}, None), or ({}, why the file has none)."""
    if labels is None:
        return {}, None
    if table is not None:
        return table.labels(name)
    parent = name.rpartition("/")[0].rpartition("/")[2]
    return ({"instrument": parent}, None) if parent else ({}, "is not in a sub-folder that could name its label")


def _make_grouping(split_by, table, names):
    """The function from a name to its group, which is "" where there is none."""
    if split_by == "file":
        return lambda name: name
    if split_by == _FOLDER:
        return lambda name: name.rpartition("/")[0] or "."
    if table is not None and split_by in table.columns:
        return lambda name: table.cell(name, split_by)
    try:
        pattern = re.compile(split_by)
    except re.error as error:
        raise InputError(
            f"--split-by {split_by!r} is not a regular expression ({error}); give file, folder, a column of the "
            "labels or such as '^([^_]+)_'"
        ) from error
    if names and not any(_find_group(pattern, name) for name in names):
        columns = f", nor a column among {', '.join(table.columns)}" if table is not None else ""
        raise InputError(f"--split-by {split_by!r} matches no name, such as {names[0]!r}{columns}")
    return lambda name: _find_group(pattern, name)


def _find_group(pattern, name):
    match = pattern.search(name)
    return (match[1] if pattern.groups else match[0]) or "" if match else ""


class _Table:
    """A CSV file of labels, one row a file."""

    def __init__(self, path):
        self.path = Path(path)
        try:
            with self.path.open(encoding="utf-8-sig", newline="") as file:
                rows = list(csv.reader(file))
        except OSError as error:
            raise InputError(f"--labels {path} cannot be read ({error.strerror}); give 'folder' or a CSV") from error
        except (UnicodeDecodeError, csv.Error) as error:
            raise InputError(f"{path} is not a CSV file in UTF-8 ({error}); save it as such") from error
        header = [name.strip() for name in rows[0]] if rows else []
        if "file" not in header or len(set(header)) < len(header) or "" in header:
            shown = ", ".join(map(repr, header[:8])) or "nothing"
            raise InputError(f"the header of {path} is {shown}; it needs a column 'file' and one for each label")
        self.columns = [name for name in header if name != "file"]
        self._rows = {}
        for line, row in enumerate(rows[1:], 2):
            self._add(line, header, row)

    def labels(self, name):
        """({label: text}, None), or ({}, why there are none)."""
        row = self._rows.get(_plain(name))
        if row is None:
            return {}, f"has no row in {self.path.name}"
        return {column: row[column] for column in self.columns if row[column]}, None

    def cell(self, name, column):
        """The text of one cell; "" where there is none."""
        return self._rows.get(_plain(name), {}).get(column, "")

    def check_used(self, names):
        """InputError where a row names a file that is not there."""
        known = {_plain(name) for name in names}
        unused = [row["file"] for key, row in self._rows.items() if key not in known]
        if unused:
            raise InputError(
                f"{self.path} names {unused[0]!r}, which is not in the folder ({len(unused)} such rows): give paths "
                "below the folder, '/' between folders"
            )

    def _add(self, line, header, row):
        if not row:
            return
        if len(row) != len(header):
            raise InputError(f"{self.path} line {line} has {len(row)} cells, its header {len(header)}: fix the line")
        cells = {name: cell.strip() for name, cell in zip(header, row, strict=True)}
        key = _plain(cells["file"])
        if key in self._rows:
            raise InputError(f"{self.path} line {line} names {cells['file']!r} a second time: keep one of the rows")
        self._rows[key] = cells


def _plain(name):
    """A path as it is compared: on any system, with composed characters."""
    return unicodedata.normalize("NFC", name.replace("\\", "/").removeprefix("./"))
