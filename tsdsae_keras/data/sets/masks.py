"""Masks of pedestrians: one moving silhouette, whose centre and area step as in videos from a car.

With the published KITTI Masks (`file`, a pickle, or an .npz that holds the same) the pairs are those of videos; without
it a standing figure is drawn whose steps follow the published fits. Pairs are up to `max_dt` frames apart. Factors are
the centre of mass, y and x, and the area of what is seen, in pixels. Source: Klindt et al., ICLR 2021.
"""

import zipfile

import numpy as np

from tsdsae_keras.data.sets import outlines
from tsdsae_keras.data.sets.pair_data import PairData
from tsdsae_keras.data.sets.steps import MASKS, draw_steps, walk
from tsdsae_keras.data.sets.transitions import interleave
from tsdsae_keras.errors import InputError
from tsdsae_keras.files import sha256_of
from tsdsae_keras.interop.pickles import load_pickle

FACTORS = ("y", "x", "area")
RANGES = {"y": (16.0, 48.0), "x": (8.0, 56.0), "area": (40.0, 600.0)}  # pixels, of figures that are drawn
WIDTHS = (0.8, 1.3)  # of a figure, which it keeps within a pair
FRAMES, LATENTS, LENGTHS = "pedestrians", "pedestrians_latents", "lengths"


class DrawnMasks(PairData):
    """Pairs of drawn silhouettes, (64, 64, 1), 0 or 1.

    Args:
        max_dt: frames between the two of a pair, at most.
    """

    def __init__(self, max_dt):
        super().__init__(f"masks, drawn, {max_dt}", (64, 64, 1), FACTORS, "figures are drawn; --file takes KITTI Masks")
        self.max_dt = max_dt
        figure = outlines.pedestrian()
        self.figure = figure - figure.mean(axis=0)

    def pairs(self, rng, n):
        apart = rng.integers(1, self.max_dt + 1, size=(n, 1)) > np.arange(self.max_dt)
        first = np.stack([rng.uniform(*RANGES[name], n) for name in FACTORS], axis=1)
        steps = [(draw_steps(MASKS[name], rng, apart.shape) * apart).sum(axis=1) for name in FACTORS]
        second = [walk(place, step, *RANGES[name]) for place, step, name in zip(first.T, steps, FACTORS, strict=True)]
        width = np.repeat(rng.uniform(*WIDTHS, n), 2)
        x = self.draw(interleave(first, np.stack(second, axis=1)), width)
        return x, moments(x)

    def draw(self, places, width):
        """Silhouettes at centres y and x with areas (n, 3) in pixels, and of relative widths (n,)."""
        shapes = self.figure * np.stack([width, 1 / width], axis=1)[:, None]
        placed = [
            outlines.place(shape, x / 64, 1 - y / 64, np.sqrt(area) / 64)
            for shape, (y, x, area) in zip(shapes, places, strict=True)
        ]
        return outlines.draw_sharp(placed)


def moments(x):
    """Centre of mass, y and x, and area of masks (n, 64, 64, 1), in pixels: (n, 3)."""
    mask = x[..., 0]
    area = mask.sum(axis=(1, 2))
    rows, columns = (mask.sum(axis=axis) @ np.arange(64) / np.maximum(area, 1) for axis in (2, 1))
    return np.stack([rows, columns, area], axis=1)


class VideoMasks(PairData):
    """Pairs of frames of videos, (64, 64, 1).

    Args:
        identity: as in `PairData`.
        frames: (frames, 64, 64) bool, sequences one after the other.
        latents: (frames, 3) centre of mass y, x and area.
        lengths: of the sequences.
        max_dt: frames between the two of a pair, at most.
    """

    def __init__(self, identity, frames, latents, lengths, max_dt):
        super().__init__(f"{identity} {max_dt}", (64, 64, 1), FACTORS)
        self.frames_of, self.latents, self.max_dt = frames, latents, max_dt
        ends = np.cumsum(lengths)
        self.last = np.repeat(ends - 1, lengths)  # of the sequence of each frame
        self.starts = np.setdiff1d(np.arange(len(frames)), ends - 1)

    def pairs(self, rng, n):
        first = self.starts[rng.integers(len(self.starts), size=n)]
        second = np.minimum(first + rng.integers(1, self.max_dt + 1, size=n), self.last[first])
        rows = interleave(first, second)
        return self.frames_of[rows, ..., None].astype("float32"), self.latents[rows]


def open_masks(settings):
    """The pairs that a run asks for.

    Raises:
        InputError: `file` is not KITTI Masks.
    """
    if settings.file is None:
        return DrawnMasks(settings.max_dt)
    frames, latents, lengths = read_masks(settings.file)
    return VideoMasks(f"masks {sha256_of(settings.file)}", frames, latents, lengths, settings.max_dt)


def read_masks(path):
    """The frames, latents and lengths of sequences in a pickle or .npz; nothing in a file is executed.

    A pickle is {"pedestrians": list of (T, 64, 64) bool, "pedestrians_latents": list of (T, 3)}; an .npz has the same
    arrays, sequences one after the other, and their "lengths".

    Raises:
        InputError: it holds something else, or no sequence of two frames.
    """
    read = _read_npz if zipfile.is_zipfile(path) else _read_pickle
    frames, latents, lengths = read(path)
    whole = lengths.sum() == len(frames) == len(latents)
    if not whole or frames.ndim != 3 or frames.shape[1:] != (64, 64) or latents.shape[1:] != (3,):
        raise InputError(
            f"{path} holds frames {frames.shape} and latents {latents.shape}; they should be (n, 64, 64) and (n, 3)"
        )
    if frames.dtype != bool:
        raise InputError(f"{path} holds masks of {frames.dtype}; they should be of bool")
    if not (lengths > 1).any() or (lengths < 1).any():
        raise InputError(f"{path} has no sequence of two frames; pairs need two")
    return frames, latents, lengths


def _read_npz(path):
    try:
        with np.load(path, allow_pickle=False) as arrays:
            return tuple(arrays[name] for name in (FRAMES, LATENTS, LENGTHS))
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        names = f"{FRAMES}, {LATENTS} and {LENGTHS}"
        raise InputError(f"{path} does not hold the arrays {names} ({str(error)[:80]})") from None


def _read_pickle(path):
    content = load_pickle(path)
    lists = [content.get(name) if isinstance(content, dict) else None for name in (FRAMES, LATENTS)]
    if not all(isinstance(each, list) and each and all(isinstance(x, np.ndarray) for x in each) for each in lists):
        raise InputError(f"{path} is not a dict with the lists of arrays {FRAMES} and {LATENTS}")
    try:
        return *(np.concatenate(each) for each in lists), np.array([len(each) for each in lists[0]])
    except (ValueError, TypeError) as error:
        raise InputError(f"{path} holds sequences that do not fit each other ({str(error)[:80]})") from None
