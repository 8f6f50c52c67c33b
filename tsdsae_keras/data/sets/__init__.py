"""The data sets, a file or folder each, and which there are. Light: no backend is loaded.

A new data set is a module that makes or reads it, a card in `cards/`, and a line in `SETS`.
"""

import importlib
from dataclasses import dataclass

from tsdsae_keras.options import Options, option

SETS = {
    "dmelodies": "tsdsae_keras.data.sets.cards.dmelodies",
    "dsprites": "tsdsae_keras.data.sets.cards.dsprites",
    "natural-sprites": "tsdsae_keras.data.sets.cards.natural_sprites",
    "masks": "tsdsae_keras.data.sets.cards.masks",
    "mixed": "tsdsae_keras.data.sets.cards.mixed",
    "shapes3d": "tsdsae_keras.data.sets.cards.shapes3d",
    "mpi3d": "tsdsae_keras.data.sets.cards.mpi3d",
    "frames": "tsdsae_keras.data.sets.cards.frames",
    "sprites": "tsdsae_keras.data.sets.cards.sprites",
    "multi-sprites": "tsdsae_keras.data.sets.cards.multi_sprites",
    "colour-shift": "tsdsae_keras.data.sets.cards.colour_shift",
    "solids": "tsdsae_keras.data.sets.cards.solids",
    "rooms": "tsdsae_keras.data.sets.cards.rooms",
    "triples": "tsdsae_keras.data.sets.cards.triples",
    "scales": "tsdsae_keras.data.sets.cards.scales",
    "ball": "tsdsae_keras.data.sets.cards.ball",
    "pool": "tsdsae_keras.data.sets.cards.pool",
    "notes": "tsdsae_keras.data.sets.cards.notes",
    "videos": "tsdsae_keras.data.sets.cards.videos",
}
SEQUENCES = "tsdsae_keras.data.prepared.store:PreparedData"  # opens prepared folders, unless a family's data say else


@dataclass(frozen=True)
class DataSet:
    """What the rest of the library asks of a data set.

    Attributes:
        title: what it is, in one line of `train --help`.
        settings: the frozen dataclass of its options, see `options.option`.
        open: "package.module:function" of (settings) -> the data, made where they are not there yet. Data have
            `identity`, a text that is equal for equal data, `folder`, where they are on disk or None, and `warning`,
            a line for the user or None.
        prepare: the same of what `tsdsae-keras prepare` does; by default `open`.
        prepared: "package.module:function" of (path) -> the data in a prepared folder, for families that train on it.
    """

    title: str
    settings: type
    open: str
    prepare: str | None = None
    prepared: str | None = None


@dataclass(frozen=True)
class DataSettings(Options):
    """Options that every data set has."""

    cache: str = option("data", "folder in which data sets are prepared")
    data_seed: int = option(0, "seed of what is drawn and how it is split", least=0, most=(1 << 32) - 1)
    workers: int = option(2, "threads that make the data", least=1, most=1024)


def find_data(name, usual):
    """The card of a data set; for the path of a prepared folder that of the family's usual data.

    Args:
        name: of a data set, or a path.
        usual: the name of the data set whose options are valid, if unused, for a path.
    """
    if isinstance(name, str) and name in SETS:
        return importlib.import_module(SETS[name]).DATA_SET
    return importlib.import_module(SETS[usual]).DATA_SET


def open_data(settings):
    """The data a run asks for: a data set, made where it is not there yet, or a prepared folder.

    Raises:
        InputError: they cannot be made or read.
    """
    if settings.data in SETS:
        return _function(find_data(settings.data, settings.data).open)(settings)
    known = [find_data(name, name).prepared for name in settings.card.data]
    return _function(next(filter(None, known), SEQUENCES))(settings.data)


def prepare_data(settings):
    """Prepares a data set for many runs, or finds it prepared.

    Raises:
        InputError: as `open_data`.
    """
    card = find_data(settings.data, settings.data)
    return _function(card.prepare or card.open)(settings)


def _function(where):
    module, _, name = where.partition(":")
    return getattr(importlib.import_module(module), name)
