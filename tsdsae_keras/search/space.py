"""Search spaces: which options of a run vary, and over what. Light: no backend is loaded.

A space is a dict by name of an option, of the model's family or one of `TRAINING`: a list of values to choose from, or
``{"min": a, "max": b}``, with ``"log": true`` where it is drawn by its logarithm. All that a space does not name is as
the search was started with.
"""

import json
from dataclasses import dataclass, fields
from pathlib import Path

from tsdsae_keras.errors import InputError, quote
from tsdsae_keras.search.card import search_card
from tsdsae_keras.settings import Settings, settings_from_dict

TRAINING = ("model", "learning_rate", "schedule", "optimizer", "batch_size", "seed")
LARGEST = 1 << 16  # bytes of a file
MOST = 1000  # values of an option
_ORDERED = (int, float)


def names_of(settings):
    """The options that a space may name."""
    return (*(each.name for each in fields(settings.family)), *TRAINING)


@dataclass(frozen=True)
class Space:
    """A checked space: the dict described above, and the `Settings` of what does not vary.

    Raises:
        InputError: a name that is not in `names_of(base)`, a range of another form, or a value no run could have.
    """

    ranges: dict
    base: Settings

    def __post_init__(self):
        if not isinstance(self.ranges, dict) or not self.ranges:
            raise InputError(f"the space is {quote(self.ranges)}; it must be a dict by name, such as z_dim: [8, 16]")
        for name, values in self.ranges.items():
            if name not in names_of(self.base):
                raise InputError(f"the space has an unknown {quote(name)}; it takes {' '.join(names_of(self.base))}")
            for value in _ends(name, values):
                self.base.replace(**{name: value})

    def declare(self, hp):
        """Enters every option in a `keras_tuner.HyperParameters`."""
        for name, values in self.ranges.items():
            if isinstance(values, list):
                numbers = all(type(value) in _ORDERED for value in values)
                hp.Choice(name, values, ordered=numbers)
            else:
                draw = hp.Int if type(values["min"]) is int and type(values["max"]) is int else hp.Float
                draw(name, values["min"], values["max"], sampling="log" if values.get("log") else "linear")

    def values(self, hp):
        """{name: value} of the options of this space in a `HyperParameters`."""
        return {name: hp.get(name) for name in self.ranges}

    def settings(self, values, epochs=None):
        """The `Settings` of a trial with these values; `epochs` where they are not those of `base`."""
        settings = self.base.replace(**values)
        shorten = search_card(settings.card).shorten
        return settings if epochs is None or epochs == settings.epochs else shorten(settings, epochs)


def make_space(name, base, seeds=1):
    """One of the family's named spaces, or that of a JSON file.

    Args:
        name: of the space, or path of the file; None for the family's first.
        base: `Settings` of what does not vary.
        seeds: how many seeds each configuration is trained with, from that of `base` on.

    Raises:
        InputError: no such space or file, or an invalid one.
    """
    named = search_card(base.card).spaces
    name = next(iter(named), None) if name is None else name
    if name is None:
        raise InputError(f'{base.model} has no space of its own; give --space FILE.json, such as {{"seed": [0, 1]}}')
    ranges = named[name](base) if name in named else _read(Path(name), named)
    if not 1 <= seeds <= MOST:
        raise InputError(f"--seeds is {seeds}; it must be from 1 to {MOST}")
    if seeds > 1 and isinstance(ranges, dict):
        ranges = ranges | {"seed": [base.seed + number for number in range(seeds)]}
    return Space(ranges, base)


def space_from_dict(ranges, base):
    """The space that a search recorded, its base as `Settings.to_dict` gave it."""
    return Space(ranges, settings_from_dict(base))


def _read(path, named):
    if not path.is_file():
        raise InputError(f"--space is {quote(str(path))}; it must be {' or '.join([*named, 'a JSON file'])}")
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST + 1)
        if len(content) > LARGEST:
            raise InputError(f"{path} has more than {LARGEST} bytes, so it is not a space")
        return json.loads(content)
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(f"{path} cannot be read as JSON ({error}); see --help for what a space is") from None


def _ends(name, values):
    """The values to check: all of a list, both ends of a range."""
    if isinstance(values, list) and 0 < len(values) <= MOST:
        if len({(type(value), str(value)) for value in values}) < len(values) or len(set(map(type, values))) > 1:
            raise InputError(f"{name} is {quote(values)}; its values must differ and be of one kind")
        return values
    ends = [values.get("min"), values.get("max")] if isinstance(values, dict) else []
    known = (
        isinstance(values, dict) and values.keys() <= {"min", "max", "log"} and type(values.get("log", True)) is bool
    )
    if not known or any(type(end) not in _ORDERED for end in ends) or not ends[0] < ends[1]:
        raise InputError(
            f"{name} is {quote(values)}; it must be a list of values, or {{'min': a, 'max': b, 'log': true}} with a < b"
        )
    if values.get("log") and ends[0] <= 0:
        raise InputError(f"{name} is {quote(values)}; drawn by its logarithm, it must be above 0")
    return ends
