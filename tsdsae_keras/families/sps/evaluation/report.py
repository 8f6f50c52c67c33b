"""`tsdsae-keras evaluate`: all scores as JSON and as a page with figures and sounds."""

import logging

from tsdsae_keras.base.loading import load_model
from tsdsae_keras.data.sets import open_data
from tsdsae_keras.families.sps.evaluation.rows import groups, table
from tsdsae_keras.families.sps.evaluation.scores import evaluate
from tsdsae_keras.families.sps.pictures import figures, sounds
from tsdsae_keras.files import write_json
from tsdsae_keras.report.page import write_page
from tsdsae_keras.training.evaluate import scores_file
from tsdsae_keras.training.model_files import model_file
from tsdsae_keras.training.run import RunFolder, data_settings, versions

log = logging.getLogger(__name__)


def report(model, data=None, out=None, seed=0):
    """Scores a run folder or a `.keras` file, writes JSON and `report.html` next to it, and returns the scores.

    Args:
        model: a run folder or a `.keras` file.
        data: the name of a data set; None for the data of the run.
        out: the JSON file; None for `evaluation.json` in the run folder, or next to the model file.
        seed: fixes everything that is drawn.

    Raises:
        InputError: something cannot be used.
    """
    path, out = model_file(model), scores_file(model, out)
    settings = data_settings(RunFolder(path.parent), "sps", data)
    loaded, opened = load_model(path), open_data(settings)
    result = evaluate(loaded, opened, seed)
    write_json(out, result)
    page = out.with_name("report.html")
    write_page(_content(loaded, opened, result, settings, path), page)
    log.info(f"{table(result)}\n\nscores: {out}\npage: {page}")
    return result


def _content(model, data, result, settings, path):
    music = model.domain == "music"
    what, of_music = ("pitch", "; of synthesis over codes, of shifted scales over shifts") if music else ("place", "")
    return {
        "title": f"{settings.model} on {settings.data}",
        "lead": f"{path.name}: {what} from physical symmetry, K = {model.copies}, {result['n']} test sequences.",
        "scores": groups(result),
        "scores_note": "Worst is the value of an untrained model; of reconstruction and roll-out, that of the mean "
        f"frame. Intervals: 95 % by bootstrap, over sequences{of_music}.",
        "sounds": sounds(model, data),
        "pictures": figures(model, data, result),
        "settings": settings.to_dict(),
        "versions": versions(),
    }
