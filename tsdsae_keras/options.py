"""Options: dataclass fields that carry their help and bounds, and the checks of their values. Light.

A small frozen dataclass of options is all that the command line needs to know of a run, a family or a data set:

    @dataclass(frozen=True)
    class Settings(Options):
        z_dim: int = option(16, "dimensions of the local code", least=1)
"""

import math
import typing
from dataclasses import dataclass, field, fields

from tsdsae_keras.errors import InputError, quote

LARGEST = (1 << 31) - 1  # of an integer that has no bound of its own
LONGEST = 4096  # characters of a text, values of a list


def option(default, help, *, least=None, most=None, above=None, choices=None, length=None):
    """A field with its default.

    Args:
        default: of the value; a tuple for a list, None where the option may be left out.
        help: for the command line.
        least, most, above: bounds of a number, or of every number in a list.
        choices: the values it may take.
        length: how many values a list has.
    """
    metadata = {"least": least, "most": most, "above": above, "choices": choices, "length": length}
    return field(default=default, metadata={"help": help, **metadata})


@dataclass(frozen=True)
class Options:
    """A dataclass whose fields are made by `option`; every value is checked when it is made.

    Raises:
        InputError: a value that is out of bounds or of another type; the line names the option.
    """

    def __post_init__(self):
        hints = typing.get_type_hints(type(self))
        for each in fields(self):
            check_option(each, hints[each.name], getattr(self, each.name))


def check_option(field, hint, value):
    """InputError where a value does not fit the field of an option."""
    if type(None) in typing.get_args(hint):
        if value is None:
            return
        hint = typing.get_args(hint)[0]
    if typing.get_origin(hint) is not tuple:
        _check_value(field, hint, value)
        return
    if not isinstance(value, tuple) or not 0 < len(value) <= LONGEST:
        raise InputError(f"{flag(field.name)} is {quote(value)}; it must be a list of at least one value")
    length = field.metadata["length"]
    if length and len(value) != length:
        raise InputError(f"{flag(field.name)} has {len(value)} values; it must have {length}")
    for each in value:
        _check_value(field, typing.get_args(hint)[0], each)


def _check_value(field, kind, value):
    name, bounds = flag(field.name), field.metadata
    most = LARGEST if bounds["most"] is None else bounds["most"]
    if not _is_of(kind, value, most):
        raise InputError(f"{name} is {quote(value)}; it must be {_KINDS[kind].format(most)}")
    choices = bounds["choices"]
    if choices and value not in choices:
        raise InputError(f"{name} is {quote(value)}; it must be {' or '.join(map(str, choices))}")
    if kind is float and not math.isfinite(value):
        raise InputError(f"{name} is {value}; it must be a finite number")
    if bounds["least"] is not None and value < bounds["least"]:
        raise InputError(f"{name} is {value}; it must be at least {bounds['least']}")
    if bounds["above"] is not None and not value > bounds["above"]:
        raise InputError(f"{name} is {value}; it must be above {bounds['above']}")


def check_text(name, value):
    """InputError where a value is not a short text without control characters."""
    if not _is_of(str, value, LARGEST):
        raise InputError(f"{name} is {quote(value)}; it must be {_KINDS[str]}")


def _is_of(kind, value, most):
    if kind is bool:
        return isinstance(value, bool)
    if kind is str:
        return isinstance(value, str) and len(value) <= LONGEST and not any(ord(each) < 32 for each in value)
    if kind is int:
        return type(value) is int and value <= most
    return isinstance(value, float) or (type(value) is int and abs(value) <= LARGEST)


_KINDS = {
    bool: "true or false",
    str: "a text without control characters",
    int: "an integer of at most {}",
    float: "a number",
}


def flag(name):
    """The option of the command line that sets a field."""
    return "--" + name.replace("_", "-")
