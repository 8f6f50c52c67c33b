"""Real searches that are killed, and searches of several processes. Slow: every start of a process costs seconds."""

import json
import os
import subprocess
import time
from pathlib import Path

import keras
import pytest

from tests.processes import PATIENCE, Script, said, wait_for
from tests.search.small import write_folder

# Processes, files and KerasTuner's server; that a run itself resumes on every backend is in tests/training.
pytestmark = [pytest.mark.slow, pytest.mark.no_backend]

BACKEND = keras.backend.backend()
EPOCHS = 12
SCRIPT = Script("tuning/search.py")
SEARCH = [
    *("--backend", BACKEND, "--data", "data", "--space", "space.json", "--tuner", "grid", "--watch-every", "0"),
    *("--epochs", str(EPOCHS), "--stage-two-at", "4", "--batch-size", "4", "--v-dim", "2", "--out", "s"),
]
SAME = ("model.keras", "history.csv")


def write_inputs(folder, z_dims):
    write_folder(folder / "data")
    (folder / "space.json").write_text(json.dumps({"z_dim": z_dims, "units": [4]}))
    return folder


def checkpoint(folder, trial, epoch):
    return lambda: (folder / "s" / "trials" / trial / "checkpoints" / f"epoch-{epoch:06d}.ckpt").exists()


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The folder of a search that nothing broke."""
    folder = write_inputs(tmp_path_factory.mktemp("whole"), [2, 3])
    SCRIPT.finish(folder, *SEARCH)
    return folder


def scores(folder, trial):
    return json.loads((folder / "s" / "trials" / trial / "scores.json").read_text())["metrics"]


def test_a_killed_search_resumes_in_the_running_trial_and_ends_the_same(whole, tmp_path):
    folder = write_inputs(tmp_path, [2, 3])
    for options, trial, epoch in ((SEARCH, "0000", 1), (["--resume", "s"], "0001", 6)):
        process = SCRIPT.start(folder, *options)
        assert wait_for(process, checkpoint(folder, trial, epoch)), said(folder)
        process.kill()
        process.wait()
    SCRIPT.finish(folder, "--resume", "s")
    assert said(folder).count("resuming after epoch") == 2
    assert "Traceback" not in said(folder)
    for trial in ("0000", "0001"):
        assert scores(folder, trial) == scores(whole, trial)
        for name in SAME:
            ours, theirs = (each / "s" / "trials" / trial / name for each in (folder, whole))
            assert ours.read_bytes() == theirs.read_bytes(), f"{name} of trial {trial} differs"


def children(parent):
    """{tuner id: process id} of the processes that a search has started."""
    found = {}
    for line in subprocess.run(
        ["ps", "-o", "pid=", "--ppid", str(parent)], capture_output=True, text=True
    ).stdout.split():
        environment = Path(f"/proc/{line}/environ").read_bytes().split(b"\0")
        names = [each.partition(b"=")[2].decode() for each in environment if each.startswith(b"KERASTUNER_TUNER_ID=")]
        found |= {name: int(line) for name in names}
    return found


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="processes are looked for in /proc")
def test_a_chief_and_two_workers_one_of_which_dies(whole, tmp_path):
    folder = write_inputs(tmp_path, [2, 3, 4, 5])
    process = SCRIPT.start(folder, *SEARCH, "--workers", "2")
    assert wait_for(process, checkpoint(folder, "0000", 1)), said(folder)
    team = children(process.pid)
    assert set(team) == {"chief", "worker0", "worker1"}
    os.kill(team["worker0"], 9)
    assert process.wait(timeout=PATIENCE) == 0, said(folder)
    assert "worker0 ended with status -9: started again" in said(folder)
    assert "Traceback" not in said(folder)
    trials = sorted(path.name for path in (folder / "s" / "trials").iterdir())
    assert trials == ["0000", "0001", "0002", "0003"]
    found = {
        json.loads((folder / "s" / "trials" / trial / "trial.json").read_text())["z_dim"]: trial for trial in trials
    }
    assert set(found) == {2, 3, 4, 5}
    for z_dim, trial in ((2, "0000"), (3, "0001")):  # whoever trained it, and however often it was started
        assert scores(folder, found[z_dim]) == scores(whole, trial)
    assert {"worker0.json", "worker1.json", "tuner.json"} <= {path.name for path in (folder / "s" / "oracle").iterdir()}
    assert not children(process.pid)


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="processes are looked for in /proc")
def test_nothing_is_left_behind_by_a_killed_search_of_several_processes(tmp_path):
    folder = write_inputs(tmp_path, [2, 3, 4])
    process = SCRIPT.start(folder, *SEARCH, "--workers", "2")
    assert wait_for(process, checkpoint(folder, "0000", 1)), said(folder)
    team = children(process.pid)
    process.kill()
    process.wait()
    deadline = time.monotonic() + 30
    while any(Path(f"/proc/{each}").exists() for each in team.values()) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not any(Path(f"/proc/{each}").exists() for each in team.values())
    SCRIPT.finish(folder, "--resume", "s", "--workers", "2")
    assert "resuming after epoch" in said(folder)
    assert all(scores(folder, trial) for trial in ("0000", "0001", "0002"))
