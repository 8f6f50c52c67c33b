"""One run of the study: trained to its end, measured in full, and its result written last."""

import csv
import time

import keras

from tsdsae_keras.base.loading import load_model
from tsdsae_keras.errors import Stopped
from tsdsae_keras.families.tsdsae.evaluation.context import EvaluationContext, make_subject
from tsdsae_keras.families.tsdsae.evaluation.scores import full_scores
from tsdsae_keras.families.tsdsae.study.grid import varied_settings
from tsdsae_keras.families.tsdsae.study.octave import list_octaves, octave_scores
from tsdsae_keras.files import write_json
from tsdsae_keras.report.table import number_text
from tsdsae_keras.search.folder import inner, read_json
from tsdsae_keras.search.trials import reason_of
from tsdsae_keras.settings import settings_from_dict
from tsdsae_keras.training.callbacks import reaches, selection_value
from tsdsae_keras.training.run import versions
from tsdsae_keras.training.train import resume, train

EVALUATION_SEED = 0  # one list of pairs, one judge for all runs of a study
COLUMNS = ("real", "pre", "global", "local")
ELBO_TERMS = ("recon", "kl_z", "kl_v")
MADE = ("reconstruction", "global", "local")


def make_run(folder, name, settings, data, pairs):
    """Makes what is left to make of a run in a `StudyFolder`, and writes its result; returns it.

    A run that fails leaves a result that says why, so that the study can continue.

    Raises:
        InputError: the disk is full, or a file cannot be used.
        Stopped, KeyboardInterrupt: it was asked to stop.
    """
    keras.utils.clear_session()
    settings = settings.replace(out=str(folder.run(name).folder))
    result = {"name": name, **varied_settings(settings), "settings": settings.to_dict(), "data_identity": data.identity}
    try:
        result |= _measure(folder.run(name), settings, data, pairs)
    except (Stopped, OSError):
        raise
    except Exception as error:  # whatever a run dies of, the study continues
        if isinstance(error.__cause__, OSError):
            raise
        result["failure"] = reason_of(error)
    write_json(folder.result(name), result)
    return result


def _measure(run, settings, data, pairs):
    _train(run, settings)
    start = time.perf_counter()
    subject = make_subject(load_model(run.model), data, EVALUATION_SEED)
    evaluation, _ = full_scores(EvaluationContext(subject, data, pairs=pairs))
    octave = octave_scores(subject, data)
    write_json(run.evaluation, evaluation | ({"octave": octave} if octave else {}))
    known = read_json(run.seconds, {})
    seconds = {"train": round(sum(known.get("epochs", ())), 3), "evaluate": round(time.perf_counter() - start, 3)}
    return {
        "octaves": list_octaves(data),
        **summarize_training(run.history, settings.stop_at_recon),
        "seconds": seconds,
        "scores": select_scores(evaluation) | ({"octave": octave} if octave else {}),
        "left_out": evaluation["left_out"],
        "evaluation_seed": EVALUATION_SEED,
        "pairs": pairs,
        "versions": versions(),
    }


def _train(run, settings):
    if run.evaluation.is_file():
        return
    if run.settings.is_file():
        resume(run, settings_from_dict(run.read_settings()["settings"]))
    else:
        train(settings)


def summarize_training(history, reach):
    """How training ended, from `history.csv`; `reach` is the validation reconstruction at which it was to, or None.

    Returns:
        {"epochs", "kept_epoch" (counted from 1), "reach", "reached" (None where nothing was asked for), "validation":
        {"recon", "kl_z", "kl_v"} of the kept epoch}.
    """
    with history.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    last = max(int(row["stage"]) for row in rows)
    rows_of_last = [row for row in rows if int(row["stage"]) == last]
    there = [row for row in rows_of_last if reaches(row["val_recon"], reach)]
    kept = there[0] if there else min(rows_of_last, key=lambda row: selection_value(ELBO_TERMS, row))
    return {
        "epochs": len(rows),
        "kept_epoch": int(kept["epoch"]) + 1,
        "reach": reach,
        "reached": None if reach is None else bool(there),
        "validation": {name: float(kept[f"val_{name}"]) for name in ELBO_TERMS},
    }


def select_scores(evaluation):
    """The scores that figures and table take, from the dict of a full evaluation; None for what was left out."""
    frechet, melody = evaluation.get("frechet", {}).get("logmel"), evaluation.get("melody")
    return {
        "own": {column: inner(evaluation, "swap_f1", column) for column in COLUMNS[1:]},
        "judge": {column: inner(evaluation, "judge_f1", column) for column in COLUMNS},
        "frechet": {name: inner(frechet, name, "value") for name in (*MADE, "half_split")},
        "pitch": {name: inner(melody, name, "rpa", "value") for name in (*MADE, "original", "other_melody")},
        "chroma": {name: inner(melody, name, "rca", "value") for name in (*MADE, "original", "other_melody")},
        "use_of_v": inner(evaluation, "use", "use_of_v"),
        "recon": evaluation["reconstruction"]["mse"],
    }


def summary_line(result):
    """One line on a result."""
    if "failure" in result:
        return f"{result['name']} failed: {result['failure']}"
    own = " / ".join(number_text(value) for value in result["scores"]["own"].values())
    recon = f"validation recon {result['validation']['recon']:.3f} after {result['epochs']} epochs"
    missed = " (not as low as asked for)" if result["reached"] is False else ""
    return f"{result['name']}: F1 {own}, {recon}{missed}"
