"""Frames of one's own: numbered pictures in a folder, or in one folder for each video, or animated pictures.

Neighbouring frames of a video are the pairs. There are no factors to score; the frame's number, from 0 to 1 within its
video, is given as the only one. GIF, WebP and PNG with several frames are videos; other video files are not decoded
here: write their frames first, for example with `ffmpeg -i video.mp4 frames/%06d.png`.
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
        frames: (frames, side, side, channels) uint8, videos one after the other.
        lengths: of the videos.
        folder: where they are prepared, or None.
    """

    def __init__(self, frames, lengths, folder=None):
        identity = f"frames {hashlib.sha256(frames).hexdigest()} {list(lengths)}"
        super().__init__(identity, frames.shape[1:], ("time",), "frames have no factors: scores are of the time alone")
        self.frames_of, self.lengths, self.folder = frames, list(lengths), folder
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
        raise InputError("frames need their folder: prepare frames DIR, or --data frames --folder DIR")
    if settings.side % 16:
        raise InputError(f"--side is {settings.side}; it must be a multiple of 16")
    videos = read_videos(Path(settings.folder), settings)
    return Frames(np.concatenate(videos), [len(video) for video in videos])


def read_videos(folder, settings):
    """The frames of each video in the order of their numbers, (time, side, side, channels) uint8 each.

    Args:
        folder: of pictures, or of folders of them.
        settings: with `side` and `grey`.

    Raises:
        InputError: there is no folder, it has no two neighbouring frames, or a picture cannot be used.
    """
    if not folder.is_dir():
        raise InputError(f"{folder} is not a folder; give one with numbered frames")
    sizes, videos = {}, []
    for place in (folder, *sorted(path for path in folder.iterdir() if path.is_dir())):
        pictures = [_read(path, settings, sizes) for path in sorted(filter(_is_picture, place.iterdir()), key=_number)]
        videos.append([pages[0] for pages in pictures if len(pages) == 1])
        videos += [pages for pages in pictures if len(pages) > 1]  # an animated picture is a video by itself
    _check_found(folder, sum(map(len, videos)), max(map(len, videos)))
    return [np.stack(video) for video in videos if len(video) > 1]


def _check_found(folder, count, longest):
    if not count:
        clips = [path.name for path in folder.iterdir() if path.suffix.lower() in VIDEOS]
        more = f"; {clips[0]} is a video: write its frames first, for example with ffmpeg" if clips else ""
        raise InputError(f"{folder} has no frames ({', '.join(sorted(PICTURES))}){more}")
    if longest < 2:
        raise InputError(f"{folder} has {longest} frame only in each video; pairs need two or more")


def _is_picture(path):
    return path.suffix.lower() in PICTURES


def _number(path):
    """Text with its numbers as numbers, so that frame 10 comes after frame 9."""
    return [int(part) if part.isdigit() else part for part in re.split(r"(\d+)", path.name)]


def _read(path, settings, sizes):
    """The frames of a picture, most have one, as (side, side, channels) uint8; `sizes` remembers that of the first."""
    from PIL import Image, ImageSequence

    try:
        with Image.open(path) as image:
            first = sizes.setdefault("first", (path.name, image.size))
            if image.size != first[1]:
                raise InputError(f"{path} is {image.size}, {first[0]} {first[1]}; all frames must be of one size")
            if image.mode[0] in "IF":  # brought to 8 bits, they would be cut off at 255
                raise InputError(f"{path} has pixels of type {image.mode}; frames must have 8 bits a channel")
            return [_scale(page, settings) for page in ImageSequence.Iterator(image)]
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{path} is not a picture that can be read ({one_line(error, 80)})") from None


def _scale(image, settings):
    image = image.convert("L" if settings.grey else "RGB").resize((settings.side, settings.side))
    return np.asarray(image).reshape(settings.side, settings.side, -1)
