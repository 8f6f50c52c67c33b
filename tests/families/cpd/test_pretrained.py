"""A finished run becomes a trained model of the library, and those that come with it are the ones of their cards."""

import json
import shutil

import numpy as np
import pytest

import tsdsae_keras
from benchmarks import pretrained as releasing
from tsdsae_keras import cli
from tsdsae_keras.base import pretrained
from tsdsae_keras.base.model_class import card_of, pretrained_files
from tsdsae_keras.data.sets import open_data
from tsdsae_keras.families.cpd import FAMILY
from tsdsae_keras.families.cpd.codes import DataCodes
from tsdsae_keras.families.cpd.evaluation import hit_rates
from tsdsae_keras.settings import Settings

NAMES = sorted(name for name, path in pretrained_files().items() if card_of(path) is FAMILY)
LEAST = {"cpd-sprites": 0.97, "cpd-solids": 0.90}


def test_a_run_is_released_with_its_card(finished_run, tmp_path, monkeypatch):
    run = shutil.copytree(finished_run, tmp_path / "run")
    with pytest.raises(SystemExit, match="short scores only"):
        releasing.release(run, "mine", tmp_path)
    assert cli.main(["evaluate", str(run), "--decoder-steps", "1"]) == 0
    releasing.release(run, "mine", tmp_path)
    monkeypatch.setattr(pretrained, "pretrained_files", lambda: {"mine": tmp_path / "mine.keras"})
    card, model = tsdsae_keras.pretrained_card("mine"), tsdsae_keras.load_pretrained("mine")
    images = np.random.default_rng(0).integers(0, 256, (3, 64, 64, 1), dtype="uint8")
    expected = tsdsae_keras.load_model(run / "model.keras").encode(images)["code"]
    np.testing.assert_allclose(model.encode(images)["code"], expected, rtol=1e-5, atol=1e-6)
    assert not model.compiled and card["data"]["dataset"] == "sprites"
    assert card["training"]["epochs"] == 2 and set(card["training"]["validation"]) == {"equivariance", "info_nce"}
    assert card["scores"] == json.loads((run / "evaluation.json").read_text())
    assert str(tmp_path.parent) not in json.dumps(card)


@pytest.mark.parametrize("name", NAMES)
def test_a_trained_model_has_the_hit_rates_of_its_card(name):
    card, model = tsdsae_keras.pretrained_card(name), tsdsae_keras.load_pretrained(name)
    data = open_data(Settings(model="cpd", data=card["data"]["dataset"], images=64, held_out=512))
    found = hit_rates(DataCodes(model, data), "test", 0)["hit_rate"]
    for steps, score in card["scores"]["hit_rate"].items():
        # Other images than those of the card: some three standard errors of 512.
        assert found[steps]["value"] > score["value"] - 0.03
        assert score["value"] >= LEAST[name]
    assert "Apache-2.0" in card["data"]["licence"]
    decoded = card["scores"]["reconstruction"]
    assert decoded["value"] < decoded["worst"]
