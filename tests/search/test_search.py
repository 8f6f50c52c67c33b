"""Searches through their door, on a small folder: what they leave, what fails, and how they resume."""

import contextlib
import csv
import io
import json

import keras
import numpy as np
import pytest

from tests.search.small import write_folder
from tsdsae_keras.base.loading import load_model
from tsdsae_keras.errors import InputError
from tsdsae_keras.process import log_to_stdout
from tsdsae_keras.search import workers
from tsdsae_keras.search.search import Search
from tsdsae_keras.search.trials import TrialFolder
from tsdsae_keras.search.tune import extend, plan_of, run, tune
from tsdsae_keras.settings import with_preset

pytestmark = pytest.mark.slow
BACKEND = keras.backend.backend()
SPACE = {"learning_rate": [0.01, 1e30, 0.02]}  # the second leaves nothing finite
GIVEN = {"backend": BACKEND, "epochs": 2, "stage_two_at": 1, "batch_size": 8, "z_dim": 3, "v_dim": 2}
QUICK = {"pictures_every": 0, "watch_every": 0}
SAID = io.StringIO()


def begin(folder, data, **options):
    (folder / "space.json").write_text(json.dumps(SPACE | {"units": [4]}))
    settings = with_preset(GIVEN | QUICK | {"data": str(data), "bad_steps": 2})
    options = {"space": str(folder / "space.json"), "tuner": "grid", "out": folder / "search"} | options
    return plan_of(settings, **options)


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return write_folder(tmp_path_factory.mktemp("data") / "small")


@pytest.fixture(scope="module")
def search(tmp_path_factory, data):
    """A grid of which two of three trials were run, one of them a failure; then extended to the third."""
    folder = begin(tmp_path_factory.mktemp("search"), data, trials=2)
    with contextlib.redirect_stdout(SAID), log_to_stdout():
        tune(folder)
    first = {path: path.stat().st_mtime_ns for path in folder.trials.glob("*/model.keras")}
    with contextlib.redirect_stdout(SAID), log_to_stdout():
        tune(extend(folder.folder, trials=3))
    assert {path: path.stat().st_mtime_ns for path in first} == first, "a finished trial was trained again"
    return folder


def table(folder):
    with folder.results.open(newline="") as file:
        return list(csv.DictReader(file))


def test_every_combination_is_a_row_and_failures_have_their_reason(search):
    rows = table(search)
    found = [(float(row["learning_rate"]), row["status"]) for row in rows]
    assert found == [(0.01, "finished"), (1e30, "failed"), (0.02, "finished")]
    for row in rows:
        assert ("2 steps in a row" in row["reason"]) == (row["status"] == "failed")
        assert ("Traceback" in row["reason"], "\n" in row["reason"]) == (False, False)


def test_a_trial_says_once_what_its_data_lack(search):
    lines = SAID.getvalue().splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith("trial "))
    trial = lines[start].split(":")[0]
    end = next(i for i in range(start + 1, len(lines)) if lines[i].startswith(f"{trial}:"))
    assert sum("too little for good swaps" in line for line in lines[start:end]) == 1


def test_what_a_search_leaves(search):
    names = {path.name for path in search.folder.iterdir()}
    assert names == {"search.json", "oracle", "trials", "events", "results.csv", "best.keras", "report.html"}
    page = search.page.read_text(encoding="utf-8")
    for words in ("2 trials finished, 1 failed", "Parallel coordinates", "data:audio/ogg", "2 steps in a row"):
        assert words in page
    for path in search.trials.iterdir():
        assert list((path / "events").glob("events.out*"))
        assert not (path / "checkpoints").exists() or (path / "failure.json").exists()


def test_the_best_model_is_the_one_taken_and_in_its_last_stage(search):
    lines = SAID.getvalue().splitlines()
    taken = next(line for line in lines[::-1] if line.startswith("taken: trial ")).split()[2].rstrip(",")
    assert search.best.read_bytes() == TrialFolder(search.trial(taken)).model.read_bytes()
    assert load_model(search.best).stage == 2


def test_a_model_rebuilt_by_the_tuner_is_the_trained_one_in_its_stage(search):
    tuner = Search(search).tuner()
    trial = tuner.oracle.get_best_trials(1)[0]
    rebuilt, loaded = tuner.get_best_models(1)[0], load_model(TrialFolder(search.trial(trial.trial_id)).model)
    x = np.random.default_rng(0).normal(size=(2, 12, 8)).astype("float32")
    np.testing.assert_allclose(rebuilt.reconstruct(x), loaded.reconstruct(x), rtol=1e-5, atol=1e-6)
    assert rebuilt.stage == loaded.stage == 2 and rebuilt.active_terms() == loaded.active_terms()
    assert [each.path for each in rebuilt.trainable_variables] == [each.path for each in loaded.trainable_variables]


def test_what_comes_out_of_build_is_built_and_in_stage_one(search):
    tuner = Search(search).tuner()
    model = tuner.hypermodel.build(tuner.oracle.get_best_trials(1)[0].hyperparameters)
    assert model.built and model.compiled and model.stage == 1 and model.standardization.adapted
    assert model.global_units == (4, 4) and model.transition_units == (2, 2)


def test_another_search_or_other_options_are_not_resumed(search, data, tmp_path):
    with pytest.raises(InputError, match="another objective"):
        begin(search.folder.parent, data, trials=3, objective="val_loss")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "note.txt").write_text("")
    with pytest.raises(InputError, match="not an empty folder"):
        begin(tmp_path, data, out=tmp_path / "mine")
    own = {"resume": str(search.folder), "tuner": "random", "trials": None, "space": "full", "objective": "balanced"}
    with pytest.raises(InputError, match="leave out --z-dim --space"):
        run({"z_dim": 3} | own | {"seeds": 1, "margin": None, "workers": 1, "out": None})
    with pytest.raises(InputError, match="holds no search"):
        extend(tmp_path)


def test_a_trial_whose_process_dies_again_and_again_is_given_up(tmp_path):
    recorded = {"data_folder": "", "data_identity": ""}
    for _ in range(3):
        TrialFolder(tmp_path / "0").begin(recorded, {})
    with pytest.raises(InputError, match="3 times in epoch 1, out of memory"):
        TrialFolder(tmp_path / "0").begin(recorded, {})


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (MemoryError(), "out of memory: MemoryError"),
        (RuntimeError("RESOURCE_EXHAUSTED: OOM when\nallocating"), "out of memory: RESOURCE_EXHAUSTED: OOM when alloc"),
        (InputError("no"), "no"),
        (ValueError("odd"), "ValueError: odd"),
    ],
)
def test_reasons_are_one_line(tmp_path, error, words):
    assert TrialFolder(tmp_path).fail(error).startswith(words)
    assert json.loads((tmp_path / "failure.json").read_text())["error"] == type(error).__name__


def test_kerastuners_variables_come_together(monkeypatch):
    for name, value in zip(workers.VARIABLES, ("worker0", "127.0.0.1", "1"), strict=True):
        monkeypatch.delenv(name, raising=False)
        assert workers.role() == "alone"
        monkeypatch.setenv(name, value)
        if name != workers.VARIABLES[-1]:
            with pytest.raises(InputError, match="KERASTUNER_ORACLE_PORT; set all three, or none"):
                workers.role()
            monkeypatch.delenv(name)
    for name, value in zip(workers.VARIABLES, ("worker0", "127.0.0.1", "1"), strict=True):
        monkeypatch.setenv(name, value)
    assert workers.role() == "worker"
    monkeypatch.setenv(workers.VARIABLES[0], "chief")
    assert workers.role() == "chief"
