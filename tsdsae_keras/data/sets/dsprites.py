"""dSprites: pairs of frames drawn on demand, or taken from the published file."""

from tsdsae_keras.data.sets.dsprites_render import GRID, SIDE, render
from tsdsae_keras.data.sets.pair_data import GridPairs


def open_dsprites(settings):
    """The pairs that a run asks for.

    Raises:
        InputError: `file` is not the published file.
    """
    return GridPairs(GRID, render, settings, "dsprites, re-rendered", (SIDE, SIDE, 1))
