"""`tsdsae-keras evaluate`: the scores of a saved model on a test split."""

from pathlib import Path

from tsdsae_keras.data.store import PreparedData
from tsdsae_keras.errors import InputError
from tsdsae_keras.evaluation.evaluate import Split, table
from tsdsae_keras.evaluation.evaluate import evaluate as scores_of
from tsdsae_keras.files import write_json
from tsdsae_keras.models.loading import load_model
from tsdsae_keras.training.run import RunFolder, versions


def evaluate(model, data=None, out=None, seed=0, say=print):
    """Scores a run folder or a `.keras` file, writes them as JSON and prints the table; returns the dict."""
    path = Path(model)
    run = RunFolder(path if path.is_dir() else path.parent)
    loaded = load_model(run.model if path.is_dir() else path)
    prepared = PreparedData(data or _data_of(run))
    result = score(loaded, prepared, seed)
    out = Path(out) if out else (run.evaluation if path.is_dir() else path.with_suffix(".evaluation.json"))
    write_json(out, result)
    say(table(result))
    say(f"scores: {out}")
    return result


def score(model, data, seed):
    """The dict of scores of a model on the test split of prepared data, settings included."""
    check_front_end(model, data)
    result = scores_of(model, split_of(data, "train"), split_of(data, "test"), seed=seed)
    settings = {"model": model.get_config(), "data": data.identity, "synth": data.manifest.get("synth")}
    result["settings"] |= settings | {"versions": versions()}
    return result


def check_front_end(model, data):
    """Refuses data whose features were made by other settings than those the model was trained on."""
    if model.front_end is not None and dict(model.front_end) != dict(data.front_end):
        names = [name for name, value in data.front_end.items() if model.front_end.get(name) != value]
        differ = ", ".join(f"{name} {model.front_end.get(name)} and {data.front_end[name]}" for name in names)
        raise InputError(f"model and data ({data.folder}) have other front-end settings: {differ}")
    if model.features != data.bands:
        raise InputError(f"the model takes {model.features} bands, {data.folder} has {data.bands}")


def split_of(data, split):
    """Features and instruments of a split."""
    return Split(x=data.features(split), instrument=data.labels(split).get("instrument"))


def _data_of(run):
    if not run.settings.is_file():
        raise InputError(f"{run.folder} has no settings.json that names its data; give --data FOLDER")
    return run.read_settings()["settings"]["data_folder"]
