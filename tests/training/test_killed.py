"""Real runs of `train.py` that are killed, told to stop, or run out of disk, and then gone on with.

Slow: every start of a process costs seconds. Moments are drawn from a fixed seed over the whole of training, so kills
fall into stage 1, the switch, stage 2, validation, and the writing of files; some wait until a checkpoint is half
written. Files are written and signals taken alike on every backend, so most of it is on TensorFlow alone.
"""

import contextlib
import json
import os
import random
import shutil
import signal
import subprocess
import time

import keras
import pytest

from tests.processes import PATIENCE, Script, said, wait_for

pytestmark = pytest.mark.slow

BACKEND = keras.backend.backend()
KILLS = 10 if BACKEND == "tensorflow" else 3  # every third of them while a checkpoint is written
TRAIN = Script("train.py")
DATA = ["--melodies", "40", "--synth", "additive", "--cache", "data"]
EPOCHS = 16
RUN = ["--backend", BACKEND, *DATA, "--epochs", str(EPOCHS), "--stage-two-at", "6", "--batch-size", "16"]
FINISHED = ("model.keras", "history.csv", "evaluation.json")


def has_started(folder):
    """Whether the process that was started last has come to training, told by what it prints."""
    lines = said(folder).count("run: ")
    return lambda: said(folder).count("run: ") > lines


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The folder of a run that nothing broke, and the seconds that its training took."""
    folder = tmp_path_factory.mktemp("whole")
    TRAIN.finish(folder, *RUN, "--out", "r")
    return folder, json.loads((folder / "r" / "seconds.json").read_text())["train"]


def copy_of_data(whole, folder):
    shutil.copytree(whole[0] / "data", folder / "data")
    return folder


def check_equal(whole, folder):
    for name in FINISHED:
        assert (folder / "r" / name).read_bytes() == (whole[0] / "r" / name).read_bytes(), f"{name} differs"


def is_half_written(folder):
    return lambda: any((folder / "r" / "checkpoints").glob(".tmp-*"))


def test_killed_again_and_again_it_ends_the_same(whole, tmp_path):
    folder, moments, kills = copy_of_data(whole, tmp_path), random.Random(0), 0
    options = [*RUN, "--out", "r"]
    while kills < KILLS:
        ready = has_started(folder)
        process = TRAIN.start(folder, *options)
        assert wait_for(process, ready), said(folder)
        if kills % 3 == 2:
            wait_for(process, is_half_written(folder))
        else:
            time.sleep(moments.uniform(0.0, whole[1] * 0.6))
        process.kill()
        kills += process.wait() != 0
        options = ["--resume", "r"]
        if (folder / "r" / "evaluation.json").exists():  # it had finished: start again, until there were enough kills
            check_equal(whole, folder)
            shutil.rmtree(folder / "r")
            options = [*RUN, "--out", "r"]
    TRAIN.finish(folder, *options)
    check_equal(whole, folder)
    assert "Traceback" not in said(folder)


@pytest.mark.no_backend
def test_told_to_stop_it_says_how_to_resume_and_loses_nothing(whole, tmp_path):
    folder = copy_of_data(whole, tmp_path)
    process = TRAIN.start(folder, *RUN, "--out", "r")
    for epoch, number in ((2, signal.SIGINT), (5, signal.SIGTERM)):
        assert wait_for(process, lambda epoch=epoch: f"epoch {epoch:>2}/" in said(folder)), said(folder)
        process.send_signal(number)
        assert process.wait(timeout=PATIENCE) == 128 + number
        done = sum(line.startswith("epoch ") for line in said(folder).splitlines())
        assert last_line(folder) == f"stopped with epoch {done} saved; resume with: python train.py --resume r"
        process = TRAIN.start(folder, "--resume", "r")

    assert wait_for(process, lambda: "epoch  8/" in said(folder)), said(folder)
    process.send_signal(signal.SIGSTOP)  # another takes seconds to start, in which this one might come to its end
    TRAIN.finish(folder, "--resume", "r", status=2)
    assert last_error(folder) == "error: another process is at work in r; wait for it, or end it"
    process.send_signal(signal.SIGINT)
    process.send_signal(signal.SIGCONT)
    assert wait_for(process, lambda: said(folder).count("press Ctrl-C again") == 3), said(folder)
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=PATIENCE) == 130
    assert last_line(folder).endswith("resume with: python train.py --resume r")

    TRAIN.finish(folder, *RUN, "--out", "r", status=2)
    assert last_error(folder) == "error: r holds an unfinished run; resume it: python train.py --resume r"
    TRAIN.finish(folder, "--resume", "r")
    check_equal(whole, folder)
    assert "Traceback" not in said(folder)


def last_line(folder):
    return said(folder).strip().splitlines()[-1]


def last_error(folder):
    return [line for line in said(folder).splitlines() if line.startswith("error: ")][-1]


@pytest.mark.no_backend
def test_a_full_disk_ends_in_one_line_and_loses_nothing(whole, tmp_path):
    if os.geteuid() != 0:
        pytest.skip("only root can mount a small disk to fill")
    folder = copy_of_data(whole, tmp_path)
    disk = folder / "r"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m", "none", str(disk)], capture_output=True).returncode:
        pytest.skip("this machine lets nobody mount a small disk to fill")
    try:
        process = TRAIN.start(folder, *RUN, "--out", "r")
        assert wait_for(process, lambda: "epoch  3/" in said(folder)), said(folder)
        filler = disk / "filler"
        with contextlib.suppress(OSError):
            filler.write_bytes(bytes(1 << 25))
        assert process.wait(timeout=PATIENCE) == 2, said(folder)
        assert last_error(folder).startswith("error: No space left on device")
        assert last_error(folder).endswith("resume with: python train.py --resume r")
        assert "Traceback" not in said(folder)
        filler.unlink()
        subprocess.run(["mount", "-o", "remount,size=64m", str(disk)], check=True)
        TRAIN.finish(folder, "--resume", "r")
        check_equal(whole, folder)
    finally:
        process.kill()
        process.wait()
        subprocess.run(["umount", str(disk)], check=True)
