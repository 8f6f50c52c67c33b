"""The options of `tsdsae-keras tune`, in addition to those of a run. Light: no backend is loaded."""

TUNERS = ("random", "bayesian", "hyperband", "grid")
TRIALS = 20  # of "random" and "bayesian"
MARGIN = 0.01
# Options of a run or of data that mean something else here; of these the preset decides.
LEFT_OUT = ("out", "workers", "margin")
SEARCH_OPTIONS = {
    **dict.fromkeys(("resume", "trials", "space", "objective", "margin", "out")),
    **{"tuner": "random", "seeds": 1, "workers": 1},
}  # and their defaults


def add_tune_options(parser, card):
    """Adds the options of a search, for the `SearchCard` of a family, to a parser."""
    parser.add_argument("--resume", metavar="SEARCH", help="resume a search, or extend it with more --trials")
    parser.add_argument("--tuner", choices=TUNERS, help="how trials are chosen (default: random)")
    text = f"how many (default: {TRIALS}; all of a grid, one round of hyperband)"
    parser.add_argument("--trials", type=int, help=text)
    spaces, objectives = list(card.spaces), list(card.directions)
    text = 'what varies: a JSON file such as {"learning_rate": {"min": 0.001, "max": 0.01, "log": true}}'
    text += f", or one of the model's own: {' '.join(spaces)} (default: {spaces[0]})" if spaces else ""
    parser.add_argument("--space", help=text)
    text = f"the measure that decides (default: {objectives[0]})"
    parser.add_argument("--objective", choices=objectives, help=text)
    parser.add_argument("--seeds", type=int, help="seeds for each configuration, each a trial (default: 1)")
    text = f"of the score, within which the smallest model is taken (default: {MARGIN})"
    parser.add_argument("--margin", type=float, help=text)
    parser.add_argument("--workers", type=int, help="processes that train on this machine (default: 1)")
    parser.add_argument("--out", help="folder of the search (default: a new one under searches/)")
    parser.set_defaults(**SEARCH_OPTIONS)
