"""A run on two devices: one of its processes is killed, and the run resumes, on as many devices or on one."""

import csv
import os
import shutil
import signal
from pathlib import Path

import keras
import numpy as np
import pytest

from tests.processes import PATIENCE, Script, said, wait_for
from tests.toy import model as toy
from tsdsae_keras.base.loading import load_model
from tsdsae_keras.training.processes import free_port

pytestmark = pytest.mark.slow

BACKEND = keras.backend.backend()
TRAIN = Script("tests/toy/__main__.py")
RUN = ["train", "--model", "toy", "--backend", BACKEND, "--epochs", "30", "--watch-every", "0", "--out", "r"]
RESUME = ["train", "--resume", "r"]
FINISHED = ("model.keras", "history.csv", "evaluation.json")


def devices():
    """Two devices: of one process on TensorFlow, a process each on the others."""
    if BACKEND == "jax":
        return ["--devices", "1", "--hosts", f"127.0.0.1:{free_port()}", "127.0.0.1"]
    return ["--devices", "2"]


def rank_of(process, rank):
    """The process of a rank among the children of a command; on TensorFlow, which has one, the command itself."""
    if BACKEND == "tensorflow":
        return process.pid
    for child in Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split():
        if f"RANK={rank}".encode() in Path(f"/proc/{child}/environ").read_bytes().split(b"\0"):
            return int(child)
    raise AssertionError(f"no rank {rank}")


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A run on two devices that nothing broke."""
    folder = tmp_path_factory.mktemp("whole")
    TRAIN.finish(folder, *RUN, *devices())
    return folder


def begin_and_kill(folder):
    process = TRAIN.start(folder, *RUN, *devices())
    assert wait_for(process, lambda: "epoch  3/30" in said(folder)), said(folder)
    os.kill(rank_of(process, 1), signal.SIGKILL)
    status = process.wait(timeout=PATIENCE)
    assert not (folder / "r" / "evaluation.json").exists()
    if BACKEND == "tensorflow":
        return
    assert status == 2
    last = said(folder).strip().splitlines()[-1]
    assert last.startswith("error: rank 1 of 2 was killed by SIGKILL; all were ended; resume with: python train.py")
    assert "--resume r --devices" in last and "Traceback" not in said(folder)


def weights_of(folder):
    model = load_model(folder / "r" / "model.keras")
    assert isinstance(model, toy.Toy)
    return {each.path: keras.ops.convert_to_numpy(each) for each in model.weights}


def history_of(folder):
    with (folder / "r" / "history.csv").open() as file:
        return [{name: float(value) for name, value in row.items() if value} for row in csv.DictReader(file)]


def test_a_killed_rank_ends_all_and_the_run_resumes_to_the_same_end(whole, tmp_path):
    begin_and_kill(tmp_path)
    other = tmp_path / "other"
    other.mkdir()
    shutil.copytree(tmp_path / "r", other / "r")

    TRAIN.finish(tmp_path, *RESUME, *devices())
    for name in FINISHED:
        assert (tmp_path / "r" / name).read_bytes() == (whole / "r" / name).read_bytes(), name
    TRAIN.finish(other, *RESUME)
    for name, value in weights_of(whole).items():
        np.testing.assert_allclose(weights_of(other)[name], value, rtol=1e-6, atol=1e-6, err_msg=name)
    for row, expected in zip(history_of(other), history_of(whole), strict=True):
        assert row == pytest.approx(expected, rel=1e-4, abs=1e-6)
    files = {path.relative_to(whole / "r") for path in (whole / "r").rglob("*") if path.is_file()}
    assert len([path for path in files if path.parts[0] == "events"]) == 1  # one process wrote
    assert not [path for path in files if path.name.startswith(".tmp-")]
