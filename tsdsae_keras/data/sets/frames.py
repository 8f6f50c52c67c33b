"""Frames of one's own: numbered pictures in a folder, or in one folder for each video.

Neighbouring frames of a video are the pairs. There are no factors to score; the frame's number, from 0 to 1 within its
video, is given as the only one. Video files are not decoded here: write their frames first, for example with
`ffmpeg -i video.mp4 frames/%06d.png`.
"""

import hashlib
import re
from pathlib import Path

import numpy as np

from tsdsae_keras.data.sets.pair_data import PairData
from tsdsae_keras.data.sets.transitions import interleave
from tsdsae_keras.errors import InputError
from tsdsae_keras.untrusted import one_line

PICTURES = {".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff"}
VIDEOS = {".mp4", ".avi", ".mov", ".mkv", ".webm", ".m4v", ".mpg"}


class Frames(PairData):
    """Pairs of neighbouring frames, (side, side, channels).

    Args:
        identity: as in `PairData`.
        frames: (frames, side, side, channels) uint8, videos one after the other.
        lengths: of the videos.
    """

    def __init__(self, identity, frames, lengths):
        super().__init__(identity, frames.shape[1:], ("time",), "frames have no factors: scores are of the time alone")
        self.frames_of = frames
        self.starts = np.setdiff1d(np.arange(len(frames)), np.cumsum(lengths) - 1)
        self.time = np.concatenate([np.linspace(0, 1, length) for length in lengths])

    def pairs(self, rng, n):
        first = self.starts[rng.integers(len(self.starts), size=n)]
        rows = interleave(first, first + 1)
        return self.frames_of[rows].astype("float32") / 255, self.time[rows, None]


def open_frames(settings):
    """The frames that a run asks for.

    Raises:
        InputError: there is no folder, no frame, one frame only, or frames of unequal size or format.
    """
    if settings.folder is None:
        raise InputError("--data frames needs --folder, the folder of the frames")
    if settings.side % 16:
        raise InputError(f"--side is {settings.side}; it must be a multiple of 16")
    videos = find_videos(Path(settings.folder))
    paths, sizes = [path for video in videos for path in video], {}
    frames = np.stack([_read(path, settings, sizes) for path in paths])
    identity = f"frames {hashlib.sha256(frames).hexdigest()}"
    return Frames(identity, frames, [len(video) for video in videos])


def find_videos(folder):
    """The frames of each video, in the order of their numbers: lists of paths.

    Raises:
        InputError: there is no folder, or it has no two neighbouring frames.
    """
    if not folder.is_dir():
        raise InputError(f"{folder} is not a folder; give one with numbered frames")
    places = [folder, *sorted(path for path in folder.iterdir() if path.is_dir())]
    videos = [sorted(filter(_is_picture, place.iterdir()), key=_number) for place in places]
    found = sum(map(len, videos))
    if not found:
        clips = [path.name for path in folder.iterdir() if path.suffix.lower() in VIDEOS]
        more = f"; {clips[0]} is a video: write its frames first, for example with ffmpeg" if clips else ""
        raise InputError(f"{folder} has no frames ({', '.join(sorted(PICTURES))}){more}")
    videos = [video for video in videos if len(video) > 1]
    if not videos:
        raise InputError(f"{folder} has {found} frame only in each video; pairs need two or more")
    return videos


def _is_picture(path):
    return path.suffix.lower() in PICTURES


def _number(path):
    """Text with its numbers as numbers, so that frame 10 comes after frame 9."""
    return [int(part) if part.isdigit() else part for part in re.split(r"(\d+)", path.name)]


def _read(path, settings, sizes):
    """One frame as (side, side, channels) uint8; `sizes` remembers that of the first."""
    from PIL import Image

    try:
        with Image.open(path) as image:
            first = sizes.setdefault("first", (path.name, image.size))
            if image.size != first[1]:
                raise InputError(f"{path} is {image.size}, {first[0]} {first[1]}; all frames must be of one size")
            image = image.convert("L" if settings.grey else "RGB").resize((settings.side, settings.side))
            return np.asarray(image).reshape(settings.side, settings.side, -1)
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{path} is not a picture that can be read ({one_line(error, 80)})") from None
