"""A task from any folder of sounds: labels by sub-folder or from a CSV file, splits drawn by group."""

import functools
from dataclasses import replace
from pathlib import Path

import numpy as np

from tsdsae_keras.data.audio.clips import Clip, read_clip
from tsdsae_keras.data.prepared.splits import LABEL, split_by_group
from tsdsae_keras.data.sets.recordings.folder import list_folder
from tsdsae_keras.data.tasks import Task
from tsdsae_keras.errors import InputError

LONGEST = 10.0  # seconds of a clip that are looked at
SPLIT = "split"  # column of a CSV file that gives the splits


def open_folder(folder, labels="folder", split_by="file"):
    """Every sound of a folder, its label the name of its sub-folder or the first column of a CSV file.

    A column `split` with train, validation and test is taken as it is; else 80, 10 and 10 % of the groups are drawn.
    Clips are cut or padded to the length that nine tenths of them do not exceed, at most 10 s.

    Args:
        folder, labels, split_by: as `list_folder` takes them.

    Raises:
        InputError: as `list_folder` and `split_by_group`; a clip without label; fewer than two classes.
    """
    recordings, _ = list_folder(folder, labels, split_by)
    if not recordings:
        raise InputError(
            f"{folder} holds no labelled sounds; give one with a sub-folder for each class, or --labels CSV"
        )
    name = next((each for each in recordings[0].labels if each != SPLIT), None)
    lacking = next((each.name for each in recordings if not name or name not in each.labels), None)
    if lacking:
        raise InputError(f"{lacking} has no label; give every row one, or leave the file out of the CSV")
    # `split_by_group` keeps the label "instrument" in proportion, whatever it means.
    known = [
        replace(each, labels={LABEL: each.labels[name]}, split=each.labels.get(SPLIT), loudness_group="")
        for each in recordings
    ]
    drawn = split_by_group(known, seed=0)
    clips = [
        Clip(
            each.name,
            functools.partial(read_clip, each.path, LONGEST),
            each.labels[LABEL],
            drawn[each.name],
            each.group,
        )
        for each in known
    ]
    return Task(Path(folder).name, f"{name} in {Path(folder).name}", _seconds(known), clips)


def _seconds(recordings):
    import soundfile

    lengths = []
    for each in recordings:
        try:
            lengths.append(soundfile.info(str(each.path)).duration)
        except soundfile.SoundFileError as error:
            raise InputError(f"{each.path} is not a sound file that can be read here; convert it to WAV") from error
    return float(min(LONGEST, np.ceil(10 * np.quantile(lengths, 0.9)) / 10))
