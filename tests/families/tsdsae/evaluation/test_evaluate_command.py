"""`tsdsae-keras evaluate`, through its door on a small prepared folder."""

import hashlib
import html
import json

import keras
import numpy as np
import pytest

from tests.families.tsdsae.evaluation.tones import COUNTS, run_evaluate, write_folder
from tsdsae_keras.base.loading import load_model
from tsdsae_keras.cli import main
from tsdsae_keras.data.prepared.store import PreparedData
from tsdsae_keras.families.tsdsae.evaluation.context import EvaluationContext, make_subject
from tsdsae_keras.families.tsdsae.evaluation.page import read_history
from tsdsae_keras.families.tsdsae.evaluation.rows import make_rows
from tsdsae_keras.families.tsdsae.evaluation.scores import score
from tsdsae_keras.metrics.pitch import PyinTracker
from tsdsae_keras.training.run import RunFolder

pytestmark = pytest.mark.no_backend


@pytest.fixture(scope="module")
def whole(model, data, tmp_path_factory):
    return run_evaluate(model, data, tmp_path_factory.mktemp("scores") / "evaluation.json")


def test_the_scores_of_training_are_among_them(whole, model, data):
    result, quick = whole[0], json.loads(json.dumps(score(load_model(model), data, 0)))
    for name in ("swap_f1", "judge_f1", "n"):
        assert result[name] == quick[name]
    for name in ("reconstruction", "settings"):
        assert {key: result[name][key] for key in quick[name]} == quick[name]


def test_pairs_are_saved_and_hashed(whole, data):
    pairs = whole[0]["pairs"]
    text = f'{{"partner":{pairs["partner"]},"heard":{pairs["heard"]}}}'.replace(" ", "")
    assert pairs["sha256"] == hashlib.sha256(text.encode()).hexdigest() == whole[0]["settings"]["pairs_sha256"]
    assert pairs["sha256"] in whole[1]
    instrument = data.labels("test")["instrument"]
    assert (instrument != instrument[pairs["partner"]]).all() and len(pairs["heard"]) == 1


def test_the_page_holds_table_pictures_and_players(whole):
    result, page = whole
    assert page.count("<audio") == 6
    for word in ("melody it must take", "Pair 1:", "(dull)", "KL by dimension", "Codes v", "Griffin-Lim", "numpy"):
        assert word in page
    lines = [line.split(": ", 1)[1] for line in result["verdict"]["lines"]]
    places = [html.unescape(page).index(line) for line in lines]
    assert len(places) == 5 and places == sorted(places) and places[-1] < page.index("<table")
    for row in (row for group in make_rows(result) for row in group["rows"]):
        assert row["name"] in html.unescape(page)


def test_the_same_command_gives_the_same_scores(whole, model, data, tmp_path):
    again, _ = run_evaluate(model, data, tmp_path / "evaluation.json")
    assert json.dumps(again) == json.dumps(whole[0])  # to the last digit, and in their order


def test_without_labels_the_rest_is_scored(model, tmp_path, capsys):
    bare = PreparedData(write_folder(tmp_path / "bare", lambda arrays: {"features": arrays["features"]}))
    result, page = run_evaluate(model, bare, tmp_path / "e.json")
    assert {"swap_f1", "judge_f1", "label notes", "label instrument"} <= set(result["left_out"])
    assert result["left_out"]["swap_f1"] == "no instrument labels"
    assert result["pairs"]["partner"] == [*range(1, COUNTS["test"]), 0]
    assert result["melody"]["reference"].startswith("the track") and result["melody"]["original"] is None
    assert result["use"]["n"] == COUNTS["test"] and "no instrument labels" in page
    assert "left out: swap_f1: no instrument labels" in capsys.readouterr().out


def test_labels_of_another_form_are_left_out_with_the_reason(model, tmp_path):
    def spoil(arrays):
        one = {"instrument": np.zeros_like(arrays["instrument"]), "notes": arrays["notes"] + 100}
        return arrays | one | {"factors": arrays["factors"][:, 0]}

    odd = PreparedData(write_folder(tmp_path / "odd", spoil))
    context = EvaluationContext(make_subject(load_model(model), odd, 0), odd, PyinTracker(), pairs=1)
    assert context.subject.why_no_classes.startswith("one instrument only (0)")
    assert set(context.labels.left_out) == {"notes", "factors"}
    assert "MIDI" in context.labels.left_out["notes"] and "(8,)" in context.labels.left_out["factors"]


REFUSED = {
    "pairs": (["--pairs", "0"], "--pairs is 0"),
    "crepe": (["--crepe-weights", "x.pth"], "--pitch crepe"),
    "vggish": (["--vggish-weights", "x.pth"], "--embedding vggish"),
    "no vggish": (["--embedding", "vggish"], "--vggish-weights PATH"),
    "bad vggish": (["--embedding", "vggish", "--vggish-weights", "{folder}/bad.pth"], "bad.pth"),
    "bad crepe": (["--pitch", "crepe", "--crepe-weights", "{folder}/bad.pth"], "bad.pth"),
    "truth": (["--truth", "{folder}/none.csv"], "none.csv is not a file"),
    "out": (["--out", "{folder}/nowhere/e.json"], "nowhere"),
    "pitch": (["--pitch", "ear"], "choose from"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused_in_one_line(model, data, tmp_path, capsys, name):
    (tmp_path / "bad.pth").write_bytes(b"no weights")
    options, words = REFUSED[name]
    options = [option.format(folder=tmp_path) for option in options]
    arguments = ["evaluate", str(model), "--data", str(data.folder), "--out", str(tmp_path / "e.json"), *options]
    assert main([*arguments, "--backend", keras.backend.backend()]) == 2
    error = capsys.readouterr().err.strip()
    assert words in error and error.startswith("error: ") and "\n" not in error
    assert [path.name for path in tmp_path.iterdir()] == ["bad.pth"]


def test_an_unfinished_run_does_not_become_a_finished_one(model, data, tmp_path, capsys):
    run = RunFolder(tmp_path / "r")
    run.create({"data_folder": str(data.folder), "data_identity": data.identity})
    run.model.write_bytes(model.read_bytes())
    assert main(["evaluate", str(run.folder), "--backend", keras.backend.backend()]) == 2
    assert "unfinished run" in capsys.readouterr().err and not run.evaluation.exists()


def test_history_is_read_with_its_switch(tmp_path):
    path = tmp_path / "history.csv"
    path.write_text("epoch,stage,seconds,loss,val_loss,kl_z_gswap\n0,1,2,3.0,2.5,\n1,2,2,1.0,0.5,0.25\n")
    curves, switch = read_history(path)
    assert switch == 1 and curves["loss"] == [3.0, 1.0] and set(curves) == {"loss", "val_loss", "kl_z_gswap"}
    assert np.isnan(curves["kl_z_gswap"][0])
