"""`tsdsae-keras probe`: one table of linear probes, of any models that embed sounds."""

import logging
from pathlib import Path

from tsdsae_keras.base.loading import load_model
from tsdsae_keras.data.audio.statistics import STATISTICS
from tsdsae_keras.data.prepared.store import PreparedData
from tsdsae_keras.data.sets.pool import check_unseen
from tsdsae_keras.data.tasks import open_task
from tsdsae_keras.files import write_json
from tsdsae_keras.training import probing
from tsdsae_keras.training.model_files import model_file
from tsdsae_keras.training.run import RunFolder, runs_in

log = logging.getLogger(__name__)


def probe_model(
    model, tasks, compare=(), labels="folder", split_by="file", protocol="ridge", cache="data", seed=0, out=None
):
    """Probes the embeddings of models, of untrained ones like the first, and features without learning.

    Args:
        model: a run folder, a `.keras` file, a trained model of the library, or a folder with runs `seed-0`, `seed-1`,
            ..., of which the mean is taken.
        tasks: as `data.tasks.open_task` takes them, with `labels`, `split_by` and `cache`.
        compare: further models.
        protocol: "ridge" or "evar".
        seed: of held-out fifths and untrained models.
        out: a JSON file, or None.

    Returns:
        {task: {representation: scores}}.

    Raises:
        InputError: something cannot be used, or the pool of a run holds what a task tests on.
    """
    files = {str(name): _files(name) for name in (model, *compare)}
    models = {name: [load_model(file) for file in each] for name, each in files.items()}
    embedders, results = {name: [probing.Embedder(each) for each in seeds] for name, seeds in models.items()}, {}
    first = models[str(model)][0]
    for name in tasks:
        task = open_task(name, cache, labels, split_by)
        for data in filter(None, (_pool_of(file) for each in files.values() for file in each)):
            check_unseen(data, task)
        sounds = probing.TaskSounds(task)
        frames = _frames(first, sounds)
        fresh = [probing.reinitialise(first, frames, seed + n) for n in range(probing.UNTRAINED_SEEDS)]
        random = [probing.Embedder(model) for model in fresh]
        known = embedders | {"untrained": random}
        known |= {each: probing.Statistics(function) for each, function in STATISTICS.items()}
        results[task.name] = probing.probe_all(known, sounds, protocol=protocol, seed=seed)
    log.info(probing.table(results))
    if out:
        write_json(Path(out), results)
        log.info(f"scores: {out}")
    return results


def _frames(model, sounds):
    """Frames of training sounds, without labels, to calibrate untrained models on."""
    return probing.Embedder(model).frames(sounds.training(probing.CALIBRATING))


def _files(name):
    """The models of a name: one, or those of the runs `seed-N` in a folder, which are one row of the table."""
    runs = runs_in(name) if Path(name).is_dir() else []
    return [run.model for run in runs] if len(runs) > 1 else [model_file(name)]


def _pool_of(path):
    """The data of a run, by its model, where they are a prepared folder that is still there."""
    run = RunFolder(path.parent)
    folder = run.read_settings()["settings"]["data_folder"] if run.settings.is_file() else ""
    return PreparedData(folder, verify=False) if folder and Path(folder).is_dir() else None
