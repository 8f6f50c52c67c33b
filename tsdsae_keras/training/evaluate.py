"""`tsdsae-keras evaluate`: every score of a saved model, by the family it belongs to."""

import inspect
import logging
from pathlib import Path

from tsdsae_keras.base.loading import load_model
from tsdsae_keras.base.model_class import card_of
from tsdsae_keras.data.sets import open_data
from tsdsae_keras.errors import InputError
from tsdsae_keras.files import write_json
from tsdsae_keras.options import flag
from tsdsae_keras.training.model_files import is_pretrained, model_file
from tsdsae_keras.training.run import RunFolder, data_settings

log = logging.getLogger(__name__)


def evaluate(model, data=None, out=None, seed=0, **options):
    """Scores a run folder or a `.keras` file and writes JSON; logs the table, and returns the dict.

    Args:
        model: a run folder, a `.keras` file, or the name of a trained model of the library.
        data: a prepared folder or the name of a data set; None for the data of the run.
        out: the JSON file; None for `evaluation.json` in the run folder, or next to the model file.
        seed: fixes everything that is drawn.
        options: those of the model's family.

    Raises:
        InputError: something cannot be used.
    """
    path = model_file(model)
    card = card_of(path)
    report = card.part("report")
    taken = inspect.signature(report).parameters if report else ()
    if odd := [name for name in options if name not in taken]:
        raise InputError(f"{' '.join(map(flag, odd))} cannot be used with {' '.join(card.models)}; leave it out")
    if report:
        return report(model, data, out, seed, **options)
    out = scores_file(model, out)
    opened = open_data(data_settings(RunFolder(path.parent), next(iter(card.models)), data))
    result = card.part("evaluate")(load_model(path), opened, seed)
    write_json(out, result)
    log.info(f"{card.part('table')(result)}\n\nscores: {out}")
    return result


def scores_file(model, out=None):
    """Where the scores of a model go: `out`, or into its run folder, or next to its file.

    Raises:
        InputError: `out` is not a file in a folder that exists; or it is not given, and the model is a trained one of
            the library or that of an unfinished run, which a file of scores would make a finished one.
    """
    if out:
        return _check_out(Path(out))
    if is_pretrained(model):
        raise InputError(f"give --out FILE.json: {model} comes with the library, where nothing is written")
    path = model_file(model)
    run = RunFolder(path.parent)
    if not run.settings.is_file():
        return path.with_suffix(".evaluation.json")
    if not run.evaluation.is_file():
        how = f"resume it ({run.resume_command}), or give --out FILE.json"
        raise InputError(f"{run.folder} is an unfinished run; {how}")
    return run.evaluation


def _check_out(out):
    if not out.parent.is_dir() or out.is_dir():
        raise InputError(f"--out is {out}; it should be a file in a folder that exists")
    return out
