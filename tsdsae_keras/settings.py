"""The settings of a run: options of the run itself, of the model's family and of the data set. Light.

Each group is a small frozen dataclass of `options`; a `Settings` holds all three, and every option is an attribute of
it under its own name. A preset of the family gives the values of what is not given.
"""

from dataclasses import asdict, dataclass, fields

from tsdsae_keras.data.sets import SETS, find_data
from tsdsae_keras.errors import InputError, quote
from tsdsae_keras.families import MODELS, find_family
from tsdsae_keras.options import Options, check_text, option

BACKENDS = ("tensorflow", "jax", "torch")
PRESETS = ("quick", "fast", "paper")
RECORDED = ("data_folder", "data_identity")  # what a run folder keeps with the settings
MOST_SEED = (1 << 32) - 1
MODEL = "tsdsae"


@dataclass(frozen=True)
class RunSettings(Options):
    """What every run has, whatever is trained."""

    backend: str = option("tensorflow", "Keras backend", choices=BACKENDS)
    preset: str = option("quick", "defaults of the training options", choices=PRESETS)
    model: str = option(MODEL, "which model", choices=MODELS.keys())
    data: str = option("dmelodies", "a data set, made when first used, or the path of a prepared folder")
    epochs: int = option(28, "epochs in all", least=1)
    batch_size: int = option(32, "examples a step", least=1)
    learning_rate: float = option(6e-3, "learning rate of Adam", above=0)
    schedule: str = option("cosine", "learning rate over the epochs", choices=("cosine", "constant"))
    optimizer: str = option("adam", "Adam, or its AMSGrad variant", choices=("adam", "amsgrad"))
    clip_norm: float | None = option(None, "norm to which a larger gradient is scaled down", above=0)
    patience: int | None = option(None, "epochs without a better model before stopping, in the last stage", least=1)
    stop_at_recon: float | None = option(None, "validation reconstruction at which the last stage ends", above=0)
    seed: int = option(0, "seed of initial weights, noise, order and random partners", least=0, most=MOST_SEED)
    out: str | None = option(None, "run folder (default: a new one under runs/)")
    bad_steps: int = option(10, "steps in a row without a finite loss and gradient before a run stops", least=1)
    watch_every: int = option(4, "epochs between collapse checks, 0 for never", least=0)
    pictures_every: int = option(14, "epochs between pictures and sounds in TensorBoard, 0 for none", least=0)


class Settings:
    """Everything a run depends on.

    Args:
        values: {option: value} of the run, the family of its `model` and its data set; others take their defaults.

    Attributes:
        run, family, data_set: the three dataclasses.
        card: the `Family`.

    Raises:
        InputError: an unknown option, a value that is invalid, or options that contradict each other.
    """

    def __init__(self, **values):
        model = values.get("model", MODEL)
        self.card = find_family(model) if isinstance(model, str) else find_family(MODEL)
        values.setdefault("data", self.card.data[0])
        check_data(self.card, model, values["data"])
        kinds = option_classes(self.card, values["data"])
        known = {each.name for kind in kinds.values() for each in fields(kind)}
        unknown = [name for name in values if name not in known]
        if unknown:
            raise InputError(f"the settings have an unknown {quote(unknown[0])}; were they written by this library?")
        for name, kind in kinds.items():
            own = {each.name for each in fields(kind)}
            setattr(self, name, kind(**{each: value for each, value in values.items() if each in own}))
        if self.card.check:
            self.card.part("check")(self)

    def __getattr__(self, name):
        # Only called for what is not an attribute of the object itself: an option of one of the three groups.
        for group in ("run", "family", "data_set"):
            options = self.__dict__.get(group)
            if options is not None and name in type(options).__dataclass_fields__:
                return getattr(options, name)
        raise AttributeError(f"{name!r} is not an option of the run, of {self.__dict__.get('card')} or of its data")

    def __eq__(self, other):
        return isinstance(other, Settings) and self.values() == other.values()

    def __hash__(self):
        return hash(tuple(sorted(self.values().items(), key=lambda item: item[0])))

    def __repr__(self):
        return f"Settings({', '.join(f'{name}={value!r}' for name, value in self.values().items())})"

    def values(self):
        """{option: value}."""
        return asdict(self.run) | asdict(self.family) | asdict(self.data_set)

    def replace(self, **changes):
        """The same settings with some changed."""
        return Settings(**self.values() | changes)

    def to_dict(self):
        """Plain values for JSON."""
        return {name: list(value) if isinstance(value, tuple) else value for name, value in self.values().items()}


def check_data(card, model, data):
    """InputError where a data set was named that the family of a model does not train on."""
    if isinstance(data, str) and data in SETS and data not in card.data:
        raise InputError(f"--data is {data!r}, which {model} does not train on; take {' or '.join(card.data)}")


def option_classes(card, data):
    """{"run", "family", "data_set": dataclass of options} for a family and the name or path of data."""
    return {"run": RunSettings, "family": card.settings, "data_set": find_data(data, card.data[0]).settings}


def with_preset(given):
    """Settings from the options that were given, the family's preset, or recipe for the data, filling in the others."""
    card, preset = find_family(given.get("model", MODEL)), given.get("preset", "quick")
    if preset not in card.presets:
        raise InputError(f"--preset is {preset!r}; it must be {' or '.join(card.presets)}")
    data = given.get("data", card.data[0])
    values = card.preset(preset, data)
    if card.recipe and data not in SETS and "preset" not in given:
        values = values | card.part("recipe")(data, given)
    return Settings(**{**values, **given})


def settings_from_dict(values):
    """The settings that a run folder recorded: what `Settings.to_dict` gave, read back from JSON.

    What is not there takes its default, so that a run started before an option existed can be resumed. What is recorded
    with the settings (`data_folder`, `data_identity`) is checked and left out.

    Args:
        values: a dict by name of the option; lists are read as tuples.

    Raises:
        InputError: it is not a dict, has an unknown name or an invalid value; the line names both.
    """
    if not isinstance(values, dict):
        raise InputError(f"the settings are {quote(values)}; they must be a dict by name of the option")
    for name in RECORDED:
        check_text(name, values.get(name, ""))
    plain = {name: value for name, value in values.items() if name not in RECORDED}
    odd = [name for name in plain if not isinstance(name, str)]
    if odd:
        raise InputError(f"the settings have an unknown {quote(odd[0])}; were they written by this library?")
    return Settings(**{name: tuple(value) if isinstance(value, list) else value for name, value in plain.items()})
