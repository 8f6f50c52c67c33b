"""The card of a family: the one thing the rest of the library asks of a method. Light: no backend is loaded."""

import importlib
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Family:
    """What a family is made of. A part is named as "module:function", relative to the family, and resolved when used.

    `settings` below are the `Settings` of a run: each option of the run, of the family and of the data set is an
    attribute. `data` is what the data set's `open` gave.

    Attributes:
        package: of the family, `__package__`.
        title: what it does, in one line of `train --help`.
        models: {name: one line}; the names are those of --model.
        settings: the frozen dataclass of its options, see `options.option`.
        presets: {preset: {option: value}}, "quick", "fast" and "paper"; a preset's "by_data" is {data set: {option:
            value}} of what differs between data sets.
        data: names of the data sets it trains on, the first by default.
        build: (settings, data) -> RepresentationModel, not compiled.
        batches: (data, settings, split) -> a stream: `dataset` for `fit`, `batches` (steps an epoch), `set_epoch`.
        arrays: (data, split) -> all examples of a split as one array, for several seeds in one program.
        evaluate: (model, data, seed) -> dict of plain numbers, at the end of a run.
        table: (that dict) -> text, printed after training.
        report: (model, data, out, seed, **options) -> dict, for `evaluate MODEL`: all scores as JSON and a page.
        report_options: (add_argument) adds those options to the command line.
        commands: "module:NAME" of {sub-command: `Command`} on its models.
        tools: the same of sub-commands without a model: `add_options` takes (parser, command line), `run` (options,
            command line).
        checkpoint: (file, model_file, model) -> writes a `.keras` file of the authors' checkpoint.
        pictures: (data, settings) -> a function of (model, writer, epoch) for TensorBoard, or None.
        finish: (model, data, path) -> writes the picture of a finished run, a PNG file.
        watch: (data, settings) -> `training.guards.Watch`, what to measure of the model in training, or None.
        callbacks: (settings, data) -> further callbacks, at work before those that write logs.
        check: (settings) -> InputError for options that contradict each other.
        recipe: (data, given) -> {option: value} that suit what a prepared folder holds, over those of a preset, where
            the user chose no preset.
        search: "module:NAME" of a `search.card.SearchCard`: what its models can be searched for.
        reference: (name, state, **config) -> a model with the authors' weights.
        classes: "module:NAME" of every class whose files can be loaded.
        weights: folder of trained models inside the package.
        smallest: options of a run of seconds, for `doctor` and for tests.
        prefix: (settings) -> the beginning of a run folder's name; the model's name where there is none.
    """

    package: str
    title: str
    models: dict
    settings: type
    presets: dict
    data: tuple
    build: str
    batches: str
    evaluate: str
    table: str
    classes: tuple
    report: str | None = None
    report_options: str | None = None
    commands: str | None = None
    tools: str | None = None
    checkpoint: str | None = None
    pictures: str | None = None
    finish: str | None = None
    arrays: str | None = None
    watch: str | None = None
    callbacks: str | None = None
    check: str | None = None
    recipe: str | None = None
    search: str | None = None
    reference: str | None = None
    weights: str | None = None
    smallest: dict | None = None
    prefix: str | None = None

    @property
    def name(self):
        """That of its folder, such as "sps"."""
        return self.package.rpartition(".")[2]

    def part(self, name):
        """The function, or object, of a part; None where the family has none."""
        where = getattr(self, name)
        return None if where is None else resolve(self.package, where)

    def preset(self, name, data):
        """{option: value} of a preset on a data set; on data of one's own that of the family's usual data."""
        values = dict(self.presets[name])
        by_data = values.pop("by_data", {})
        return values | by_data.get(data if data in by_data else self.data[0], {})

    def register(self):
        """Imports the classes of the family's models, which tells Keras their names."""
        return [resolve(self.package, where) for where in self.classes]


@dataclass(frozen=True)
class Command:
    """A sub-command of the command line that works on a model.

    Attributes:
        help: one line.
        add_options: (parser) adds its options.
        run: "module:function" of the family, called with the model and the options by name.
    """

    help: str
    add_options: Callable
    run: str


def resolve(package, where):
    """The object that "module:name" means, relative to a package."""
    module, _, name = where.partition(":")
    return getattr(importlib.import_module(f"{package}.{module}"), name)
