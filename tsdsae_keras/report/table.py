"""Scores as the rows of a table: numbers as text, and where each lies between its worst and its best."""

import math

from tsdsae_keras.errors import InputError

DIRECTIONS = {"higher": "↑ higher is better", "lower": "↓ lower is better", None: ""}
NOTHING = "\N{EN DASH}"
_KEYS = {"name", "value", "interval", "worst", "best", "direction", "note"}
_EDGE = 4.0  # per cent of a bar kept free at both ends, so that a dot at the end is whole


def format_row(row):
    """One row as text, with the bar to draw.

    Args:
        row: "name" and "value", and where there is one "interval" (low, high), "worst", "best", "direction"
            ("higher", "lower" or None: which is better) and "note".

    Returns:
        The same names with text for values, and "bar", see `place_on_bar`.

    Raises:
        InputError: an unknown key, no name, an unknown direction, or an interval that is not low and high.
    """
    name = row.get("name")
    if name is None or not row.keys() <= _KEYS:
        raise InputError(f"a row of scores has the keys {sorted(row)}; it takes {', '.join(sorted(_KEYS))}")
    if row.get("direction") not in DIRECTIONS:
        raise InputError(f"{name!r} has direction {row['direction']!r}; give 'higher', 'lower' or None")
    interval = check_interval(name, row.get("interval"))
    value = row.get("value")
    # An integer 0 as the worst of 0.95 is written as 0.000.
    worst, best = (end if isinstance(value, int) else _real(end) for end in (row.get("worst"), row.get("best")))
    return {
        "name": name,
        "value": number_text(value),
        "interval": " to ".join(number_text(end) for end in interval) if interval else NOTHING,
        "worst": number_text(worst),
        "best": number_text(best),
        "direction": DIRECTIONS[row.get("direction")],
        "note": row.get("note") or "",
        "bar": place_on_bar(value, interval, worst, best),
    }


def place_on_bar(value, interval, worst, best):
    """Places on a bar from the worst value, left, to the best, right, in per cent of its width.

    The bar widens for a value or an interval beyond either, so that nothing is cut off. A lower score is drawn
    further right where the best is the lower of the two.

    Returns:
        A dict with "value", "worst", "best", and "low" and "high" of the interval (both the value's place
        when there is none); None when worst and best do not both exist and differ, or there is no value.
    """
    low, high = interval or (value, value)
    points = {"value": value, "worst": worst, "best": best, "low": low, "high": high}
    if not all(map(_is_number, points.values())) or worst == best:
        return None
    places = {key: (point - worst) / (best - worst) for key, point in points.items()}
    left, right = min(places.values()), max(places.values())
    scale = (100 - 2 * _EDGE) / (right - left)
    drawn = {key: round(_EDGE + scale * (place - left), 2) for key, place in places.items()}
    drawn["low"], drawn["high"] = sorted((drawn["low"], drawn["high"]))
    return drawn


def number_text(value):
    """A number as a reader wants it: three decimals, or three digits where those say too little or too much."""
    if not _is_number(value):
        return NOTHING
    if isinstance(value, int):
        return str(value)
    return f"{value:.3f}" if value == 0 or 0.01 <= abs(value) < 10 else f"{value:.3g}"


def short_text(value):
    """The value of an option: a number that is not whole with three digits, everything else in full."""
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def check_interval(name, interval):
    """(low, high) or None; InputError where they are something else."""
    if interval is None:
        return None
    ends = tuple(interval)
    if len(ends) != 2 or not all(map(_is_number, ends)) or ends[0] > ends[1]:
        raise InputError(f"{name!r} has the interval {interval!r}; give (low, high), or None")
    return ends


def _real(value):
    return float(value) if _is_number(value) else None


def _is_number(value):
    return value is not None and not isinstance(value, str) and math.isfinite(value)
