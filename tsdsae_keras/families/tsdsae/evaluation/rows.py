"""The dictionary of a full evaluation as the rows of a table: for the report page, and as text for a terminal."""

import math

import numpy as np

from tsdsae_keras.families.tsdsae.evaluation.meaning import MEANINGS

MADE = ("reconstruction", "global", "local")
NOTHING = "-"


def rows_of(result):
    """The table of a full evaluation: [{"group", "rows": [row]}], in the order of reading.

    A row is {"name", "value", "interval", "floor", "ceiling", "direction", "note"}, as `report.page` takes it; the
    note ends with n. What the evaluation left out is not in it.
    """
    found = [*_timbre(result), *_melody(result), *_reconstruction(result), *_use(result), *_leakage(result)]
    found += [*_distances(result), *_factors(result)]
    groups = {}
    for group, row in found:
        groups.setdefault(group, []).append(row)
    return [{"group": name, "rows": rows} for name, rows in groups.items()]


def text_table(groups, result):
    """The table of `rows_of` as aligned text, with what was left out below it."""
    shown = [row for group in groups for row in group["rows"]]
    width = max((len(row["name"]) for row in shown), default=0)
    lines = [" " * (width + 2) + f"{'value':>9}  {'95 % interval':<18}{'floor':>9}{'ceiling':>9}"]
    for group in groups:
        lines += ["", group["group"]]
        lines += [_line(row, width) for row in group["rows"]]
    left_out = [f"left out: {name}: {reason}" for name, reason in left_out_of(result).items()]
    return "\n".join([*lines, "", f"{result['n']} test sequences", *left_out])


def left_out_of(result):
    """{score: reason} of all that is missing, the inner ones too, and {value: what it was} of what is no number."""
    inner = {
        f"{name} of {label}": reason
        for name in ("leakage", "factors")
        for label, reason in result.get(name, {}).get("left_out", {}).items()
    }
    floors = {
        f"ceiling of {name}": found["no_floor"] for name, found in _embeddings(result).items() if "no_floor" in found
    }
    odd = {path: f"{what}, so shown as none" for path, what in result.get("not_finite", {}).items()}
    return result.get("left_out", {}) | inner | floors | odd


def _row(key, value, interval=None, floor=None, ceiling=None, n=None, **words):
    meaning = MEANINGS[key]
    note = meaning.note if n is None else f"{meaning.note} n = {n}."
    row = {"name": meaning.name.format(**words), "value": value, "interval": interval and tuple(interval)}
    return meaning.group.format(**words), row | {
        "floor": floor,
        "ceiling": ceiling,
        "direction": meaning.direction,
        "note": note,
    }


def _stated(key, found, **words):
    ends = {name: found.get(name) for name in ("interval", "floor", "ceiling", "n")}
    return _row(key, found["value"], **ends, **words)


def _timbre(result):
    if "swap_f1" not in result:
        return
    n, intervals = result["n"], result["intervals"]
    chance = 1 / max(1, len(result["settings"]["instruments"]))
    for column, value in result["swap_f1"].items():
        floor = chance if column == "pre" else 0.0
        yield _row(f"swap_f1.{column}", value, intervals["swap_f1"][column], floor, 1.0, n)
    real = result["judge_f1"]["real"]
    for column, value in result["judge_f1"].items():
        floor, ceiling = (chance if column in ("real", "pre") else 0.0), (1.0 if column == "real" else real)
        yield _row(f"judge_f1.{column}", value, intervals["judge_f1"][column], floor, ceiling, n)
        if column == "real" and "judge_vocoded" in result:
            yield _stated("judge_vocoded", result["judge_vocoded"] | {"floor": chance, "ceiling": real})


def _melody(result):
    melody = result.get("melody", {})
    for accuracy in ("rpa", "rca"):
        for name in ("ceiling", *MADE):
            if (melody.get(name) or {}).get(accuracy):
                floor = {"floor": melody["floor"][accuracy]["value"]} if name == "ceiling" and melody["floor"] else {}
                found = melody[name][accuracy] | floor
                words = {name: melody[name] for name in ("tracker", "reference")}
                yield _stated(f"melody.{name}.{accuracy}", found, **words)


def _reconstruction(result):
    found, interval = result["reconstruction"], result["intervals"]["reconstruction"]["mse"]
    yield _row("reconstruction.mse", found["mse"], interval, found["mse_floor"], 0.0, result["n"])
    yield _stated("reconstruction.lsd", found["log_spectral_distance"])


def _use(result):
    use, kl = result.get("use"), result.get("kl", {})
    if use:
        n, words = use["n"], use["dimensions"]
        yield _row("use.use_of_v", use["use_of_v"], floor=0.0, n=n)
        for name in ("other", "zero"):
            yield _row(f"use.{name}", use["error_rise"][f"{name}_relative"], floor=0.0, n=n)
        for name in ("active_v", "active_z"):
            yield _row(f"use.{name}", use[name], floor=0, n=n, **words)
    for name, values in kl.items():
        total = None if None in values else sum(values)
        yield _row(f"kl.{name}", total, floor=0.0, n=result["n"])


def _leakage(result):
    leakage = result.get("leakage")
    if not leakage:
        return
    if "instrument_from_v" in leakage:
        of_z = leakage["instrument_from_z"]
        yield _read("leakage.instrument_z", [of_z["mean_and_deviation"]], 1.0, 0.0)
        yield _read("leakage.instrument_frame", [of_z["frame"]], 1.0, 0.0)
        yield _read("leakage.instrument_v", [leakage["instrument_from_v"]], 0.0, 1.0)
    of_v, of_z = leakage["melody_from_v"], leakage["melody_from_z"]
    if of_v:
        yield _read("leakage.melody_v", of_v.values(), 1.0, 0.0, labels=len(of_v))
        yield _read("leakage.melody_z", of_z.values(), 0.0, 1.0, labels=len(of_z))
    if "gap_static" in leakage:
        yield _row("leakage.gap_static", leakage["gap_static"], floor=0.0, ceiling=1.0, n=result["n"])
    if of_v:
        gap = float(np.mean(list(leakage["gap_dynamic"].values())))
        yield _row("leakage.gap_dynamic", gap, floor=0.0, ceiling=1.0, n=result["n"])


def _read(key, readings, floor, ceiling, **words):
    """The mean over labels of the better probe's score."""
    readings = list(readings)
    best = [max(reading["linear"]["score"], reading["mlp"]["score"]) for reading in readings]
    n = readings[0]["linear"]["n"] if len(readings) == 1 else None
    return _row(key, float(np.mean(best)), floor=floor, ceiling=ceiling, n=n, **words)


def _embeddings(result):
    """{name of an embedding: its distances}."""
    found = dict(result.get("frechet", {}))
    more = {name.removeprefix("frechet_"): found for name, found in result.items() if name.startswith("frechet_")}
    return found | more


def _distances(result):
    for embedding, found in _embeddings(result).items():
        floor, ceiling = ((found.get(end) or {}).get("value") for end in ("mean_frame", "floor"))
        for name in (*MADE, "generated_prior", "generated_mixture"):
            if name in found:
                n = " and ".join(map(str, found[name]["n"]))
                key = f"frechet.{name}"
                yield _row(key, found[name]["value"], None, floor, ceiling, n, embedding=embedding)


def _factors(result):
    for name, value in result.get("factors", {}).get("both", {}).items():
        yield _row(f"factors.{name}", value, floor=0.0, ceiling=1.0)


def _line(row, width):
    interval = " to ".join(map(_number, row["interval"])) if row["interval"] else NOTHING
    ends = f"{_number(row['floor']):>9}{_number(row['ceiling']):>9}"
    return f"  {row['name']:<{width}}{_number(row['value']):>9}  {interval:<18}{ends}"


def _number(value):
    if value is None or not math.isfinite(value):
        return NOTHING
    if isinstance(value, int):
        return str(value)
    return f"{value:.3f}" if value == 0 or 0.01 <= abs(value) < 100 else f"{value:.3g}"
