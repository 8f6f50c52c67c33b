"""The settings of a training run: one frozen dataclass, its presets and its checks. Light: no backend is loaded."""

import math
import typing
from dataclasses import asdict, dataclass, field, fields

from tsdsae_keras.errors import InputError, shown

BACKENDS = ("tensorflow", "jax", "torch")
RECORDED = ("data_folder", "data_identity")  # what a run folder keeps beside the settings
MOST = {"seed": (1 << 32) - 1, "data_seed": (1 << 32) - 1, "workers": 1024}  # and of all other numbers:
LARGEST = (1 << 31) - 1
LONGEST = 4096  # letters of a text, values of a list
PRESETS = {
    # Minutes on two cores; see the README for what it reaches.
    "quick": {"epochs": 28, "stage_two_at": 4, "batch_size": 32, "learning_rate": 6e-3, "schedule": "cosine"},
    # The quality of the published runs in a fraction of their time; benchmarks/README.md has its runs.
    "fast": {
        "epochs": 400,
        "stage_two_at": 4,
        "batch_size": 32,
        "learning_rate": 1e-2,
        "schedule": "cosine",
        "swap_pairs": "shared",
        "clip_norm": 2.0,  # at this rate one gradient, thousands of times the usual, undid 200 epochs of a run
        "pictures_every": 200,
        "watch_every": 10,
    },
    # The published recipe (Luo et al. 2022); hours.
    "paper": {
        "epochs": 4000,
        "stage_two_at": 300,
        "batch_size": 128,
        "learning_rate": 1e-3,
        "schedule": "constant",
        "patience": 300,
        "pictures_every": 100,
        "watch_every": 50,
        "standardize": False,
        "initial_weights": "pytorch",
    },
}


def _option(default, help, **more):
    return field(default=default, metadata={"help": help, **more})


@dataclass(frozen=True)
class Settings:
    """Everything a run depends on; a preset gives the defaults of what is not given."""

    backend: str = _option("tensorflow", "what Keras runs on", choices=BACKENDS)
    preset: str = _option("quick", "defaults of the training options", choices=tuple(PRESETS))
    model: str = _option("tsdsae", "which model", choices=("tsdsae", "tsdsae-noreg", "dsae-f", "dsae"))
    data: str = _option("dmelodies", "'dmelodies' (made when first used) or the path of a prepared folder")
    z_dim: int = _option(16, "dimensions of the local code")
    v_dim: int = _option(16, "dimensions of the global code")
    local_encoder: str = _option("factorised", "q(z_t|x_t) or q(z_t|x_1:T,v)", choices=("factorised", "full"))
    global_encoder: str = _option("frame", "frame by frame or recurrent", choices=("frame", "sequence"))
    decoder: str = _option("frame", "frame by frame or recurrent (enriched)", choices=("frame", "sequence"))
    reduction: str = _option("mean", "means as published, or the exact ELBO's sums", choices=("mean", "sum"))
    initial_weights: str = _option("keras", "whose initial weights", choices=("keras", "pytorch"))
    standardize: bool = _option(True, "standardise mel bands inside the model")
    precision: str = _option("float32", "of matrix products in training and use", choices=("float32", "mixed_bfloat16"))
    swap_weights: tuple[float, ...] = _option(
        (1.0, 1.0, 1.0, 1.0), "weights of kl_v_gswap kl_z_gswap kl_v_lswap kl_z_lswap", length=4
    )
    swap_pairs: str = _option(
        "independent", "a permutation for each swap, or one that both share", choices=("independent", "shared")
    )
    stage_two_at: int = _option(4, "C, epochs of stage 1")
    epochs: int = _option(28, "epochs of both stages")
    batch_size: int = _option(32, "sequences a step")
    learning_rate: float = _option(6e-3, "of Adam")
    schedule: str = _option("cosine", "of the learning rate, over all epochs", choices=("cosine", "constant"))
    optimizer: str = _option("adam", "Adam, or its AMSGrad variant", choices=("adam", "amsgrad"))
    clip_norm: float | None = _option(None, "norm to which a larger gradient is scaled down (default: none)")
    patience: int | None = _option(None, "epochs of stage 2 without a better model before stopping (default: none)")
    stop_at_recon: float | None = _option(
        None, "validation reconstruction at which the last stage ends (default: none)"
    )
    seed: int = _option(0, "of initial weights, noise, order and swap partners")
    out: str | None = _option(None, "run folder (default: a new one under runs/)")
    bad_steps: int = _option(10, "steps in a row without a finite loss and gradient after which a run stops")
    watch_every: int = _option(4, "epochs between looks at whether the decoder uses v, 0 for never")
    pictures_every: int = _option(14, "epochs between pictures and sounds in TensorBoard, 0 for none")
    cache: str = _option("data", "folder in which dMelodies is prepared")
    melodies: int = _option(3000, "melodies to draw")
    programs: tuple[int, ...] = _option((40, 56), "General MIDI programs, zero-based")
    octaves: tuple[int, ...] = _option((4,), "octaves to draw from: 4 5 6")
    tonics: tuple[str, ...] = _option(("C",), "tonics to draw from: C C# ... B")
    scales: tuple[str, ...] = _option(("major",), "scales to draw from: major minor blues")
    subset: str = _option("paper", "rhythms: the paper's (outer slots sound) or all", choices=("paper", "all"))
    synth: str = _option("auto", "what renders the notes", choices=("auto", "fluidsynth", "additive"))
    soundfont: str | None = _option(None, "font for FluidSynth (default: $TSDSAE_SOUNDFONT, then Debian's places)")
    data_seed: int = _option(0, "of which melodies are drawn and how they are split")
    workers: int = _option(2, "threads that render")

    def __post_init__(self):
        for name, hint in typing.get_type_hints(Settings).items():
            _check_type(name, getattr(self, name), hint)
        for name in ("z_dim", "v_dim", "epochs", "batch_size", "melodies", "workers", "patience", "bad_steps"):
            _at_least(name, getattr(self, name), 1)
        for name in ("stage_two_at", "seed", "data_seed", "pictures_every", "watch_every"):
            _at_least(name, getattr(self, name), 0)
        for option in fields(self):
            choices, value = option.metadata.get("choices"), getattr(self, option.name)
            length = option.metadata.get("length")
            if length and len(value) != length:
                raise InputError(f"{flag(option.name)} has {len(value)} values; it must have {length}")
            if choices and value not in choices:
                raise InputError(f"{flag(option.name)} is {shown(value)}; it must be {' or '.join(choices)}")
        for name in ("learning_rate", "stop_at_recon", "clip_norm"):
            value = getattr(self, name)
            if value is not None and not (math.isfinite(value) and value > 0):
                raise InputError(f"{flag(name)} is {value}; it must be above 0")
        for weight in self.swap_weights:
            if not (math.isfinite(weight) and weight >= 0):
                raise InputError(f"--swap-weights has {weight}; a weight must be at least 0")
        if self.model != "dsae" and self.stage_two_at >= self.epochs:
            raise InputError(
                f"--stage-two-at is {self.stage_two_at} and --epochs is {self.epochs}: stage 2 would never begin; "
                f"give fewer epochs to stage 1 (below {self.epochs}) or more in all"
            )

    def to_dict(self):
        """Plain values for JSON."""
        return {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self).items()}


def _at_least(name, value, least):
    if value is not None and value < least:
        raise InputError(f"{flag(name)} is {value}; it must be at least {least}")


def _check_type(name, value, hint):
    if hint is bool:
        fine, kind = isinstance(value, bool), "true or false"
    elif typing.get_origin(hint) is tuple:
        fine, kind = isinstance(value, tuple) and 0 < len(value) <= LONGEST, "a list of at least one value"
    elif type(None) in typing.get_args(hint):
        return None if value is None else _check_type(name, value, typing.get_args(hint)[0])
    else:
        fine, kind = _is_one(name, value, hint), _KINDS[hint].format(MOST.get(name, LARGEST))
    if not fine:
        raise InputError(f"{flag(name)} is {shown(value)}; it must be {kind}")
    for each in value if isinstance(value, tuple) else ():
        _check_type(name, each, typing.get_args(hint)[0])


def _is_one(name, value, kind):
    if kind is str:
        return isinstance(value, str) and len(value) <= LONGEST and not any(ord(sign) < 32 for sign in value)
    if kind is int:
        return type(value) is int and value <= MOST.get(name, LARGEST)
    return isinstance(value, float) or (type(value) is int and abs(value) <= LARGEST)


_KINDS = {str: "a text without control characters", int: "a whole number of at most {}", float: "a number"}


def flag(name):
    """The option of the command line that sets a field."""
    return "--" + name.replace("_", "-")


def with_preset(given):
    """Settings from the options that were given, the preset filling in the others."""
    preset = given.get("preset", "quick")
    if preset not in PRESETS:
        raise InputError(f"--preset is {preset!r}; it must be {' or '.join(PRESETS)}")
    return Settings(**{**PRESETS[preset], **given})


def settings_from_dict(values):
    """The settings that a run folder recorded: what `Settings.to_dict` gave, read back from JSON.

    What is not there takes its default, so that a run can be gone on with that was begun before an option existed.
    What stands beside the settings (`data_folder`, `data_identity`) is checked and left out.

    Args:
        values: a dict by name of the field; lists stand for tuples.

    Raises:
        InputError: it is no dict, has an unknown name, or a value that cannot be; the line names both.
    """
    if not isinstance(values, dict):
        raise InputError(f"the settings are {shown(values)}; they must be a dict by name of the option")
    kinds = {option.name: typing.get_origin(option.type) or option.type for option in fields(Settings)}
    for name, value in values.items():
        if name in RECORDED:
            _check_type(name, value, str)
        elif name not in kinds:
            raise InputError(f"the settings have an unknown {shown(name)}; were they written by this library?")
    given = {name: value for name, value in values.items() if name in kinds}
    return Settings(**{name: _as_tuple(value, kinds[name]) for name, value in given.items()})


def _as_tuple(value, kind):
    return tuple(value) if kind is tuple and isinstance(value, list) else value
