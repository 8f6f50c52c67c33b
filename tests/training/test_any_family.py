"""The shared machinery trains, resumes, saves, loads, evaluates and searches a family that it has never heard of."""

import csv
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import keras
import numpy as np
import pytest

from tests.cases import BACKENDS
from tests.toy import FAMILY, main
from tsdsae_keras.base.loading import load_model
from tsdsae_keras.families import find_family

ROOT = Path(__file__).parents[2]
BACKEND = keras.backend.backend()
OPTIONS = ["--model", "toy", "--backend", BACKEND, "--epochs", "3", "--watch-every", "0"]
FILES = ("model.keras", "history.csv", "evaluation.json")


def start(*arguments, backend=BACKEND, **options):
    """A process of the program that has the family."""
    environment = os.environ | {"KERAS_BACKEND": backend}
    return subprocess.Popen([sys.executable, "-m", "tests.toy", *arguments], cwd=ROOT, env=environment, **options)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run that nothing interrupted."""
    folder = tmp_path_factory.mktemp("toy") / "run"
    assert main(["train", *OPTIONS, "--out", str(folder)]) == 0
    return folder


def test_it_is_trained_and_scored(run):
    with (run / "history.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["epoch"] for row in rows] == ["0", "1", "2"] and "stage" not in rows[0]
    assert float(rows[-1]["val_loss"]) < float(rows[0]["val_loss"])
    assert json.loads((run / "evaluation.json").read_text())["n"] == 16
    assert find_family("toy") is FAMILY


def test_terms_add_up_and_draws_are_those_given(run):
    model, x = load_model(run / "model.keras"), np.ones((3, 4), "float32")
    terms = {name: float(value) for name, value in model.loss_terms({"x": x}).items()}
    assert terms["loss"] == pytest.approx(terms["error"] + 0.1 * terms["size"], rel=1e-6)
    silent = model.loss_terms({"x": x}, draws={"eps": np.zeros((3, 2), "float32")}, training=True)
    assert float(silent["loss"]) == pytest.approx(terms["loss"], rel=1e-6)
    assert float(model.loss_terms({"x": x}, training=True)["loss"]) != terms["loss"]


def test_it_is_evaluated_by_the_command(run, capsys):
    assert main(["evaluate", str(run / "model.keras"), "--out", str(run.parent / "again.json")]) == 0
    assert "error " in capsys.readouterr().out
    assert json.loads((run.parent / "again.json").read_text()) == json.loads((run / "evaluation.json").read_text())
    assert main(["evaluate", str(run / "model.keras"), "--pairs", "3"]) == 2
    assert "--pairs cannot be used with toy" in capsys.readouterr().err


def test_its_options_are_shown_and_checked(capsys):
    with pytest.raises(SystemExit):
        main(["train", "--model", "toy", "--help"])
    shown = capsys.readouterr().out
    assert "--code" in shown and "--z-dim" not in shown and "options of the model" in shown
    assert main(["train", "--model", "toy", "--code", "0"]) == 2
    assert "--code is 0; it must be at least 1" in capsys.readouterr().err
    assert main(["train", "--model", "toy", "--data", "dmelodies"]) == 2
    assert "does not train on" in capsys.readouterr().err


@pytest.mark.parametrize("backend", [name for name in BACKENDS if name != BACKEND])
def test_it_is_loaded_on_another_backend(run, backend):
    x = np.linspace(-1, 1, 12).reshape(3, 4).astype("float32")
    code = "import json, sys, tests.toy, numpy as np; from tsdsae_keras.families import MODELS\n"
    code += "MODELS['toy'] = 'tests.toy'; from tsdsae_keras.base.loading import load_model\n"
    code += "x = np.linspace(-1, 1, 12).reshape(3, 4).astype('float32')\n"
    code += f"m = load_model({str(run / 'model.keras')!r})\n"
    code += "print(json.dumps(float(m.loss_terms({'x': x})['loss'])))"
    environment = os.environ | {"KERAS_BACKEND": backend}
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True)
    here = float(load_model(run / "model.keras").loss_terms({"x": x})["loss"])
    assert done.returncode == 0, done.stderr[-300:]
    assert float(done.stdout.splitlines()[-1]) == pytest.approx(here, rel=1e-5)


@pytest.mark.slow
def test_killed_and_resumed_it_ends_in_the_same_bytes(run, tmp_path):
    folder = tmp_path / "run"
    process = start("train", *OPTIONS, "--out", str(folder), stdout=subprocess.DEVNULL)
    while not list(folder.glob("checkpoints/*.ckpt")) and process.poll() is None:
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    if not (folder / "evaluation.json").exists():
        assert start("train", "--resume", str(folder)).wait() == 0
    for name in FILES:
        assert (folder / name).read_bytes() == (run / name).read_bytes(), name


@pytest.mark.slow
def test_it_is_searched(tmp_path, capsys):
    (tmp_path / "space.json").write_text('{"code": [1, 2]}')
    options = ["--space", str(tmp_path / "space.json"), "--tuner", "grid", "--out", str(tmp_path / "search")]
    longer = ["--epochs", "40", "--learning-rate", "0.05"]  # vectors on a plane need a code of two
    assert main(["tune", *OPTIONS, *longer, *options]) == 0
    shown = capsys.readouterr().out
    assert "taken: trial" in shown and load_model(tmp_path / "search" / "best.keras").code == 2
    with (tmp_path / "search" / "results.csv").open() as file:
        assert [row["status"] for row in csv.DictReader(file)] == ["finished"] * 2
