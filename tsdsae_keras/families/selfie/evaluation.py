"""Linear probes of the embedding, of an untrained encoder and of features without learning, and what the loss sees.

The probe takes the embedding, the loss takes the projections: both are looked at, since a probe does not show that the
projections have collapsed.
"""

import logging

import numpy as np
from keras import ops

from tsdsae_keras.data.audio.statistics import STATISTICS
from tsdsae_keras.data.sets.pool import SYNTHETIC, check_unseen
from tsdsae_keras.data.tasks import REPORTED, installed_tasks, open_task
from tsdsae_keras.families.selfie.batches import Clips
from tsdsae_keras.training.probing import (
    CALIBRATING,
    UNTRAINED_SEEDS,
    Embedder,
    Statistics,
    TaskSounds,
    probe_all,
    reinitialise,
)
from tsdsae_keras.training.probing import table as task_table

log = logging.getLogger(__name__)

NOTE = (
    "SELFIE-style: a reconstruction of ours after the abstract of arXiv 2303.03717; none of its numbers is reproduced, "
    "and none of these compares with them"
)
LOOKED_AT = 512  # validation windows


def evaluate(model, data, seed=0, tasks=("auto",), protocol="ridge"):
    """The scores of a model.

    Args:
        model: `SelfieStyle`.
        data: the pool it was trained on.
        seed: of the held-out fifths and of the untrained encoder.
        tasks: names, or "auto": those reported whose sounds are installed; the synthesised one where none is, and for
            a pool of synthesised sounds.
        protocol: "ridge" or "evar".

    Returns:
        {"tasks": {task: {representation: scores of `training.probing.probe`}}, "mean": {representation: number},
        "projections": {"offset", "std", "effective_rank", "decorrelation_floor", "n"}, "missing": [lines], "note"}.
    """
    return evaluate_tasks(model, data, *open_tasks(tasks, data), seed, protocol)


def evaluate_tasks(model, data, tasks, missing=(), seed=0, protocol="ridge"):
    """As `evaluate`, on opened tasks; `missing` are lines about those that could not be opened."""
    embedders, found = representations(model, windows(data, "train", CALIBRATING, seed)[0], seed), {}
    for task in tasks:
        check_unseen(data, task)
        log.info(f"probing {task.name} ({len(task.clips)} sounds)")
        found[task.name] = probe_all(embedders, TaskSounds(task), protocol=protocol, seed=seed)
    means = {name: float(np.mean([each[name]["value"] for each in found.values()])) for name in embedders}
    return {
        "tasks": found,
        "mean": means,
        "projections": look_at_projections(model, data, seed),
        "missing": list(missing),
        "note": NOTE if model.form == "selfie-style" else "",
    }


def open_tasks(names, data):
    """The tasks of some names, and a line for each of those reported that is not installed: (tasks, lines)."""
    cache = data.folder.parent  # where the pool is, rendered notes are too
    if "auto" not in names:
        return [open_task(name, cache) for name in names], []
    synthetic = data.warning == SYNTHETIC
    opened, missing = ([], []) if synthetic else installed_tasks(cache, REPORTED)
    return opened or [open_task("synth6", cache)], missing


def representations(model, frames, seed):
    """{name: embedder}: the model, untrained ones like it, and features without learning."""
    random = [Embedder(reinitialise(model, frames, seed + number)) for number in range(UNTRAINED_SEEDS)]
    own = {"embedding": Embedder(model), "untrained": random}
    return own | {name: Statistics(function) for name, function in STATISTICS.items()}


def windows(data, split, n, seed):
    """Random windows (n, 96, F) of the clips of a split, as they are, and the clip of each."""
    clips, rng = Clips(data, split), np.random.default_rng(seed)
    chosen = rng.integers(0, len(clips), n)
    starts = np.floor(rng.uniform(size=n) * np.maximum(1, clips.lengths[chosen] - 95)).astype(int)
    return clips.read(chosen, starts, 96), chosen


def look_at_projections(model, data, seed):
    """What the loss looks at, of validation clips without augmentation: its monitors and the floor of decorrelation."""
    n = min(LOOKED_AT, len(Clips(data, "validation")))
    p = ops.convert_to_tensor(model.project(windows(data, "validation", n, seed)[0]))
    return model.monitor(p) | {"decorrelation_floor": (p.shape[1] - 1) / (n - 1), "n": n}


def table(result):
    """The scores of `evaluate` as text."""
    seen = ", ".join(f"{name} {value:.3g}" for name, value in result["projections"].items())
    note = [result["note"]] if result["note"] else []
    return "\n".join([task_table(result["tasks"]), f"projections: {seen}", *result["missing"], *note])
