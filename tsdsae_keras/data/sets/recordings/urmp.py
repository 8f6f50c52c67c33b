"""URMP, chamber music of which every part was recorded alone: a list of recordings from either form of it on disk.

The original: `NN_Name_inst_inst/AuSep_k_inst_NN_Name.wav`, 48 kHz, 24 bit, with `F0s_k_inst_NN_Name.txt`. The form
that the TS-DSAE study was published with: `inst/{train,val,test}/audio/audio_AuSep_k_inst_NN_Name_i.npy`, 4-s segments
at 16 kHz. Sources: Li, Liu, Dinesh, Duan, Sharma, IEEE Transactions on Multimedia 2019; github
ben-hayes/neural-waveshaping-synthesis.
"""

import os
import re
from pathlib import Path

from tsdsae_keras.data.sets.recordings.sound_file import SoundFile
from tsdsae_keras.errors import InputError

INSTRUMENTS = {
    **{"vn": "violin", "va": "viola", "vc": "cello", "db": "contrabass", "fl": "flute", "ob": "oboe", "cl": "clarinet"},
    **{"sax": "saxophone", "bn": "bassoon", "tpt": "trumpet", "hn": "horn", "tbn": "trombone", "tba": "tuba"},
}
SPLITS = ("recording", "published")
WARNING = (
    "The published split of URMP is over 4-s segments: pieces of one recording are in training, validation and test, "
    "so scores on it flatter; use it for comparison only."
)
_TRACK = re.compile(r"AuSep_\d+_([a-z]+)_\d+_(.+)\.wav", re.IGNORECASE)
_SEGMENT = re.compile(r"audio_AuSep_\d+_([a-z]+)_\d+_(.+)_\d+\.npy", re.IGNORECASE)
_FOLDERS = {"train": "train", "val": "validation", "test": "test"}
_EXTRA = "Supplementary_Files"


def list_urmp(root, instruments=("vn", "tpt"), split="recording"):
    """The recordings of some instruments, and what is left out.

    Groups are titles: pieces of one title ("17_Nocturne", "18_Nocturne") are arrangements that partly share the very
    same recordings under other numbers, so a split by number leaks. It cannot tell players, whom the files do not name:
    one player may be in two splits. Of two channels the left is taken, as published. The published search missed
    parts whose instrument ends the folder's name (the violin of 08_Spring_fl_vn); here they are found.

    Args:
        root: the folder that holds the pieces (`Dataset/` may be above it), or the one that holds `vn/train/audio`.
            Where both forms are there, "recording" takes the original.
        instruments: URMP's short names, the keys of `INSTRUMENTS`; the label "instrument" holds the long ones.
        split: "recording": drawn later, by title, whatever the folders say. "published": over segments, which leaks,
            see `WARNING`: as the folders of the published form say; the original has none, so give these recordings to
            `prepare_recordings` with by_segment, which draws as was published, though not the same segments.

    Returns:
        ([SoundFile], [(name, reason)]), both ordered by name.

    Raises:
        InputError: no such folder, instrument or split; no recording of them.
    """
    root, codes = Path(root), _check_options(instruments, split)
    if not root.is_dir():
        raise InputError(f"{root} is not a folder: give the one that holds 01_Jupiter_vn_vc, or vn/train/audio")
    files, left_out = _files(root)
    segments = [path for path in files if _is_segment(path)]
    tracks = [path for path in files if path.suffix.lower() == ".wav"]
    chosen = segments if segments and (split == "published" or not tracks) else tracks
    read = _segment if chosen is segments else _track
    found = [(path.relative_to(root).as_posix(), read(path, root, codes, split)) for path in chosen]
    recordings = [each for _, each in found if isinstance(each, SoundFile)]
    if not recordings:
        raise InputError(f"{root} has no recording of {', '.join(codes)}{_reasons(found)}")
    left_out += [pair for pair in found if isinstance(pair[1], str)]
    return sorted(recordings, key=lambda recording: recording.name), sorted(left_out)


def _check_options(instruments, split):
    codes = (instruments,) if isinstance(instruments, str) else tuple(instruments)
    unknown = [code for code in codes if code not in INSTRUMENTS]
    if unknown or not codes:
        given = f"{unknown[0]!r} is not an instrument" if unknown else "no instrument is named"
        raise InputError(f"{given} of URMP: choose from {', '.join(INSTRUMENTS)}")
    if split not in SPLITS:
        raise InputError(f"split is {split!r}; choose {' or '.join(SPLITS)}")
    return codes


def _files(root):
    """All files below a folder but those of the supplement, and what could not be looked at."""
    files, left_out = [], []

    def on_error(error):
        name = Path(error.filename).relative_to(root).as_posix()
        left_out.append((name, f"the folder cannot be read ({error.strerror})"))

    for folder, folders, names in os.walk(root, onerror=on_error):
        if _EXTRA in folders:
            folders.remove(_EXTRA)
            left_out.append(((Path(folder) / _EXTRA).relative_to(root).as_posix(), "the supplement holds no pieces"))
        folders.sort()
        files += [Path(folder) / name for name in sorted(names) if not name.startswith(".")]
    return files, left_out


def _is_segment(path):
    return path.suffix == ".npy" and path.parent.name == "audio" and path.parent.parent.name in _FOLDERS


def _track(path, root, codes, split):
    """The recording of a file of the original, or why there is none."""
    match = _TRACK.fullmatch(path.name)
    if not match:
        mixed = path.name.startswith("AuMix")
        return "a mixture of instruments" if mixed else "its name is not of the form AuSep_1_vn_01_Jupiter.wav"
    code, title = match[1].lower(), match[2]
    if code not in codes:
        return _other(code, codes)
    pitch = path.with_name(f"F0s_{path.stem[len('AuSep_') :]}.txt")
    return SoundFile(
        path.relative_to(root).as_posix(),
        path,
        labels={"instrument": INSTRUMENTS[code]},
        group=title,
        channel=0,
        pitch=pitch if pitch.is_file() else None,
        loudness_group=code,
    )


def _segment(path, root, codes, split):
    """The recording of a file of the published form, or why there is none."""
    name = path.relative_to(root).as_posix()
    match = _SEGMENT.fullmatch(path.name)
    if not match:
        return "its name is not of the form audio_AuSep_1_vn_01_Jupiter_0.npy, so its recording is unknown"
    code, title = match[1].lower(), match[2]
    if code not in codes:
        return _other(code, codes)
    own = split == "published"
    return SoundFile(
        name,
        path,
        labels={"instrument": INSTRUMENTS[code]},
        group=name if own else title,
        split=_FOLDERS[path.parent.parent.name] if own else None,
        loudness_group=code,
    )


def _other(code, codes):
    return f"instrument {code} was not asked for (only {', '.join(codes)})"


def _reasons(found):
    """The commonest reasons, to end an error with."""
    reasons = [reason for _, reason in found]
    if not reasons:
        return ": give the folder that holds 01_Jupiter_vn_vc, or vn/train/audio"
    commonest = sorted(set(reasons), key=lambda reason: (-reasons.count(reason), reason))[:3]
    return f"; of {len(found)} files: {'; '.join(f'{reasons.count(reason)}: {reason}' for reason in commonest)}"
