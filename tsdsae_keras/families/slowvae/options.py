"""Options of `tsdsae-keras evaluate` for this family. Light: no backend is loaded."""

FRAMES = 10_000


def add_options(add):
    """Adds them, by a parser's `add_argument`; what is not given stays out of the namespace."""
    add("--frames", type=int, help=f"frames that are scored (default: {FRAMES})")
    text = "scores of trained judges, on a grid: none, fast settings, or those of published figures (default: fast)"
    add("--judges", choices=("none", "fast", "published"), help=text)
