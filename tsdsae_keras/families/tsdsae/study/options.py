"""The options of the study, in addition to those of a run. Light: no backend is loaded."""

from tsdsae_keras.arguments import add_settings
from tsdsae_keras.base.family import Command

MODELS = ("tsdsae", "tsdsae-noreg", "dsae-f", "dsae")
CHOICES = {"model": MODELS, "optimizer": ("adam", "amsgrad"), "decoder": ("frame", "sequence")}
PAPER_SEEDS = (831, 277, 736, 8, 172, 828)
# What varies: {option: (setting, usual values)}.
AXES = {
    "models": ("model", CHOICES["model"]),
    "z_dims": ("z_dim", (8, 16, 32)),
    "seeds": ("seed", PAPER_SEEDS),
    "optimizers": ("optimizer", CHOICES["optimizer"]),
    "decoders": ("decoder", ("frame",)),
}
PAIRS = 64
OUT = "study"
LEFT_OUT = ("out", "workers", "stop_at_recon", *(setting for setting, _ in AXES.values()))


def add_study_options(parser, arguments):
    """Adds the options of the study to a parser."""
    for name, (setting, usual) in AXES.items():
        kind = int if isinstance(usual[0], int) else str
        text = f"values of --{setting.replace('_', '-')} (default: {' '.join(map(str, usual))})"
        more = {"choices": CHOICES[setting]} if kind is str else {"metavar": "X"}
        flag = "--" + name.replace("_", "-")
        parser.add_argument(flag, nargs="+", type=kind, default=usual, help=text, **more)
    text = "validation reconstruction at which a run ends, so that models are compared at equal reconstruction"
    parser.add_argument("--reach", type=float, metavar="R", help=f"{text} (default: none, all epochs)")
    text = f"test pairs made to sound, for pitch (default: {PAIRS})"
    parser.add_argument("--pairs", type=int, default=PAIRS, help=text)
    parser.add_argument("--workers", type=int, default=1, help="processes that train on this machine (default: 1)")
    parser.add_argument("--out", default=OUT, help=f"folder of the study (default: {OUT})")
    parser.add_argument("--figures", action="store_true", help="draw figures and table of what is there; train nothing")
    add_settings(parser, arguments, without=LEFT_OUT)


TOOLS = {
    "study": Command(
        "the paper's study: models x z_dim x seeds x optimizer, and its figures", add_study_options, "study.study:run"
    )
}
