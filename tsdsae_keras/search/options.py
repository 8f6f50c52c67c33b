"""The options of `tsdsae-keras tune`, beside those of a run. Light: no backend is loaded."""

from dataclasses import fields

from tsdsae_keras.settings import Settings

TUNERS = ("random", "bayesian", "hyperband", "grid")
OBJECTIVES = ("balanced", "labelled", "val_loss", "val_elbo")
TRIALS = 20  # of "random" and "bayesian"
MARGIN = 0.01
LEFT_OUT = ("out", "workers")  # options of a run that mean something else here
SEARCH_OPTIONS = {
    "resume": None,
    "tuner": "random",
    "trials": None,
    "space": "zdim",
    "objective": "balanced",
    "seeds": 1,
    "margin": None,
    "workers": 1,
    "out": None,
}  # and their defaults
RUN_OPTIONS = tuple(option.name for option in fields(Settings) if option.name not in LEFT_OUT)


def add_tune_options(parser):
    """Adds the options of a search to a parser."""
    parser.add_argument("--resume", metavar="SEARCH", help="go on with a search, or with more --trials further")
    parser.add_argument("--tuner", choices=TUNERS, help="how trials are chosen (default: random)")
    text = f"how many (default: {TRIALS}; all of a grid, one round of hyperband)"
    parser.add_argument("--trials", type=int, help=text)
    text = 'what varies: zdim, full, or a JSON file such as {"z_dim": [8, 16], "learning_rate": {"min": 0.001, '
    text += '"max": 0.01, "log": true}} (default: zdim)'
    parser.add_argument("--space", help=text)
    text = "balanced needs no labels; labelled adds swap F1; val_loss and val_elbo end in collapse (default: balanced)"
    parser.add_argument("--objective", choices=OBJECTIVES, help=text)
    parser.add_argument("--seeds", type=int, help="seeds for each configuration, each a trial (default: 1)")
    text = f"of the score, within which the smallest model is taken (default: {MARGIN})"
    parser.add_argument("--margin", type=float, help=text)
    parser.add_argument("--workers", type=int, help="processes that train on this machine (default: 1)")
    parser.add_argument("--out", help="folder of the search (default: a new one under searches/)")
    parser.set_defaults(**SEARCH_OPTIONS)
