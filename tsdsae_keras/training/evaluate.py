"""`tsdsae-keras evaluate`: every score of a saved model, by the family it belongs to."""

import logging
from pathlib import Path

from tsdsae_keras.base.loading import load_model
from tsdsae_keras.base.model_class import card_of
from tsdsae_keras.data.sets import open_data
from tsdsae_keras.errors import InputError
from tsdsae_keras.files import write_json
from tsdsae_keras.options import flag
from tsdsae_keras.settings import Settings, settings_from_dict
from tsdsae_keras.training.model_files import model_file
from tsdsae_keras.training.run import RunFolder

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
    if card.report:
        return card.part("report")(model, data, out, seed, **options)
    if options:
        raise InputError(f"{' '.join(map(flag, options))} cannot be used with {' '.join(card.models)}; leave it out")
    run = RunFolder(path.parent)
    opened = open_data(settings_of_run(run, card, data))
    result = card.part("evaluate")(load_model(path), opened, seed)
    out = Path(out) if out else (run.evaluation if run.settings.is_file() else path.with_suffix(".evaluation.json"))
    write_json(out, result)
    log.info(f"{card.part('table')(result)}\n\nscores: {out}")
    return result


def settings_of_run(run, card, data=None):
    """The settings that say what a model is scored on: of the data given, by default of those of its run.

    Args:
        run: `RunFolder` of the model.
        card: of its family.
        data: a prepared folder, the name of a data set, or None.

    Raises:
        InputError: neither is known.
    """
    if data is None and not run.settings.is_file():
        raise InputError(f"{run.folder} has no settings.json that names its data; give --data")
    if data is None:
        known = run.read_settings()["settings"]
        settings = settings_from_dict(known)
        return settings.replace(data=known["data_folder"]) if known["data_folder"] else settings
    return Settings(model=next(iter(card.models)), data=data)
