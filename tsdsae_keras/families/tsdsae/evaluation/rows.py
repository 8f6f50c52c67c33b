"""The dictionary of a full evaluation as the rows of a table: for the report page, and as text for a terminal."""

import numpy as np

from tsdsae_keras.families.tsdsae.evaluation.meaning import MEANINGS
from tsdsae_keras.families.tsdsae.evaluation.old_keys import update_keys
from tsdsae_keras.report.table import NOTHING, number_text

TRUE_SWAPS = ("share_of_way", "swap_ratio", "swap_to_truth", "original_to_truth", "reconstruction_of_truth")
MOST_DIRECTIONS = 6  # rows; three instruments have six
MADE = ("reconstruction", "global", "local")


def make_rows(result):
    """The table of a full evaluation: [{"group", "rows": [row]}], in the order of reading.

    A row is {"name", "value", "interval", "worst", "best", "direction", "note"}, as `report.page` takes it; the note
    ends with n. What the evaluation left out is not in it. Evaluations of earlier versions are read too.
    """
    result = update_keys(result)
    groups = {}
    for make_rows in ROWS:
        for group, row in make_rows(result):
            groups.setdefault(group, []).append(row)
    return [{"group": name, "rows": rows} for name, rows in groups.items()]


def text_table(groups, result):
    """The table of `make_rows` as aligned text, with the verdict above it and what was left out below it."""
    shown = [row for group in groups for row in group["rows"]]
    width = max((len(row["name"]) for row in shown), default=0)
    lines = [*result.get("verdict", {}).get("lines", ()), *([""] if "verdict" in result else [])]
    lines += [" " * (width + 2) + f"{'value':>9}  {'95 % interval':<18}{'worst':>9}{'best':>9}"]
    for group in groups:
        lines += ["", group["group"]]
        lines += [_line(row, width) for row in group["rows"]]
    left_out = [f"left out: {name}: {reason}" for name, reason in list_left_out(result).items()]
    return "\n".join([*lines, "", f"{result['n']} test sequences", *left_out])


def list_left_out(result):
    """{score: reason} of all that is missing, the inner ones too, and {value: what it was} of what is not a number."""
    result = update_keys(result)
    inner = {
        f"{name} of {label}": reason
        for name in ("leakage", "factors")
        for label, reason in result.get(name, {}).get("left_out", {}).items()
    }
    halves = {
        f"distance of two halves in {name}": distances["no_half_split"]
        for name, distances in _embeddings(result).items()
        if "no_half_split" in distances
    }
    odd = {path: f"{what}, so shown as none" for path, what in result.get("not_finite", {}).items()}
    return result.get("left_out", {}) | inner | halves | odd


def _row(key, value, interval=None, worst=None, best=None, n=None, **words):
    meaning = MEANINGS[key]
    note = meaning.note if n is None else f"{meaning.note} n = {n}."
    row = {"name": meaning.name.format(**words), "value": value, "interval": interval and tuple(interval)}
    return meaning.group.format(**words), row | {
        "worst": worst,
        "best": best,
        "direction": meaning.direction,
        "note": note,
    }


def _score_row(key, score, **words):
    """The row of a score that carries its own interval, worst, best and n."""
    return _row(key, score["value"], **{name: score.get(name) for name in ("interval", "worst", "best", "n")}, **words)


def _counterfactual_rows(result):
    scores = result.get("counterfactual")
    if not scores:
        return
    words = {"source": scores["source"]}
    for name in TRUE_SWAPS:
        yield _ends_row(f"counterfactual.{name}", scores[name], **words)
    yield _ends_row("counterfactual.audible", scores["audible"]["share_of_way"], **words)
    yield _ends_row("counterfactual.distance", scores["log_spectral_distance"]["swap_to_truth"], **words)
    for pair in _worst_directions(scores["pairs"], "share_of_way"):
        yield _pair_row("counterfactual.pair", pair, "share_of_way")
    vocoder = scores.get("vocoder")
    if vocoder:
        yield _ends_row("counterfactual.heard", vocoder["heard"]["share_of_attainable"])
        for pair in _worst_directions(vocoder["heard"]["pairs"], "share_of_attainable"):
            yield _pair_row("counterfactual.heard_pair", pair, "share_of_attainable")
        yield _ends_row("counterfactual.vocoded_truth", vocoder["heard"]["vocoded_truth_to_truth"])


def _worst_directions(pairs, name):
    """All directions in their order where they are few, else the worst of them; not one direction alone."""
    if len(pairs) <= MOST_DIRECTIONS:
        return pairs if len(pairs) > 1 else []
    return sorted(pairs, key=lambda pair: pair[name] if pair[name] is not None else -np.inf)[:MOST_DIRECTIONS]


def _pair_row(key, pair, name):
    words = {"own": pair["from"], "other": pair["to"]}
    return _row(key, pair[name], pair[f"{name}_interval"], worst=0.0, best=1.0, n=pair["n"], **words)


def _ends_row(key, score, **words):
    """The row of a score whose interval is "low" and "high"."""
    interval = None if score["low"] is None else (score["low"], score["high"])
    return _row(key, score["value"], interval, score["worst"], score["best"], score["n"], **words)


def _timbre_rows(result):
    if "swap_f1" not in result:
        return
    n, intervals = result["n"], result["intervals"]
    chance = 1 / max(1, len(result["settings"]["instruments"]))
    for column, value in result["swap_f1"].items():
        worst = chance if column == "pre" else 0.0
        yield _row(f"swap_f1.{column}", value, intervals["swap_f1"][column], worst, 1.0, n)
    for column, value in result["judge_f1"].items():
        worst = chance if column in ("real", "pre") else 0.0
        yield _row(f"judge_f1.{column}", value, intervals["judge_f1"][column], worst, 1.0, n)
        if column == "real" and "judge_vocoded" in result:
            yield _score_row("judge_vocoded", result["judge_vocoded"] | {"worst": chance, "best": 1.0})
    way = result.get("swap_checks", {}).get("timbre_way")
    if way:
        yield _score_row("timbre_way", way | {"best": None})  # earlier versions had 1, which a swap can pass


def _melody_rows(result):
    melody = result.get("melody", {})
    words = {name: melody.get(name) for name in ("tracker", "reference")}
    for accuracy in ("rpa", "rca"):
        for name in ("original", *MADE):
            score = (melody.get(name) or {}).get(accuracy)
            if score:
                worst = melody["other_melody"][accuracy]["value"] if melody["other_melody"] else None
                yield _score_row(f"melody.{name}.{accuracy}", score | {"worst": worst, "best": 1.0}, **words)


def _note_rows(result):
    notes = result.get("swap_checks", {}).get("notes", {})
    ends = {"worst": notes["other_melody"]["value"], "best": 1.0} if "other_melody" in notes else {}
    for name in ("real", *MADE, "same"):
        if name in notes:
            yield _score_row(f"notes.{name}", notes[name] | ends)


def _reconstruction_rows(result):
    scores, interval = result["reconstruction"], result["intervals"]["reconstruction"]["mse"]
    yield _row("reconstruction.mse", scores["mse"], interval, scores["mse_worst"], 0.0, result["n"])
    yield _score_row("reconstruction.lsd", scores["log_spectral_distance"])


def _use_rows(result):
    use, kl = result.get("use"), result.get("kl", {})
    if use:
        n, words = use["n"], use["dimensions"]
        yield _row("use.use_of_v", use["use_of_v"], worst=0.0, n=n)
        for name in ("other", "zero"):
            yield _row(f"use.{name}", use["error_rise"][f"{name}_relative"], worst=0.0, n=n)
        for name in ("active_v", "active_z"):
            yield _row(f"use.{name}", use[name], worst=0, n=n, **words)
    for name, values in kl.items():
        total = None if None in values else sum(values)
        yield _row(f"kl.{name}", total, worst=0.0, n=result["n"])


def _leakage_rows(result):
    carried = result.get("swap_checks", {}).get("same_instrument")
    if carried:
        yield _score_row("leakage.same_instrument", carried)
    leakage = result.get("leakage")
    if not leakage:
        return
    if "instrument_from_v" in leakage:
        from_z = leakage["instrument_from_z"]
        yield _probe_row("leakage.instrument_z", [from_z["mean_and_deviation"]], 1.0, 0.0)
        yield _probe_row("leakage.instrument_frame", [from_z["frame"]], 1.0, 0.0)
        yield _probe_row("leakage.instrument_v", [leakage["instrument_from_v"]], 0.0, 1.0)
    from_v, from_z = leakage["melody_from_v"], leakage["melody_from_z"]
    if from_v:
        yield _probe_row("leakage.melody_v", from_v.values(), 1.0, 0.0, labels=len(from_v))
        yield _probe_row("leakage.melody_z", from_z.values(), 0.0, 1.0, labels=len(from_z))
    if "gap_static" in leakage:
        yield _row("leakage.gap_static", leakage["gap_static"], worst=0.0, best=1.0, n=result["n"])
    if from_v:
        gap = float(np.mean(list(leakage["gap_dynamic"].values())))
        yield _row("leakage.gap_dynamic", gap, worst=0.0, best=1.0, n=result["n"])


def _probe_row(key, readings, worst, best, **words):
    """The mean over labels of the better probe's score."""
    readings = list(readings)
    scores = [max(reading["linear"]["score"], reading["mlp"]["score"]) for reading in readings]
    n = readings[0]["linear"]["n"] if len(readings) == 1 else None
    return _row(key, float(np.mean(scores)), worst=worst, best=best, n=n, **words)


def _embeddings(result):
    """{name of an embedding: its distances}."""
    more = {name.removeprefix("frechet_"): each for name, each in result.items() if name.startswith("frechet_")}
    return result.get("frechet", {}) | more


def _distance_rows(result):
    for embedding, distances in _embeddings(result).items():
        worst = (distances.get("mean_frame") or {}).get("value")
        for name in ("half_split", *MADE, "generated_prior", "generated_mixture"):
            distance = distances.get(name)
            if distance:
                n = " and ".join(map(str, distance["n"]))
                yield _row(f"frechet.{name}", distance["value"], None, worst, 0.0, n, embedding=embedding)


def _factor_rows(result):
    for name, value in result.get("factors", {}).get("both", {}).items():
        yield _row(f"factors.{name}", value, worst=0.0, best=1.0)


ROWS = (
    *(_counterfactual_rows, _timbre_rows, _melody_rows, _note_rows, _reconstruction_rows, _use_rows),
    *(_leakage_rows, _distance_rows, _factor_rows),
)


def _line(row, width):
    interval = " to ".join(map(number_text, row["interval"])) if row["interval"] else NOTHING
    ends = f"{number_text(row['worst']):>9}{number_text(row['best']):>9}"
    return f"  {row['name']:<{width}}{number_text(row['value']):>9}  {interval:<18}{ends}"
