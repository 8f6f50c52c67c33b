"""Natural Sprites: white sprites whose position and size step as objects in videos do.

Angle and shape stay within a pair; x, y and scale step. With the published table of object masks (`file`) the pairs are
those of videos; without it the steps are drawn from the published fits ("Natural-Sprites-like": independent steps, no
real co-occurrence). Source: Klindt et al., ICLR 2021; shapes as in github google-deepmind/spriteworld (Apache-2.0).
"""

import ast
import csv
import itertools

import numpy as np

from tsdsae_keras.data.sets import outlines
from tsdsae_keras.data.sets.pair_data import GridPairs, PairData
from tsdsae_keras.data.sets.steps import SPRITES, draw_steps, walk
from tsdsae_keras.data.sets.transitions import Grid, interleave
from tsdsae_keras.errors import InputError
from tsdsae_keras.files import sha256_of
from tsdsae_keras.untrusted import one_line

SHAPES = (
    outlines.polygon(4, np.pi / 4),
    outlines.polygon(3, np.pi / 2),
    outlines.star_4(),
    outlines.spoke_4(),
)
FACTORS = ("x", "y", "scale", "angle", "shape")
ANGLES = 40
WINDOWS = (0, 32, 64)  # first columns of the three windows of 64 pixels in a video of 64 x 128
AREAS = (60.0, 900.0)  # pixels, of sprites whose steps are drawn
GRID = Grid(FACTORS, (32, 32, 6, ANGLES, 4), categorical=("shape",))
CELL = 200  # letters


def draw_sprites(values):
    """Frames of factors (n, 5): x, y between 0 and 1, scale, angle and shape as numbers: (n, 64, 64, 3) float32."""
    placed = [
        outlines.place(SHAPES[int(shape)], x, y, scale, 2 * np.pi * angle / ANGLES)
        for x, y, scale, angle, shape in np.asarray(values)
    ]
    return outlines.draw(placed, channels=3)


class NaturalSprites(PairData):
    """Pairs of sprites, (64, 64, 3).

    Args:
        identity: as in `PairData`.
        table: (pairs, 2, 3) of (x, y, scale) before and after, in units of the frame; None draws the steps.
    """

    def __init__(self, identity, table=None):
        warning = None if table is not None else "steps are drawn from published fits; --file takes the real table"
        super().__init__(identity, (64, 64, 3), FACTORS, warning)
        self.table = table

    def pairs(self, rng, n):
        first, second = self._moves(rng, n)
        still = np.stack([rng.integers(ANGLES, size=n), rng.integers(len(SHAPES), size=n)], axis=1)
        values = interleave(*(np.concatenate([moving, still], axis=1) for moving in (first, second)))
        return draw_sprites(values), values

    def _moves(self, rng, n):
        if self.table is not None:
            rows = self.table[rng.integers(len(self.table), size=n)]
            return rows[:, 0], rows[:, 1]
        ranges = {"x": (8.0, 56.0), "y": (8.0, 56.0), "area": AREAS}
        start = {name: rng.uniform(*span, n) for name, span in ranges.items()}
        end = {name: walk(start[name], draw_steps(SPRITES[name], rng, n), *ranges[name]) for name in ranges}
        return _scale(start), _scale(end)


def _scale(moving):
    """(n, 3) of x, y, scale in units of the frame from pixels."""
    return np.stack([moving["x"] / 64, moving["y"] / 64, np.sqrt(moving["area"]) / 64], axis=1)


def open_natural_sprites(settings):
    """The pairs that a run asks for: continuous ones, or with `discrete` a grid whose factors are drawn uniformly.

    Raises:
        InputError: `file` is not the published table.
    """
    table = None if settings.file is None else read_table(settings.file)
    identity = "natural sprites" if table is None else f"natural sprites {sha256_of(settings.file)}"
    if not settings.discrete:
        return NaturalSprites(identity, table)
    span = _span(table)

    def frames(factors):
        bins = (np.asarray(factors)[:, :3] + 0.5) / GRID.sizes[:3]
        moving = span[0] + bins * (span[1] - span[0])
        scale = np.sqrt(moving[:, 2:])
        return draw_sprites(np.concatenate([moving[:, :2], scale, np.asarray(factors)[:, 3:]], axis=1))

    return GridPairs(GRID, frames, settings, f"{identity}, discrete", (64, 64, 3))


def _span(table):
    """Least and greatest x, y and area (of a frame of area 1), whose bins of equal width make the grid."""
    if table is None:
        return np.array([[0.125, 0.125, AREAS[0] / 64**2], [0.875, 0.875, AREAS[1] / 64**2]])
    moving = table.reshape(-1, 3) ** [1, 1, 2]
    return np.stack([moving.min(axis=0), moving.max(axis=0)])


def read_table(path):
    """The published table of masks (downscale_keepaspect.csv): pairs of consecutive cells "(y, x, area)" of a row.

    Videos are 64 x 128 pixels and are cut into three windows of 64 columns; a pair is kept where both centres lie in
    the window and both areas lie between the 5 % and 95 % quantiles of their frame.

    Returns:
        (pairs, 2, 3) of (x, y, scale) in units of the frame.

    Raises:
        InputError: the file is not such a table, or has no pair.
    """
    try:
        with open(path, newline="", encoding="utf-8") as file:
            tracks = [[_cell(text) for text in row] for row in csv.reader(file)]
    except (OSError, ValueError, SyntaxError, csv.Error) as error:
        reason = one_line(error, 80)
        raise InputError(f"{path} is not a table of masks ({reason}); its cells are '(y, x, area)' or empty") from None
    pairs = [(a, b) for track in tracks for a, b in itertools.pairwise(track) if a and b]
    if not pairs:
        raise InputError(f"{path} has no two neighbouring cells '(y, x, area)'; give downscale_keepaspect.csv")
    return _windows(np.array(pairs, "float64"), path)


def _cell(text):
    """(y, x, area), or None for an empty cell, an index or a head."""
    text = text.strip()
    if not text.startswith("("):
        return None
    values = ast.literal_eval(text[:CELL])
    if len(values) != 3 or not all(isinstance(value, int | float) for value in values):
        raise ValueError(f"the cell {text[:40]}")
    return values


def _windows(pairs, path):
    y, x, area = np.moveaxis(pairs, -1, 0)  # (pairs, 2) each
    low, high = np.quantile(area, [0.05, 0.95], axis=0)
    fits = ((area >= low) & (area <= high)).all(axis=1)
    found = []
    for column in WINDOWS:
        inside = fits & ((x >= column) & (x < column + 64)).all(axis=1)
        moving = (x - column) / 64, y / 64, np.sqrt(area) / 64
        found.append(np.stack(moving, axis=-1)[inside])
    table = np.concatenate(found)
    if not len(table):
        raise InputError(f"{path} has no pair whose areas lie between their 5 % and 95 % quantiles")
    return table
