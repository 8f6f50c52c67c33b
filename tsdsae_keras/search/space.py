"""Search spaces: which options of a run vary, and over what. Light: no backend is loaded.

A space is a dict by name of the option, one of `NAMES`: a list of values to choose from, or
``{"min": a, "max": b}``, with ``"log": true`` where it is drawn by its logarithm. All that a space does not name is as
the search was started with. Beside the options of `Settings` there are two: `units`, the width of the layers of both
encoders and the decoder (the transition has half of it), and `swap_weight`, one weight for all four swap terms.
"""

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path

from tsdsae_keras.errors import InputError, shown
from tsdsae_keras.settings import Settings, settings_from_dict

MODEL = ("z_dim", "v_dim", "local_encoder", "global_encoder", "decoder", "standardize", "initial_weights")
TRAINING = ("model", "learning_rate", "schedule", "optimizer", "batch_size", "stage_two_at", "seed")
OWN = ("units", "swap_weight")
NAMES = (*MODEL, *TRAINING, *OWN)
UNITS = 64  # of the models where a space does not name them
LARGEST = 1 << 16  # bytes of a file
MOST = 1000  # values of an option
SHARES = (0.07, 0.15, 0.3)  # of the epochs, stage 1 in the space "full"
_ORDERED = (int, float)


@dataclass(frozen=True)
class Space:
    """A checked space.

    Args:
        ranges: the dict described above.
        base: `Settings` of what does not vary.

    Raises:
        InputError: a name that is not in `NAMES`, a range of another form, or a value no run could have.
    """

    ranges: dict
    base: Settings

    def __post_init__(self):
        if not isinstance(self.ranges, dict) or not self.ranges:
            raise InputError(f"the space is {shown(self.ranges)}; it must be a dict by name, such as z_dim: [8, 16]")
        for name, values in self.ranges.items():
            if name not in NAMES:
                raise InputError(f"the space has an unknown {shown(name)}; it takes {' '.join(NAMES)}")
            for value in _ends(name, values):
                settings_with(self.base, {name: value})

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
        """The `Settings` and the `units` of a trial.

        Args:
            values: of the options.
            epochs: of both stages, where it is not as in `base`; stage 1 takes the same share of them.
        """
        return settings_with(self.base, values, epochs), values.get("units", UNITS)


def settings_with(base, values, epochs=None):
    """Settings with some options of a space changed.

    Raises:
        InputError: a value that cannot be; the line names it.
    """
    units = values.get("units", UNITS)
    if type(units) is not int or not 2 <= units <= 4096:
        raise InputError(f"units is {shown(units)}; it must be a whole number from 2 to 4096")
    changed = {name: value for name, value in values.items() if name not in OWN}
    if "swap_weight" in values:
        changed["swap_weights"] = (values["swap_weight"],) * 4
    settings = dataclasses.replace(base, **changed)
    return settings if epochs is None or epochs == settings.epochs else shorten(settings, epochs)


def shorten(settings, epochs):
    """Settings of a run of so many epochs, at least 2, stage 1 taking the same share, at least one, of them."""
    stage_one = max(1, min(epochs - 1, round(settings.stage_two_at * epochs / settings.epochs)))
    return dataclasses.replace(settings, epochs=epochs, stage_two_at=stage_one)


def make_space(name, base, seeds=1):
    """The space called "zdim" or "full", or that of a JSON file.

    Args:
        name: of the space, or path of the file.
        base: `Settings` of what does not vary.
        seeds: how many seeds each configuration is trained with, from that of `base` on.

    Raises:
        InputError: no such space or file, or one that cannot be.
    """
    ranges = _NAMED[name](base) if name in _NAMED else _read(Path(name))
    if not 1 <= seeds <= MOST:
        raise InputError(f"--seeds is {seeds}; it must be from 1 to {MOST}")
    if seeds > 1 and isinstance(ranges, dict):
        ranges = ranges | {"seed": [base.seed + number for number in range(seeds)]}
    return Space(ranges, base)


def space_from_dict(ranges, base):
    """The space that a search recorded, its base as `Settings.to_dict` gave it."""
    return Space(ranges, settings_from_dict(base))


def _zdim(base):
    return {"z_dim": [8, 16, 32, 64]}


def _full(base):
    first = sorted({max(1, round(share * base.epochs)) for share in SHARES} - {base.epochs})
    return {
        "z_dim": [8, 16, 32, 64],
        "v_dim": [8, 16, 32],
        "units": [32, 64, 128],
        "local_encoder": ["factorised", "full"],
        "global_encoder": ["frame", "sequence"],
        "decoder": ["frame", "sequence"],
        "swap_weight": [0.3, 1.0, 3.0],
        "learning_rate": {"min": 1e-3, "max": 1e-2, "log": True},
        "batch_size": [16, 32, 64],
        "stage_two_at": first,
    }


_NAMED = {"zdim": _zdim, "full": _full}


def _read(path):
    if not path.is_file():
        raise InputError(f"--space is {shown(str(path))}; it must be {' or '.join(_NAMED)} or a JSON file")
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST + 1)
        if len(content) > LARGEST:
            raise InputError(f"{path} has more than {LARGEST} bytes, so it is no space")
        return json.loads(content)
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(f"{path} cannot be read as JSON ({error}); see --help for what a space is") from None


def _ends(name, values):
    """The values to check: all of a list, both ends of a range."""
    if isinstance(values, list) and 0 < len(values) <= MOST:
        if len({(type(value), str(value)) for value in values}) < len(values) or len(set(map(type, values))) > 1:
            raise InputError(f"{name} is {shown(values)}; its values must differ and be of one kind")
        return values
    ends = [values.get("min"), values.get("max")] if isinstance(values, dict) else []
    known = (
        isinstance(values, dict) and values.keys() <= {"min", "max", "log"} and type(values.get("log", True)) is bool
    )
    if not known or any(type(end) not in _ORDERED for end in ends) or not ends[0] < ends[1]:
        raise InputError(
            f"{name} is {shown(values)}; it must be a list of values, or {{'min': a, 'max': b, 'log': true}} with a < b"
        )
    if values.get("log") and ends[0] <= 0:
        raise InputError(f"{name} is {shown(values)}; drawn by its logarithm, it must be above 0")
    return ends
