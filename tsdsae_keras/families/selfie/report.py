"""Every score of a saved model as JSON and as a page: `tsdsae-keras evaluate`."""

import logging
from pathlib import Path

import numpy as np

from tsdsae_keras.base.loading import load_model
from tsdsae_keras.data.audio.clips import RATE
from tsdsae_keras.data.sets import open_data
from tsdsae_keras.families.selfie.batches import batches
from tsdsae_keras.families.selfie.evaluation import evaluate_tasks, open_tasks, table
from tsdsae_keras.families.selfie.pictures import labelled_windows, map_figure, match_figure
from tsdsae_keras.files import write_json
from tsdsae_keras.metrics.batching import in_batches
from tsdsae_keras.metrics.plain import to_plain
from tsdsae_keras.report.page import write_page
from tsdsae_keras.training.evaluate import scores_file
from tsdsae_keras.training.model_files import model_file
from tsdsae_keras.training.probing import Embedder, read_sounds
from tsdsae_keras.training.run import RunFolder, data_settings, versions

log = logging.getLogger(__name__)

SHOWN, PLAYED, SECONDS = 300, 8, 2.0  # sounds on the map, players, and how much of each
NOTES = {
    "offset": "|mean z|² of the projections: 0 spread, 1 collapsed",
    "std": "mean standard deviation of the projections, which the centred loss does not see",
    "effective_rank": "exp of the entropy of their singular values",
}


def report(model, data=None, out=None, seed=0, tasks=("auto",), protocol="ridge"):
    """Scores a run folder or a `.keras` file, writes JSON and a page next to it, logs the table; returns the dict.

    Args:
        model: a run folder or a `.keras` file.
        data: a prepared folder or "pool"; None for the data of the run.
        out: the JSON file; None for `evaluation.json` in the run folder, or next to the model file.
        seed: fixes everything that is drawn.
        tasks: names, see `evaluation.evaluate`.
        protocol: "ridge" or "evar".

    Raises:
        InputError: something cannot be used.
    """
    path, out = model_file(model), scores_file(model, out)
    settings, loaded = data_settings(RunFolder(path.parent), "selfie-style", data), load_model(path)
    opened = open_data(settings)
    opened_tasks, missing = open_tasks(tuple(tasks), opened)
    result, _ = to_plain(evaluate_tasks(loaded, opened, opened_tasks, missing, seed, protocol))
    write_json(out, result)
    page = out.with_name("report.html")
    write_page(content(loaded, opened, result, opened_tasks[0], settings, path), page)
    log.info(f"{table(result)}\n\nscores: {out}\nreport: {page}")
    return result


def rows(result):
    """The scores as groups of rows of a page: a group a task, then the means, then the projections."""
    groups = [
        {"group": name, "rows": [_row(each, score) for each, score in scores.items()]}
        for name, scores in result["tasks"].items()
    ]
    if len(groups) > 1:
        means = [{"name": name, "value": value, "direction": "higher"} for name, value in result["mean"].items()]
        groups.append({"group": "mean of the tasks", "rows": means})
    seen, room = result["projections"], result["projections"]["n"] - 1.0
    ends = {"offset": (1.0, 0.0, "lower"), "std": (None, None, None), "effective_rank": (1.0, room, "higher")}
    shown = [
        {"name": name, "value": seen[name], "worst": worst, "best": best, "direction": way, "note": NOTES[name]}
        for name, (worst, best, way) in ends.items()
    ]
    return [*groups, {"group": "projections of validation clips", "rows": shown}]


def _row(name, score):
    kept = {key: score[key] for key in ("value", "interval", "worst", "best")}
    seeds = f"mean of {len(score['seeds'])} seeds" if "seeds" in score else ""
    notes = (f"{score['n']} test sounds, {score['dim']} numbers a sound", seeds, score["note"])
    return {"name": name, **kept, "direction": "higher", "note": "; ".join(filter(None, notes))}


def content(model, data, result, task, settings, path):
    """The dictionary of the page.

    Args:
        model: `SelfieStyle`.
        data: the pool.
        result: of `evaluation.evaluate`.
        task: the opened `Task` whose test sounds are on the map.
        settings: `Settings` of the run.
        path: of the model.
    """
    image, sounds = map_of_task(model, task)
    x, sources = labelled_windows(data)
    return {
        "title": f"{settings.model} on {Path(settings.data).name}",
        "lead": result["note"] or f"{path.name}: embeddings of sounds, probed without training them further.",
        "scores": rows(result),
        "scores_note": "Accuracy of linear probes. Worst is the share of the most frequent class. Intervals: 95 % over "
        "test sounds, drawn by group such as kit, phrase or program; over several seeds, the widest.",
        "left_out": {"tasks": "; ".join(result["missing"])} if result["missing"] else {},
        "sounds": sounds,
        "pictures": {
            f"Map of {task.name}": {
                "image": image,
                "alt": "embeddings of test sounds on two principal components, coloured by class",
                "caption": f"the sounds with a number can be played; their licence: {task.licence or 'unknown'}",
            },
            "Map of the pool": {
                "image": map_figure(in_batches(model.embed, x, 64), sources),
                "alt": "embeddings of validation clips on two principal components, coloured by source",
            },
            "Views": {
                "image": match_figure(model, batches(data, settings, "validation").make(0, 0)),
                "alt": "a matrix of cosines between first and second views of validation clips, its diagonal bright",
                "caption": "invariance makes the diagonal bright, diversity all else dark",
            },
        },
        "settings": settings.to_dict(),
        "versions": versions(),
    }


def map_of_task(model, task):
    """The map of some test sounds of a task, and players of one sound of each class: (figure, sounds)."""
    clips = task.test_clips()
    clips = clips[:: -(-len(clips) // SHOWN)]
    samples = read_sounds(clips, task.seconds)
    found = in_batches(Embedder(model), samples, 64)
    labels = [each.label for each in clips]
    marked = [labels.index(name) for name in sorted(set(labels))][:PLAYED]
    sounds = [
        {"name": f"{place}: {labels[row]}", "samples": _played(samples[row]), "sample_rate": RATE, "group": task.title}
        for place, row in enumerate(marked, 1)
    ]
    return map_figure(found, labels, marked), sounds


def _played(samples):
    """The beginning of a sound, without the silence that it was padded by."""
    heard = np.flatnonzero(samples)
    return samples[: min(round(SECONDS * RATE), heard[-1] + 1)]
