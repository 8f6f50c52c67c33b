"""The main job in small, through its real door: prepare, train, save, evaluate, and what is refused on the way."""

import csv
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import keras
import numpy as np
import pytest

from tests import cases
from tsdsae_keras.base.loading import load_model
from tsdsae_keras.cli import main
from tsdsae_keras.data.prepared.store import PreparedData
from tsdsae_keras.families.tsdsae.evaluation.scores import score

ROOT = Path(__file__).parents[2]
SMALL = ["--melodies", "40", "--synth", "additive", "--epochs", "3", "--stage-two-at", "1", "--batch-size", "8"]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A folder in which `train.py` was run once: runs in r/, data in data/."""
    folder = tmp_path_factory.mktemp("main")
    command = [sys.executable, str(ROOT / "train.py"), *SMALL, "--out", "r", "--pictures-every", "2"]
    command.append(f"--backend={keras.backend.backend()}")
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr[-2000:]
    assert "Traceback" not in done.stderr
    assert done.stdout.count("run: r ") == 1 and "run: r " not in done.stderr
    return folder, done.stdout


def data_of(run):
    return next((run[0] / "data").glob("dmelodies-*/manifest.json")).parent


def test_what_a_run_leaves(run):
    folder, output = run
    names = {path.name for path in (folder / "r").iterdir()}
    whole = {"settings.json", "history.csv", "model.keras", "evaluation.json", "swap.png", "seconds.json"}
    assert names == whole | {"events", "checkpoints"}
    rows = list(csv.DictReader((folder / "r" / "history.csv").open()))
    assert [row["stage"] for row in rows] == ["1", "2", "2"]
    settings = json.loads((folder / "r" / "settings.json").read_text())
    assert settings["settings"]["z_dim"] == 24 and settings["versions"]["backend"] == keras.backend.backend()
    for word in ("stage 1", "stage 2", "kl_z_gswap", "share of the way", "independent judge", "model.keras"):
        assert word in output


def test_what_the_scores_hold(run):
    scores = json.loads((run[0] / "r" / "evaluation.json").read_text())
    assert list(scores)[:2] == ["verdict", "counterfactual"] and scores["counterfactual"]["n"] == 4
    assert set(scores["swap_f1"]) == {"pre", "global", "local"}
    assert set(scores["judge_f1"]) == {"real", "pre", "global", "local"}
    assert scores["n"] == 4
    x = np.load(next(data_of(run).glob("test-*features*")), allow_pickle=False)
    error = np.square(x - load_model(run[0] / "r" / "model.keras").reconstruct(x)).mean()
    assert scores["reconstruction"]["mse"] == pytest.approx(error, rel=1e-4)
    assert scores["settings"]["synth"]["name"] == "additive"


def test_model_knows_its_data(run):
    model = load_model(run[0] / "r" / "model.keras")
    assert model.stage == 2 and model.front_end["sample_rate"] == 16000 and model.standardization.adapted
    assert model.compiled


def test_tensorboard_holds_terms_pictures_and_sounds(run):
    from tensorboard.backend.event_processing.plugin_event_accumulator import EventAccumulator

    events = EventAccumulator(str(run[0] / "r" / "events")).Reload()
    scalars, images, audio = (set(events.PluginTagToContent(name)) for name in ("scalars", "images", "audio"))
    assert {"train/recon", "validation/loss", "train/kl_v_lswap", "stage"} <= scalars
    assert any("swap" in tag for tag in images) and any("timbre b" in tag for tag in audio)


def test_scoring_again_gives_the_same_scores(run):
    folder = run[0]
    before = json.loads((folder / "r" / "evaluation.json").read_text())
    after = score(load_model(folder / "r" / "model.keras"), PreparedData(data_of(run)), seed=0)
    for name in ("swap_f1", "judge_f1", "n"):
        assert after[name] == before[name]
    assert after["reconstruction"]["mse"] == pytest.approx(before["reconstruction"]["mse"], rel=1e-5)


REFUSED = {
    "z_dim": (["train", "--z-dim", "0"], "--z-dim is 0"),
    "model": (["train", "--model", "vae"], "--model is 'vae'; it must be tsdsae or"),
    "word": (["train", "--epochs", "many"], "invalid int value"),
    "weights": (["train", "--swap-weights", "1", "2", "3", "nan"], "--swap-weights is nan"),
    "nothing": (["train", "--data", "{folder}/nowhere"], "nowhere"),
    "empty": (["train", "--data", "{folder}/empty"], "empty"),
    "foreign": (["train", "--data", "{folder}/foreign"], "foreign"),
    "full": (["train", "--data", "{data}", "--out", "{folder}/foreign"], "not an empty folder"),
    "batch": (["train", "--data", "{data}", "--batch-size", "1000", "--out", "{folder}/x"], "lower the batch size"),
    "other model": (["evaluate", "{folder}/other.keras", "--data", "{data}"], "holds a Sequential"),
    "no model": (["evaluate", "{folder}/none.keras"], "none.keras"),
    "front end": (["evaluate", "{folder}/bands.keras", "--data", "{data}"], "n_mels 5 and 80"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused_in_one_line(run, tmp_path, capsys, name):
    data = data_of(run)
    (tmp_path / "empty").mkdir()
    (tmp_path / "foreign").mkdir()
    (tmp_path / "foreign" / "note.txt").write_text("mine")
    if name == "other model":
        keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)]).save(tmp_path / "other.keras")
    if name == "front end":
        front_end = json.loads((data / "manifest.json").read_text())["front_end"] | {"n_mels": 5}
        cases.small(front_end=front_end).save(tmp_path / "bands.keras")
    arguments, words = REFUSED[name]
    arguments = [argument.format(folder=tmp_path, data=data) for argument in arguments]
    before = sorted(path for path in tmp_path.rglob("*"))
    assert main([*arguments, "--backend", keras.backend.backend()]) == 2
    error = capsys.readouterr().err.strip()
    assert words in error and error.startswith("error: ") and "\n" not in error
    assert sorted(path for path in tmp_path.rglob("*")) == before
    assert (tmp_path / "foreign" / "note.txt").read_text() == "mine"


def test_a_run_that_diverges_ends_in_one_line(run, tmp_path, capsys):
    options = ["--learning-rate", "1e30", "--bad-steps", "2", "--epochs", "2", "--stage-two-at", "1"]
    options += ["--batch-size", "8", "--data", str(data_of(run)), "--out", str(tmp_path / "x")]
    options += ["--pictures-every", "0", "--watch-every", "0"]
    assert main(["train", *options, "--backend", keras.backend.backend()]) == 2
    error = capsys.readouterr().err.strip()
    assert error.startswith("error: 2 steps in a row had no finite loss") and "\n" not in error
    assert str(tmp_path / "x" / "model.keras") in error and (tmp_path / "x" / "model.keras").is_file()


def test_help_is_immediate():
    start = time.perf_counter()
    command = [sys.executable, str(ROOT / "train.py"), "--model", "tsdsae", "--help"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0 and "--stage-two-at" in done.stdout
    assert time.perf_counter() - start < 1.0
