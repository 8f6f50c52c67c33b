"""The options of the study, in addition to those of a run. Light: no backend is loaded."""

from dataclasses import dataclass, fields

from tsdsae_keras.arguments import add_fields, add_settings
from tsdsae_keras.base.family import Command
from tsdsae_keras.options import Options, option

MODELS = ("tsdsae", "tsdsae-noreg", "dsae-f", "dsae")
PAPER_SEEDS = (831, 277, 736, 8, 172, 828)
# What varies: {option: setting}, the slowest first, so that the first whole picture comes early.
AXES = {"seeds": "seed", "decoders": "decoder", "optimizers": "optimizer", "z_dims": "z_dim", "models": "model"}
LEFT_OUT = ("out", "workers", "stop_at_recon", *AXES.values())


@dataclass(frozen=True)
class StudyOptions(Options):
    """Which runs a study has, and what is done with them; the values of settings are checked where runs are listed."""

    models: tuple[str, ...] = option(MODELS, "values of --model", choices=MODELS)
    z_dims: tuple[int, ...] = option((8, 16, 32), "values of --z-dim")
    seeds: tuple[int, ...] = option(PAPER_SEEDS, "values of --seed")
    optimizers: tuple[str, ...] = option(("adam", "amsgrad"), "values of --optimizer")
    decoders: tuple[str, ...] = option(("frame",), "values of --decoder: frame sequence")
    reach: float | None = option(
        None, "validation reconstruction at which a run ends, so that models are compared at an equal one", above=0
    )
    pairs: int = option(64, "test pairs made to sound, for pitch", least=1)
    workers: int = option(1, "processes that train on this machine", least=1)
    out: str = option("study", "folder of the study")
    figures: bool = option(False, "draw figures and table of what is there; train nothing")


def add_study_options(parser, arguments):
    """Adds the options of the study to a parser."""
    add_fields(parser, StudyOptions, [each.name for each in fields(StudyOptions)])
    add_settings(parser, arguments, without=LEFT_OUT)


TOOLS = {
    "study": Command(
        "the paper's study: models x z_dim x seeds x optimizer, and its figures", add_study_options, "study.study:run"
    )
}
