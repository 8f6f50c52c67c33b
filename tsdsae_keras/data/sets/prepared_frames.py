"""Frames of one's own, brought to one size and stored, so that runs need not read the pictures again.

FOLDER/frames.npy     all frames, uint8, one video after the other; read a few at a time
FOLDER/frames.json    the lengths of the videos, and the identity of both
"""

import json
import logging
from pathlib import Path

import numpy as np

from tsdsae_keras.data.prepared.files import make_folder
from tsdsae_keras.data.prepared.npy import map_array
from tsdsae_keras.data.sets.frames import Frames, open_frames
from tsdsae_keras.errors import InputError
from tsdsae_keras.files import replacing, write_json
from tsdsae_keras.untrusted import reason

log = logging.getLogger(__name__)

FRAMES, RECORD, LARGEST = "frames.npy", "frames.json", 1 << 22  # bytes of the record
REMEDY = "prepare them again: tsdsae-keras prepare frames DIR"


def prepare_frames(settings):
    """Checks the frames in a folder and stores them in the cache; returns them, opened from there.

    Raises:
        InputError: as `frames.open_frames`; the cache cannot be written.
    """
    data = open_frames(settings)
    folder = Path(settings.cache) / f"frames-{data.identity.split()[1][:12]}"
    make_folder(folder)
    try:
        with replacing(folder / FRAMES) as temporary:
            np.save(temporary, data.frames_of)
        # Written last: a folder that has it is whole.
        write_json(folder / RECORD, {"lengths": data.lengths, "identity": data.identity})
    except OSError as error:
        raise InputError(f"{folder} cannot be written ({error.strerror or error}); give another --cache") from error
    log.info(f"{len(data.frames_of)} frames {data.x_shape} of {len(data.lengths)} videos: train with --data {folder}")
    return open_prepared_frames(folder)


def open_prepared_frames(folder):
    """The frames of a folder that `prepare_frames` made; nothing in it is executed.

    Raises:
        InputError: it is another folder, or its files have changed.
    """
    folder = Path(folder)
    if not (folder / RECORD).is_file():
        raise InputError(f"{folder} holds no frames; give a data set, or a folder of tsdsae-keras prepare frames DIR")
    try:
        with (folder / RECORD).open("rb") as file:
            record = json.loads(file.read(LARGEST))
        lengths, identity = record["lengths"], record["identity"]
        frames = map_array(folder / FRAMES)
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise InputError(f"{folder} cannot be read ({reason(error)}); {REMEDY}") from None
    if frames.dtype != np.uint8 or frames.ndim != 4 or frames.shape[1] % 16 or frames.shape[2] % 16:
        raise InputError(f"{folder} holds {frames.dtype} {frames.shape}; frames are uint8, of sides that 16 divides")
    whole = isinstance(lengths, list) and all(type(n) is int and n > 1 for n in lengths) and sum(lengths) == len(frames)
    data = Frames(frames, lengths, folder) if whole else None
    if data is None or data.identity != identity:
        raise InputError(f"{folder} has changed since it was prepared; {REMEDY}")
    return data
