"""The page of an evaluation: its table, pictures of swaps, codes and training, and sounds of a few pairs."""

import csv

import numpy as np

from tsdsae_keras.errors import InputError
from tsdsae_keras.families.tsdsae.evaluation.code_figures import codes_figure, kl_figure
from tsdsae_keras.families.tsdsae.evaluation.labels import instrument_name
from tsdsae_keras.families.tsdsae.evaluation.meaning import INTERVALS
from tsdsae_keras.families.tsdsae.evaluation.resynthesis import VOCODER, heard_part, recombine
from tsdsae_keras.families.tsdsae.evaluation.rows import list_left_out
from tsdsae_keras.metrics.batching import take_rows
from tsdsae_keras.metrics.pitch import voiced_hz
from tsdsae_keras.report.figures import loss_figure, swap_figure

SHOWN = 3  # pairs
LONGEST = 1 << 24  # bytes of a history
# {panel: (whose z, whose v)}, 0 the first of the pair and 1 the second; None: the real sequence.
PANELS = {
    "a": (0, None),
    "a reconstructed": (0, 0),
    "melody a, timbre b": (0, 1),
    "b": (1, None),
    "b reconstructed": (1, 1),
    "melody b, timbre a": (1, 0),
}


def build_page(context, result, groups, run, path):
    """The content of `report.page`.

    Args:
        context: the `context.EvaluationContext`.
        result: of `scores.full_scores`.
        groups: its rows.
        run: the `RunFolder` of the model, whose history is drawn where it has one.
        path: of the model, as it was given.
    """
    pictures, sounds = _pairs(context)
    return {
        "title": f"Evaluation of {path.resolve().name if path.is_dir() else path.name}",
        "lead": _lead(context, result),
        "verdict": result.get("verdict", {}).get("lines", ()),
        "scores": groups,
        "scores_note": INTERVALS,
        "left_out": list_left_out(result),
        "sounds": sounds,
        "pictures": pictures | _codes(context, result) | _history(run if path.is_dir() else None),
        "settings": {name: value for name, value in result["settings"].items() if name != "versions"},
        "versions": result["settings"]["versions"],
    }


def _lead(context, result):
    data, heard = context.data, len(result["pairs"]["heard"])
    return (
        f"{type(context.subject.model).__name__} on {result['n']} test sequences of {data.folder.name} (identity "
        f"{data.identity}). Latents at their means. Of the {result['n']} pairs {heard} were made to sound. Sounds here "
        f"are all resynthesised from log-mel frames, real ones too: {VOCODER}."
    )


def _pairs(context):
    """Pictures and sounds of the first pairs that were heard."""
    pictures, sounds = {}, []
    rows = context.pair_list["heard"][:SHOWN]
    panels = [_panels(context.subject, row, int(context.subject.partner[row])) for row in rows]
    heard = context.resynthesizer.resynthesize((x for each in panels for x in each.values()), len(panels) * len(PANELS))
    for number, (row, each) in enumerate(zip(rows, panels, strict=True), start=1):
        made = {name: next(heard) for name in each}
        title = f"Pair {number}: {_describe_pair(context, row)}"
        tracks = {name: voiced_hz(hz, voiced) for name, (_, hz, voiced) in made.items()}
        pictures[title] = _swap_picture(context, each, tracks)
        rate = context.front_end.sample_rate
        sounds += [
            {"name": _sound_name(name), "samples": samples, "sample_rate": rate, "group": title}
            for name, (samples, *_) in made.items()
        ]
    heard.close()
    return pictures, sounds


def _panels(subject, first, second):
    """{panel: log-mel frames} of a pair, the part of them that sounds."""
    rows = np.array([first, second])
    made = [pair for pair in PANELS.values() if pair[1] is not None]
    melody, timbre = (rows[list(whose)] for whose in zip(*made, strict=True))
    decoded = dict(zip(made, recombine(subject, melody, timbre), strict=True))
    real = [heard_part(subject.test.x[row], take_rows(subject.test.mask, row)) for row in rows]
    return {name: decoded.get(pair, real[pair[0]]) for name, pair in PANELS.items()}


def _swap_picture(context, panels, tracks):
    front_end = context.front_end
    fitting = {name: track[: len(panels[name])] for name, track in tracks.items() if len(track) >= len(panels[name])}
    options = {"tracks": fitting, "fmin": front_end.fmin, "fmax": front_end.fmax}
    return {
        "image": swap_figure(panels, front_end.hop_length / front_end.sample_rate, **options),
        "alt": "Six log-mel spectrograms: two sequences, their reconstructions, and each melody with the other timbre.",
        "caption": f"Each row holds one melody. The line is the pitch that {context.tracker.name} found where voiced.",
    }


def _describe_pair(context, row):
    instrument, other = context.subject.test.instrument, int(context.subject.partner[row])
    if instrument is None:
        return f"a is test sequence {row}, b is {other}"
    names = [instrument_name(context.data, instrument[place]) for place in (row, other)]
    return f"a is test sequence {row} ({names[0]}), b is {other} ({names[1]})"


def _sound_name(panel):
    return f"{panel}, real frames through the vocoder" if PANELS[panel][1] is None else panel


def _codes(context, result):
    """The plane of v, and the bars of KL where they are known."""
    instrument = context.subject.test.instrument
    labels = None if instrument is None else np.array([instrument_name(context.data, each) for each in instrument])
    pictures = {
        "Codes v of the test split": {
            "image": codes_figure(context.subject.posteriors.v_mean, labels),
            "alt": "A point for each test sequence in the plane of its code v, coloured by instrument.",
            "caption": "A colour an instrument. Groups that overlap here may be apart in other dimensions.",
        }
    }
    if "kl" in result and all(None not in values for values in result["kl"].values()):
        pictures["KL by dimension"] = {
            "image": kl_figure(result["kl"]),
            "alt": "Bars: the divergence of each dimension of v and of z from its prior.",
            "caption": "Near 0: on its prior. In stage 2 of TS-DSAE the prior of v is the snapshot's posterior, and "
            "small bars of v are by design.",
        }
    return pictures


def _history(run):
    """The curves of the run, where its history can be read."""
    if run is None or not run.history.is_file() or run.history.stat().st_size > LONGEST:
        return {}
    try:
        curves, switch = read_history(run.history)
        image = loss_figure(curves, switch)
    except (InputError, ValueError, KeyError, csv.Error):
        return {}
    alt = "Curves of the loss and its terms by epoch."
    caption = (
        "By epoch, logarithmic." if switch is None else "By epoch, logarithmic; stage 2 begins at the dotted line."
    )
    return {"Training": {"image": image, "alt": alt, "caption": caption}}


def read_history(path):
    """({term: values by epoch, nan where there is none}, the epoch with which stage 2 begins or None)."""
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    aside = ("epoch", "stage", "seconds", "gradient_norm", "skipped_steps")
    names = [name for name in (rows[0] if rows else ()) if name not in aside]
    kept = [name for name in names if name.removeprefix("val_") in ("loss", "recon") or name.startswith("kl_")]
    curves = {name: [float(row[name] or "nan") for row in rows] for name in kept}
    stages = [row.get("stage") for row in rows]
    return curves, stages.index("2") if "2" in stages[1:] and stages[0] != "2" else None
