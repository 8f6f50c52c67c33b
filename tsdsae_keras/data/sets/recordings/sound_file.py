"""A recording as every source of sound lists it: a file and what is known of it."""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from tsdsae_keras.data.audio.sound_files import audio_blocks
from tsdsae_keras.data.prepared.npy import map_array
from tsdsae_keras.errors import InputError

_BLOCK = 2**16  # samples of an .npy file read at once


@dataclass(frozen=True)
class SoundFile:
    """One sound and what is known of it.

    Args:
        name: path below the root of the data, "/" between folders; unique, and recordings are ordered by it.
        path: the file: any sound that libsndfile reads, or .npy with finite float32 mono samples, shape (n,), at the
            rate of the front end.
        labels: {label: text}; "instrument" is the one that the scores use. Labels may be missing.
        group: recordings of one group are never in two splits, such as those of one player.
        split: "train", "validation" or "test" where the data say it themselves, else None.
        channel: None is the mean of all channels, 0 the left one, 1 the right.
        pitch: a file of fundamental frequencies, for pitch confidence, or None.
        loudness_group: recordings of the same text are normalised together where that is done by group.
    """

    name: str
    path: Path
    labels: dict = field(default_factory=dict)
    group: str = ""
    split: str | None = None
    channel: int | None = None
    pitch: Path | None = None
    loudness_group: str = ""


def read_blocks(recording, sample_rate):
    """The samples of a recording in blocks of at most a few seconds, float32 (n,), so that memory does not grow with
    its length.

    Raises:
        InputError: as `sound_files.audio_blocks`; a channel that the file does not have; an .npy file of another kind.
    """
    if recording.path.suffix.lower() == ".npy":
        return _read_npy_blocks(recording.path)
    return audio_blocks(recording.path, sample_rate, channel=recording.channel)


def _read_npy_blocks(path):
    try:
        samples = map_array(path)
    except (ValueError, EOFError, OSError) as error:
        raise InputError(f"{path} is not a readable .npy file ({type(error).__name__})") from error
    if not isinstance(samples, np.ndarray) or samples.dtype != np.float32 or samples.ndim != 1 or not len(samples):
        found = f"{getattr(samples, 'dtype', type(samples).__name__)} {getattr(samples, 'shape', '')}"
        raise InputError(f"{path} holds {found}; samples are float32 of shape (n,)")
    for start in range(0, len(samples), _BLOCK):
        block = np.array(samples[start : start + _BLOCK])
        if not np.isfinite(block).all():
            raise InputError(f"{path} holds NaN or infinity; give finite samples")
        yield block
