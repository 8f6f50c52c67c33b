"""Processes that train together: one that ends ill ends all, and a line says which it was and how to resume."""

import os
import signal
import sys
import threading
import time

import pytest

from tsdsae_keras.errors import InputError, Stopped
from tsdsae_keras.training.devices import launch
from tsdsae_keras.training.devices.launch import Ranks
from tsdsae_keras.training.devices.place import Place, parse

pytestmark = pytest.mark.no_backend

WAIT = "import time; time.sleep(60)"


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    monkeypatch.setattr(launch, "GRACE", 0.3)


def ranks(folder, *scripts):
    """A team in which each rank runs a script."""
    code = f"import os, signal, sys; exec({scripts!r}[int(os.environ['RANK'])])"
    places = [Place(rank, len(scripts), rank) for rank in range(len(scripts))]
    return Ranks([sys.executable, "-c", code], places, ("127.0.0.1", 1), folder, "train.py --resume r")


def line_of(folder, *scripts):
    with pytest.raises(InputError) as error:
        ranks(folder, *scripts).run()
    return str(error.value)


KILL = "os.kill(os.getpid(), signal.SIGKILL)"


def test_a_rank_that_is_killed_ends_all(tmp_path):
    start = time.monotonic()
    line = line_of(tmp_path, WAIT, KILL)
    assert line == "rank 1 of 2 was killed by SIGKILL; all were ended; resume with: train.py --resume r"
    assert time.monotonic() - start < 30


@pytest.mark.parametrize("dies", ["raise RuntimeError('connection closed')", "os.abort()"])
def test_the_first_cause_is_told_not_what_it_did_to_others(tmp_path, dies):
    assert line_of(tmp_path, dies, KILL).startswith("rank 1 of 2 was killed by SIGKILL")


def test_what_a_rank_says_is_told(tmp_path):
    assert line_of(tmp_path, "sys.exit('error: no data')", WAIT).startswith(
        "rank 0 of 2 failed: no data; all were ended"
    )
    refused = "print('error: no data', file=sys.stderr); sys.exit(2)"
    assert line_of(tmp_path, WAIT, refused) == "no data"


def test_all_are_told_to_stop_and_the_first_says_how_it_went(tmp_path):
    stops = "signal.signal(15, lambda *_: (print('stopped with epoch 3 saved', file=sys.stderr), sys.exit(143)))"
    team = ranks(tmp_path, *[f"import time; {stops}; time.sleep(60)"] * 2)
    threading.Timer(1.5, os.kill, (os.getpid(), signal.SIGTERM)).start()
    assert team.run() == signal.SIGTERM and team.last_line(0) == "stopped with epoch 3 saved"


def test_a_rank_that_was_told_to_stop_by_others_ends_all(tmp_path):
    with pytest.raises(Stopped, match="stopped"):
        ranks(tmp_path, WAIT, "print('stopped', file=sys.stderr); sys.exit(130)").run()


def test_all_that_end_well_are_waited_for_and_know_their_place(tmp_path):
    code = f"open(r'{tmp_path}/' + os.environ['RANK'], 'w').write(os.environ['LOCAL_RANK'] + os.environ['WORLD_SIZE'])"
    assert ranks(tmp_path, code, code).run() is None
    assert [(tmp_path / name).read_text() for name in "01"] == ["02", "12"]


def test_a_machine_starts_its_share(monkeypatch, tmp_path):
    started = []
    monkeypatch.setattr(Ranks, "run", lambda team: started.append(team))
    monkeypatch.setenv("TSDSAE_HOST", "1")
    launch.launch("torch", parse("2", ["node1:29411", "node2"]), tmp_path)
    launch.launch("jax", parse("2", ["node1:29411", "node2"]), tmp_path)
    two, one = started
    assert [(place.rank, place.processes, place.local_rank) for place in two.places.values()] == [(2, 4, 0), (3, 4, 1)]
    assert [(place.rank, place.processes) for place in one.places.values()] == [(1, 2)]
    assert two.address == ("node1", 29411) and two.again.endswith("--devices 2 --hosts node1:29411 node2")
