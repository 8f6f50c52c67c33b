"""dSprites: pairs of frames drawn on demand, or taken from the published file."""

import numpy as np

from tsdsae_keras.data.sets.dsprites_render import GRID, SIDE, render
from tsdsae_keras.data.sets.image_files import file_identity, image_reader, map_npz
from tsdsae_keras.data.sets.pair_data import GridPairs
from tsdsae_keras.data.sets.transitions import Grid
from tsdsae_keras.errors import InputError


def open_dsprites(settings):
    """The pairs that a run asks for.

    Raises:
        InputError: `file` is not the published file.
    """
    if settings.file is None:
        return GridPairs(GRID, render, settings, "dsprites, re-rendered", (SIDE, SIDE, 1))
    images, classes = (map_npz(settings.file, name, settings.cache) for name in ("imgs", "latents_classes"))
    grid = _grid(classes, settings.file)
    frames = image_reader(images, grid, settings.file)
    identity = f"dsprites {file_identity(settings.file)}"
    return GridPairs(grid, frames, settings, identity, (*images.shape[1:3], 1))


def _grid(classes, path):
    """The grid of a file, from its class indices: a column of ones (the colour), then the five factors."""
    if classes.ndim != 2 or classes.shape[1] != 6 or not len(classes):
        raise InputError(f"{path} has latents_classes {classes.shape}; they should be (frames, 6)")
    sizes = tuple(int(size) for size in np.max(classes, axis=0)[1:] + 1)
    grid = Grid(GRID.names, sizes, GRID.categorical)
    whole = len(classes) == np.prod(sizes)
    if not whole or not np.array_equal(grid.index(np.asarray(classes[:, 1:], int)), np.arange(len(classes))):
        raise InputError(f"{path} does not hold every combination of its factors in order; factors are missing")
    return grid
