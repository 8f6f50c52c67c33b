"""Models that are trained by one program end as each would alone."""

import csv
import os
import subprocess
import sys
import time
from pathlib import Path

import keras
import numpy as np
import pytest

from tests import cases
from tsdsae_keras.cli import main
from tsdsae_keras.data.prepared.pipeline import SequenceStream
from tsdsae_keras.errors import TrainingDiverged
from tsdsae_keras.training import callbacks
from tsdsae_keras.training.checkpoints import Checkpoint
from tsdsae_keras.training.run import RunFolder

ROOT = Path(__file__).parents[2]
BACKEND = keras.backend.backend()
only_jax = pytest.mark.skipif(BACKEND != "jax", reason="only JAX trains several models in one program")
SWITCH, SIZE = 1, 3


class StopAfter(keras.callbacks.Callback):
    """Stops its model after an epoch, or refuses to continue."""

    def __init__(self, epoch, error=None):
        super().__init__()
        self.epoch, self.error = epoch, error

    def on_epoch_end(self, epoch, logs=None):
        if epoch != self.epoch:
            return
        if self.error:
            raise self.error
        self.model.stop_training = True


class NeverAsked(keras.callbacks.Callback):
    asked = False


def make(seed):
    """A model with weights of its seed, and the callbacks that every run has."""
    keras.utils.set_random_seed(seed)
    model = cases.compile_with_adam(cases.make_model("tsdsae", seed=seed, **cases.SIZES))
    model.adapt(cases.sequences(7))
    return model, [callbacks.SeedEpochs(seed), callbacks.EnterStageTwo(SWITCH)]


def alone(seed, folder, epochs):
    """The weights that Keras's `fit` comes to, and the history's rows."""
    model, work = make(seed)
    x = cases.sequences(7)
    stream = SequenceStream(x, SIZE, seed=seed, training=True)
    work = [callbacks.SeedEpochs(seed, stream), work[1], callbacks.WriteHistory(folder / f"alone-{seed}.csv")]
    kept = {"validation_data": (x[:4],), "validation_batch_size": SIZE, "shuffle": False, "verbose": 0}
    model.fit(stream.dataset, epochs=epochs, callbacks=work, **kept)
    return model.get_weights(), rows_of_history(work[-1].path)


def rows_of_history(path):
    with path.open() as file:
        return [{name: float(value or "nan") for name, value in row.items()} for row in csv.DictReader(file)]


def check_alike(first, second):
    assert [row.keys() for row in first] == [row.keys() for row in second]
    for one, other in zip(first, second, strict=True):
        for name in one:
            np.testing.assert_allclose(one[name], other[name], rtol=2e-4, atol=1e-6, err_msg=name)


@only_jax
@pytest.mark.slow
def test_each_goes_the_way_it_goes_alone(tmp_path):
    """Stage 1, the switch and stage 2; one fails and leaves, the other does not notice and stops when it wants."""
    from tsdsae_keras.training.vmap_seeds import Member, SeedTrainer

    x, members, models = cases.sequences(7), [], []
    stream = SequenceStream(x, SIZE, training=True)
    leave = {0: StopAfter(2), 5: StopAfter(1, TrainingDiverged("refused"))}
    for seed, leaving in leave.items():
        model, work = make(seed)
        history = callbacks.WriteHistory(tmp_path / f"together-{seed}.csv")
        members.append(
            Member(model, [*work, history, leaving], lambda epoch, seed=seed: np.stack(stream.rows(seed, epoch)))
        )
        models.append(model)
    told = []
    SeedTrainer(members, x, [x[:3], x[3:4]], range(9)).fit(NeverAsked(), lambda epoch, logs, _: told.append(len(logs)))
    assert told == [2, 2, 1] and [str(member.error) for member in members] == ["None", "refused"]
    for (seed, leaving), model in zip(leave.items(), models, strict=True):
        weights, history = alone(seed, tmp_path, leaving.epoch + 1)
        check_alike(rows_of_history(tmp_path / f"together-{seed}.csv"), history)
        for one, other in zip(model.get_weights(), weights, strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-3, atol=2e-5)


def test_what_resumes_together(tmp_path, monkeypatch):
    """Epochs kept by four runs -> the epoch each resumes from; one that has left the others is left out."""
    from tsdsae_keras.training import train_seeds

    def newest_of(folder):
        return kept[folder.parent.name][-1] if kept[folder.parent.name] else None

    def checkpoint(epoch, finished=False):
        return Checkpoint(epoch, 2, {}, {"KeepBest": {"finished": finished}})

    monkeypatch.setattr(train_seeds, "newest", newest_of)
    monkeypatch.setattr(train_seeds, "read", lambda path: checkpoint(int(path.stem[-6:])))
    for kept, goes_on in (
        ({"a": [checkpoint(7)], "b": [checkpoint(6)], "c": [checkpoint(3)], "d": [checkpoint(2, True)]}, "a6 b6 d2"),
        ({"a": [checkpoint(0)], "b": []}, "aNone bNone"),
        ({"a": [checkpoint(4)], "b": [checkpoint(4)]}, "a4 b4"),
        ({"a": [checkpoint(4, True)], "b": [checkpoint(2, True)]}, "a4 b2"),
    ):
        runs = [train_seeds.SeedRun(RunFolder(tmp_path / name), None) for name in kept]
        told = [
            f"{run.folder.folder.name}{run.checkpoint and run.checkpoint.epoch}" for run in train_seeds._together(runs)
        ]
        assert " ".join(told) == goes_on


SMALL = ["--melodies", "40", "--synth", "additive", "--epochs", "5", "--stage-two-at", "2", "--batch-size", "8"]
TRAIN = ["train", "--backend", "jax", *SMALL, "--preset", "fast", "--watch-every", "1"]


@only_jax
@pytest.mark.slow
def test_runs_of_several_seeds_are_those_of_each(tmp_path, monkeypatch, capsys):
    """Through the command; killed and gone on with together, they end in the same bytes."""
    monkeypatch.chdir(tmp_path)
    assert main([*TRAIN, "--seeds", "0", "1", "--out", "both"]) == 0, capsys.readouterr().err
    _kill([*TRAIN, "--seeds", "0", "1", "--out", "broken"], tmp_path / "broken/seed-0/checkpoints/epoch-000003.ckpt")
    (tmp_path / "broken/seed-1/checkpoints/epoch-000003.ckpt").unlink(missing_ok=True)  # as if killed a moment before
    assert main(["train", "--resume", "broken"]) == 0, capsys.readouterr().err
    for seed in ("0", "1"):
        assert main([*TRAIN, "--seed", seed, "--out", f"alone-{seed}"]) == 0
        together, broken, own = (
            tmp_path / name for name in (f"both/seed-{seed}", f"broken/seed-{seed}", f"alone-{seed}")
        )
        assert set(os.listdir(together)) == set(os.listdir(own))
        check_alike(rows_of_history(together / "history.csv"), rows_of_history(own / "history.csv"))
        for name in ("model.keras", "history.csv", "evaluation.json"):
            assert (broken / name).read_bytes() == (together / name).read_bytes(), name


def _kill(arguments, file):
    """A process of the command, killed as soon as a file is there."""
    command = [sys.executable, "-m", "tsdsae_keras.cli", *arguments]
    with subprocess.Popen(command, env=os.environ | {"PYTHONPATH": str(ROOT)}) as process:
        while not file.exists():
            assert process.poll() is None
            time.sleep(0.01)
        process.kill()


REFUSED = {
    "both": (["--seeds", "0", "--seed", "1"], "leave out --seed"),
    "resumed": (["--seeds", "0", "--resume", "somewhere"], "somewhere"),
    "twice": (["--seeds", "3", "3"], "names 3 twice" if BACKEND == "jax" else "add --backend jax"),
    "negative": (["--seeds", "0", "-1"], "--seed is -1" if BACKEND == "jax" else "add --backend jax"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused_in_one_line(name, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    arguments, words = REFUSED[name]
    assert main(["train", "--backend", BACKEND, *SMALL, *arguments]) == 2
    error = capsys.readouterr().err.strip()
    assert words in error and error.startswith("error: ") and "\n" not in error
    assert not list(tmp_path.iterdir())
