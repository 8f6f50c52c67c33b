"""Grids of factors, and how a pair of neighbouring frames steps on one.

A grid has factors with so many values each; a frame is named by class indices (n, factors). Source of both laws:
Klindt et al., ICLR 2021, and their code, github bethgelab/slow_disentanglement; UNI after Locatello et al. 2020.
"""

import math
from dataclasses import dataclass

import numpy as np

from tsdsae_keras.errors import InputError

RANDOM_RATE = (1.0, 10.0)  # within which rate -1 is drawn, for each pair


@dataclass(frozen=True)
class Grid:
    """Factors of variation of a data set of images.

    Attributes:
        names: of the factors.
        sizes: how many values each has.
        categorical: names of those whose values have no order; a LAP step leaves them as they are.
    """

    names: tuple
    sizes: tuple
    categorical: tuple = ()

    @property
    def movable(self):
        """Indices of the factors that a LAP step can change."""
        named = zip(self.names, self.sizes, strict=True)
        return np.array([i for i, (name, size) in enumerate(named) if name not in self.categorical and size > 1])

    def draw(self, rng, n):
        """n frames, uniform over the grid: (n, factors) class indices."""
        return rng.integers(self.sizes, size=(n, len(self.sizes)))

    def index(self, factors):
        """The position in a file that holds the whole grid, the last factor changing fastest: (n,)."""
        return np.ravel_multi_index(tuple(np.asarray(factors).T), self.sizes)


def lap(grid, start, rng, rate=1.0):
    """LAP: every factor with an order takes a step, P(j | i) proportional to exp(-|j - i| rate / log n), 0 <= j < n.

    Near the ends of a factor it drifts inwards. Where nothing moved, one factor, drawn uniformly, is drawn again from
    the same law without its own value. At rate 1 the steps are small, but most factors move.

    Args:
        grid: `Grid`.
        start: (n, factors) class indices.
        rng: `numpy.random.Generator`.
        rate: above 0; -1 draws one uniformly within 1 to 10 for each pair, shared by its factors.

    Returns:
        (n, factors) class indices of the other frame.
    """
    movable = grid.movable
    if not len(movable):
        names = ", ".join(grid.names)
        raise InputError(f"no factor among {names} has an order, so LAP moves nothing; take --pairs uni")
    rates = rng.uniform(*RANDOM_RATE, len(start)) if rate == -1 else np.full(len(start), float(rate))
    end = start.copy()
    for factor in movable:
        end[:, factor] = _step(start[:, factor], grid.sizes[factor], rates, rng)
    still = np.flatnonzero((end == start).all(axis=1))
    chosen = rng.choice(movable, len(still))
    for factor in movable:
        rows = still[chosen == factor]
        end[rows, factor] = _step(start[rows, factor], grid.sizes[factor], rates[rows], rng, own=False)
    return end


def _step(start, size, rates, rng, own=True):
    """The law of LAP for one factor; without `own` the value itself cannot come."""
    weight = np.exp(-np.abs(np.arange(size) - start[:, None]) * rates[:, None] / math.log(size))
    if not own:
        weight[np.arange(len(start)), start] = 0
    total = weight.cumsum(axis=1)
    return (rng.random((len(start), 1)) * total[:, -1:] >= total).sum(axis=1).clip(0, size - 1)


def uni(grid, start, rng, changed=None):
    """UNI: k factors, those without order included, each take another value, drawn uniformly.

    Args:
        grid, start, rng: as in `lap`.
        changed: k; None draws it uniformly from 1 to the number of factors - 1 for each pair.

    Returns:
        (n, factors) class indices of the other frame.
    """
    sizes = np.array(grid.sizes)
    free, n = np.flatnonzero(sizes > 1), len(start)
    most = len(free) if changed else len(free) - 1
    if most < (changed or 1):
        raise InputError(f"{changed or 1} factors cannot change: {len(free)} of {len(sizes)} have two values or more")
    k = np.full(n, changed) if changed else rng.integers(1, len(free), n)
    # The first k of a random order of the factors.
    moves = rng.random((n, len(free))).argsort(axis=1).argsort(axis=1) < k[:, None]
    step = rng.integers(1, sizes[free], size=(n, len(free)))
    end = start.copy()
    end[:, free] = (start[:, free] + moves * step) % sizes[free]
    return end


def draw_pairs(grid, rng, n, kind="lap", rate=1.0, changed=None):
    """n pairs with uniform start frames, interleaved: (2 n, factors); frames 2i and 2i + 1 are pair i."""
    start = grid.draw(rng, n)
    end = lap(grid, start, rng, rate) if kind == "lap" else uni(grid, start, rng, changed)
    return interleave(start, end)


def interleave(first, second):
    """(n, ...) and (n, ...) as (2 n, ...), taking turns."""
    return np.stack([first, second], axis=1).reshape(-1, *first.shape[1:])
