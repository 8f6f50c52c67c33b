"""`tsdsae-keras evaluate`: every score of a saved model, by the family it belongs to."""

import logging
from pathlib import Path

from tsdsae_keras.base.loading import load_model
from tsdsae_keras.base.model_class import card_of
from tsdsae_keras.data.sets import open_data
from tsdsae_keras.errors import InputError
from tsdsae_keras.files import write_json
from tsdsae_keras.options import flag
from tsdsae_keras.training.model_files import model_file
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
    if card.report:
        return card.part("report")(model, data, out, seed, **options)
    if options:
        raise InputError(f"{' '.join(map(flag, options))} cannot be used with {' '.join(card.models)}; leave it out")
    run = RunFolder(path.parent)
    opened = open_data(data_settings(run, next(iter(card.models)), data))
    result = card.part("evaluate")(load_model(path), opened, seed)
    out = Path(out) if out else (run.evaluation if run.settings.is_file() else path.with_suffix(".evaluation.json"))
    write_json(out, result)
    log.info(f"{card.part('table')(result)}\n\nscores: {out}")
    return result
