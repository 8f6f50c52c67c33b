"""Arguments of the command line, read off dataclasses of options. Light: no backend is loaded."""

import argparse
import typing
from dataclasses import MISSING, fields

from tsdsae_keras.data.sets import SETS, find_data
from tsdsae_keras.families import all_families, find_family
from tsdsae_keras.options import flag
from tsdsae_keras.settings import MODEL, RunSettings, option_classes, with_preset

TITLES = {"run": "options of the run", "family": "options of the model", "data_set": "options of the data"}


def peek(arguments):
    """The card of the family, the data and the preset that a command line asks for, before it is parsed as a whole."""
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("--model", default=MODEL)
    parser.add_argument("--data")
    parser.add_argument("--preset", default="quick")
    known, _ = parser.parse_known_args([each for each in arguments if each not in ("-h", "--help")])
    card = find_family(known.model)
    return card, known.data or card.data[0], known.preset


def add_settings(parser, arguments, without=()):
    """Adds every option of a run to a parser, grouped by run, model and data set.

    Args:
        parser: of the command.
        arguments: the command line, which names model and data.
        without: names of options to leave out.
    """
    card, data, preset = peek(arguments)
    defaults = {"data": card.data[0], **(card.preset(preset, data) if preset in card.presets else {})}
    for name, kind in option_classes(card, data).items():
        group = parser.add_argument_group(TITLES[name])
        add_fields(group, kind, [each.name for each in fields(kind) if each.name not in without], defaults)


def add_fields(parser, kind, names, defaults=()):
    """Adds some fields of a dataclass of options to a parser or a group of one.

    Args:
        parser: or a group.
        kind: the dataclass.
        names: of the fields.
        defaults: {name: value} shown in place of the field's own default, such as a preset's.
    """
    hints = typing.get_type_hints(kind)
    for option in fields(kind):
        if option.name in names:
            default = dict(defaults).get(option.name, option.default)
            parser.add_argument(flag(option.name), **_argument(option, hints[option.name], default))


def add_run_options(parser, *names):
    """Adds some options that every run has, such as the backend."""
    add_fields(parser, RunSettings, names)


def _argument(option, hint, default):
    """What argparse needs to know of a field; what is not given stays out of the namespace, for the preset to fill."""
    shown = " ".join(map(str, default)) if isinstance(default, tuple) else default
    text = option.metadata["help"] + ("" if default in (None, MISSING) else f" (default: {shown})")
    common = {"default": argparse.SUPPRESS, "help": text.replace("%", "%%")}
    if bool in (hint, *typing.get_args(hint)):
        return common | {"action": argparse.BooleanOptionalAction}
    values = next(
        (each for each in typing.get_args(hint) if typing.get_origin(each) is tuple), hint
    )  # of "tuple | None"
    kinds = [kind for kind in (typing.get_args(values) or (values,)) if kind in (int, float, str)]
    if typing.get_origin(values) is tuple:
        return common | {"type": kinds[0], "nargs": option.metadata["length"] or "+", "metavar": "X"}
    return common | {"type": kinds[0], "choices": option.metadata["choices"], "metavar": _metavar(option, kinds[0])}


def _metavar(option, kind):
    if option.metadata["choices"]:
        return None if len(option.metadata["choices"]) <= 4 else "NAME"
    return {int: "N", float: "X", str: "TEXT"}[kind]


def settings_of(options):
    """`Settings` from the options that were given, the preset filling in the others."""
    return with_preset({name: tuple(value) if isinstance(value, list) else value for name, value in options.items()})


def overview():
    """The models and the data sets, a line each: the end of `train --help`."""
    lines = ["models:"]
    for card in all_families():
        lines.append(f"  {card.title}")
        lines += [f"    {name:<18} {text}" for name, text in card.models.items()]
    lines += ["data sets:", *(f"    {name:<18} {find_data(name, name).title}" for name in SETS)]
    lines += ["", "options of a model and its data: train --model NAME --help"]
    return "\n".join(lines)
