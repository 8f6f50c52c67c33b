"""The page of a search, in the style of the report: what was tried, what it scored, how the model that is taken sounds.

`search_page` turns what a search found into the content of `page`; the figures are pictures, which work on paper too.
"""

import numpy as np

from tsdsae_keras.report.figures import new_figure
from tsdsae_keras.report.table import number_text, short_text

BEST = 15  # trials in the table
COLOURS = "viridis"
TAKEN = "#c8102e"
UNIT = {"worst": 0.0, "best": 1.0}


def search_page(found):
    """The content of `page.write_page`.

    Args:
        found: a dict with
            "title": text,
            "objective", "direction" ("max" or "min"), "margin": of the search,
            "counts": {"finished", "failed", "unfinished": number of trials},
            "agreement": (measure, Spearman's correlation with what labels gave, or None), or None,
            "unit_measures": names of measures from 0, worst, to 1, best,
            "trials": [{"trial", "values": {name: value}, "score", "taken": bool}], the finished ones,
            "size": what tells models of different size apart,
            "by_size": [{"size", "mean", "interval": (low, high) or None, "scores"}],
            "taken": {"trial", "values", "metrics"}, "test": groups of rows, its scores on the test split,
            "failed": {name: reason},
            "sounds", "pictures", "settings", "versions": as in `page`.
    """
    return {
        "title": found["title"],
        "lead": _lead(found),
        "scores": [_parts(found), *found["test"], _table(found)],
        "scores_note": "Parts of the score and the table are of the validation split. Intervals in the table of trials "
        "are not given: a trial is one seed.",
        "left_out": found["failed"],
        "sounds": found["sounds"],
        "pictures": _pictures(found),
        "settings": found["settings"],
        "versions": found["versions"],
    }


def _lead(found):
    counts, taken = found["counts"], found["taken"]
    values = ", ".join(f"{name} {short_text(value)}" for name, value in taken["values"].items())
    said = (
        f"{counts['finished']} trials finished, {counts['failed']} failed, {counts['unfinished']} unfinished. Trial "
        f"{taken['trial']} is taken ({values}): the smallest model whose {found['objective']} lies within "
        f"{found['margin']:g} of the best."
    )
    if found["agreement"] is None or found["agreement"][1] is None:
        return said
    name, rho = found["agreement"]
    return f"{said} Over the trials, {name} ranks as judges with labels do: Spearman's rho {rho:.2f}."


def _parts(found):
    """The measures of the model that is taken."""
    rows = []
    for name, value in found["taken"]["metrics"].items():
        unit = name in found["unit_measures"] or "_f1_" in name
        rows.append({"name": name, "value": value} | (UNIT | {"direction": "higher"} if unit else {}))
    return {"group": f"Trial {found['taken']['trial']} on the validation split", "rows": rows}


def _table(found):
    """The best trials, each a row."""
    higher = found["direction"] == "max"
    order = sorted(found["trials"], key=lambda trial: trial["score"], reverse=higher)
    rows = []
    for trial in order[:BEST]:
        note = ", ".join(f"{name} {short_text(value)}" for name, value in trial["values"].items())
        row = {"name": f"trial {trial['trial']}{' (taken)' if trial['taken'] else ''}", "value": trial["score"]}
        rows.append(row | {"note": note} | (UNIT if found["objective"] in found["unit_measures"] else {}))
    return {"group": f"Best trials by {found['objective']}", "rows": rows}


def _pictures(found):
    pictures = {
        "Score by size": {
            "image": size_figure(found["by_size"], found["objective"], found["size"]),
            "alt": f"Points: {found['objective']} against {found['size']}; bars: intervals over seeds.",
            "caption": f"Of every {found['size']} the best configuration. A point a seed; the bar is the mean with its "
            "95 % interval by Student's t, where there are two seeds or more.",
        },
    }
    if len(found["trials"]) > 1:
        pictures["What was tried"] = {
            "image": parallel_figure(found["trials"], found["objective"]),
            "alt": "Parallel coordinates: a line a trial through its hyperparameters to its score.",
            "caption": "A line a trial, from what was varied to its score, coloured by the score; the one that is "
            "taken in red. Lines are shifted a little where they would hide each other.",
        }
    return pictures | found["pictures"]


def size_figure(by_size, objective, size):
    """Score against size, both by name, from `results.group_by_size`: a point a seed, a bar an interval."""
    figure = new_figure(6.4, 3.6)
    axes = figure.subplots()
    places = np.arange(len(by_size))
    for place, each in zip(places, by_size, strict=True):
        axes.plot([place] * len(each["scores"]), each["scores"], "o", color="0.6", markersize=4)
        if each["interval"]:
            axes.plot([place, place], each["interval"], "-", color="black", linewidth=1.4)
        axes.plot([place], [each["mean"]], "_", color="black", markersize=18, markeredgewidth=2)
    axes.set_xticks(places, [str(each["size"]) for each in by_size])
    axes.set_xlim(-0.6, len(by_size) - 0.4)
    axes.set_xlabel(size)
    axes.set_ylabel(objective)
    return figure


def parallel_figure(trials, objective):
    """Parallel coordinates of [{"values", "score", "taken"}], one trial or more, all with the same names."""
    from matplotlib import colormaps

    names = list(trials[0]["values"])
    columns = [_places([trial["values"][name] for trial in trials]) for name in names]
    scores = np.array([trial["score"] for trial in trials], "float64")
    columns.append(_scale(scores, np.linspace(scores.min(), scores.max(), 5)))
    figure = new_figure(max(6.0, 1.6 * len(columns)), 4.2)
    axes = figure.subplots()
    spread = np.linspace(-0.015, 0.015, len(trials)) if len(trials) > 1 else np.zeros(1)
    lines = np.stack([place for place, _ in columns], axis=1)
    lines[:, :-1] += spread[:, None]
    for line, trial, shade in zip(lines, trials, lines[:, -1], strict=True):
        colour = TAKEN if trial["taken"] else colormaps[COLOURS](0.9 * shade)
        width, order = (2.6, 3) if trial["taken"] else (1.2, 2)
        axes.plot(range(len(columns)), line, "-", color=colour, linewidth=width, zorder=order, alpha=0.85)
    _draw_scales(axes, [*names, objective], [ticks for _, ticks in columns])
    return figure


def _draw_scales(axes, names, all_ticks):
    for number, ticks in enumerate(all_ticks):
        axes.axvline(number, color="0.75", linewidth=1, zorder=1)
        for place, text in ticks:
            axes.annotate(text, (number, place), (4, 2), textcoords="offset points", fontsize=8, zorder=4)
    axes.set_xticks(range(len(names)), names, fontsize=9)
    axes.set_yticks([])
    axes.set_xlim(-0.2, len(names) - 0.4)
    axes.set_ylim(-0.06, 1.1)
    for side in axes.spines.values():
        side.set_visible(False)


def _places(values):
    """((n,) heights from 0 to 1, [(height, text)] of the scale) of one hyperparameter's values."""
    kinds = sorted(set(values), key=lambda value: (str(type(value)), value))
    if len(kinds) <= 8 or isinstance(kinds[0], str):
        heights = np.linspace(0, 1, len(kinds)) if len(kinds) > 1 else np.array([0.5])
        place = dict(zip(kinds, heights, strict=True))
        return np.array([place[value] for value in values]), [(place[kind], short_text(kind)) for kind in kinds]
    numbers = np.array(values, "float64")
    if numbers.min() > 0 and numbers.max() / numbers.min() > 5:
        return _scale(np.log(numbers), np.log(np.geomspace(numbers.min(), numbers.max(), 5)), np.exp)
    return _scale(numbers, np.linspace(numbers.min(), numbers.max(), 5))


def _scale(numbers, ticks, shown=float):
    least, most = numbers.min(), numbers.max()
    if most == least:
        return np.full(len(numbers), 0.5), [(0.5, number_text(float(shown(least))))]
    places = (ticks - least) / (most - least)
    marks = [(place, number_text(float(shown(tick)))) for place, tick in zip(places, ticks, strict=True)]
    return (numbers - least) / (most - least), marks
