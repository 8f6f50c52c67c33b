"""Every score of a saved model as JSON and as a page: `tsdsae-keras evaluate`."""

import logging

from tsdsae_keras.base.loading import load_model
from tsdsae_keras.data.sets import open_data
from tsdsae_keras.errors import InputError
from tsdsae_keras.families.cpd import figures
from tsdsae_keras.families.cpd.codes import DataCodes
from tsdsae_keras.families.cpd.decoding import STEPS, reconstruct
from tsdsae_keras.families.cpd.evaluation import candidates_in, flat, scores_of, table
from tsdsae_keras.families.cpd.model import CPD
from tsdsae_keras.families.cpd.pictures import neighbours_png
from tsdsae_keras.files import write_json
from tsdsae_keras.metrics.plain import to_plain
from tsdsae_keras.report.page import write_page
from tsdsae_keras.training.evaluate import scores_file
from tsdsae_keras.training.model_files import model_file
from tsdsae_keras.training.run import RunFolder, data_settings, versions

log = logging.getLogger(__name__)

LOWER = ("pose_error", "info_nce", "reconstruction", "fall")
NOTES = {
    "fall": "an exact action loses nothing beyond the interval; a learned one does",
    "same_class": "all candidates are of one class: only the pose tells them apart",
    "same_pose": "all classes at the true pose: only the class tells them apart",
    "class_accuracy": "nearest centroid of the classes' codes; labels serve for this score alone",
    "pose_error": "after the one constant that a class is free to have",
    "info_nce": "worst is a constant class, best its floor for perfect classes",
    "reconstruction": "mean squared error of a decoder fitted on frozen codes; worst is the mean image, best the same "
    "decoder of the true pose and class",
}


def report(model, data=None, out=None, seed=0, decoder_steps=STEPS):
    """Scores a run folder or a `.keras` file, writes JSON and a page next to it, logs the table; returns the dict.

    Args:
        model: a run folder, a `.keras` file, or the name of a trained model of the library.
        data: the name of a data set; None for the data of the run.
        out: the JSON file; None for `evaluation.json` in the run folder, or next to the model file.
        seed: fixes everything that is drawn.
        decoder_steps: that a decoder is trained on frozen codes, see `decoding`; 0 leaves its score out.

    Raises:
        InputError: something cannot be used.
    """
    if decoder_steps < 0:
        raise InputError(f"--decoder-steps is {decoder_steps}; it must be 0 or more")
    path, out = model_file(model), scores_file(model, out)
    settings, loaded = data_settings(RunFolder(path.parent), "cpd", data), load_model(path)
    codes = DataCodes(loaded, open_data(settings))
    result, drawn = scores_of(codes, seed), None
    if decoder_steps:
        result["reconstruction"], *drawn = reconstruct(codes, seed, decoder_steps)
    result, _ = to_plain(result)
    write_json(out, result)
    write_page(content(codes, result, drawn, settings, path), out.with_name("report.html"))
    log.info(f"{table(result)}\n\nscores: {out}\nreport: {out.with_name('report.html')}")
    return result


def rows(result):
    """The scores of `report` as groups of rows of a page, hit-rates by steps first."""
    by_steps = result["hit_rate"] | result.get("curve", {})
    rates = [_row(f"{steps} step{'s' * (steps != '1')}", by_steps[steps], "hit_rate") for steps in _sort(by_steps)]
    among = result["hit_rate_5"]
    rates += [_row(f"{steps}, among the 5 nearest", among[steps], "hit_rate") for steps in _sort(among)]
    groups = [{"group": f"hit-rate among {result['settings']['candidates']}, by steps", "rows": rates}]
    parts = {key: value for key, value in result.items() if key not in ("hit_rate", "hit_rate_5", "curve", "left_out")}
    groups.append({"group": "pose and class", "rows": _rows(parts)})
    if "left_out" in result:
        groups.append({"group": "classes that training never showed", "rows": _rows(result["left_out"])})
    return [group for group in groups if group["rows"]]


def _sort(by_steps):
    return sorted(by_steps, key=int)


def _rows(result):
    """Rows of the page of all scores of a dict; one of them is a dict of scores by unit or steps, or a score."""
    found = []
    for key, scores in result.items():
        for name, value in flat({key: scores}).items():
            found.append(_row(name, value, key))
    return found


def _row(name, scores, key):
    kept = {end: scores[end] for end in ("value", "interval", "worst", "best")}
    return {"name": name, **kept, "direction": "lower" if key in LOWER else "higher", "note": NOTES.get(key, "")}


def content(codes, result, drawn, settings, path):
    """The dictionary of the page.

    Args:
        codes: `codes.DataCodes`.
        result: scores of `report`.
        drawn: test images and what was decoded, or None.
        settings: `Settings` of the run.
        path: of the model.
    """
    rate = result["hit_rate"]
    last = max(rate, key=int)
    return {
        "title": f"{settings.model} on {settings.data}",
        "lead": f"{path.name}: hit-rate {rate['1']['value']:.3f} after 1 action"
        + (f", {rate[last]['value']:.3f} after {last}." if last != "1" else "."),
        "scores": rows(result),
        "scores_note": f"{result['settings']['queries']} queries. Worst of a hit-rate is chance. Intervals: 95 %, "
        "over queries. The actions of the group are exact, so that many steps are one step by their product.",
        "pictures": _pictures(codes, result, drawn),
        "settings": settings.to_dict(),
        "versions": versions(),
    }


def _pictures(codes, result, drawn):
    model, test = codes.model, codes.of("test")
    shown = {
        "Neighbours of predicted codes": {
            "image": neighbours_png(model, codes.data, "test"),
            "alt": "rows of test images, of the true images after the actions, and of those whose codes are nearest to "
            "the predicted ones",
            "caption": "the first image itself is never among the candidates",
        },
        "Poses": {
            "image": figures.pose_figure(model, test),
            "alt": "poses of test images as points, coloured by class",
            "caption": "a class may lie anywhere: relative symmetries fix its poses up to one constant",
        },
    }
    if isinstance(model, CPD):
        shown["Classes"] = {
            "image": figures.class_figure(model, test),
            "alt": "class codes of test images on two principal components, coloured by class",
        }
    shown["Trajectories"] = {
        "image": figures.trajectory_figure(model, test),
        "alt": "poses along trajectories, of the true images and as predicted from the first image and the actions",
        "caption": "the first two coordinates",
    }
    if "curve" in result:
        shown["Hit-rate by steps"] = {
            "image": figures.curve_figure(result["curve"], candidates_in(test.pool)),
            "alt": "hit-rates with their intervals by number of actions, up to 40",
        }
    if drawn:
        shown["Decoded from frozen codes"] = {
            "image": figures.reconstruction_figure(*drawn),
            "alt": "test images, and what a decoder that was fitted on frozen codes makes of them",
        }
    return shown
