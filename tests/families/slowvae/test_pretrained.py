"""The trained models of the family are the ones of their cards, on every backend."""

from pathlib import Path

import numpy as np
import pytest

import tsdsae_keras
from tsdsae_keras.cli import main
from tsdsae_keras.data.sets import open_data
from tsdsae_keras.settings import Settings

OUTPUTS = Path(__file__).parent / "pretrained.npz"
NAMES = ("dsprites-slowvae", "dsprites-beta-vae")


@pytest.mark.parametrize("name", NAMES)
def test_stored_outputs_are_reproduced(name):
    model = tsdsae_keras.load_pretrained(name)
    with np.load(OUTPUTS) as stored:
        expected = {key.split("/")[1]: stored[key] for key in stored if key.startswith(f"{name}/")}
    x, _ = open_data(Settings(model="slowvae")).sample(np.random.default_rng(0), len(expected["mean"]))
    found = model.encode(x) | {"decoded": model.reconstruct(x[:2])}
    assert set(found) == set(expected)
    for key, value in expected.items():
        np.testing.assert_allclose(found[key], value, rtol=1e-3, atol=1e-3, err_msg=key)


@pytest.mark.parametrize("name", NAMES)
def test_card_says_the_data_and_the_score(name):
    card = tsdsae_keras.pretrained_card(name)
    assert card["data"]["dataset"] == "dsprites" and "Apache-2.0" in card["data"]["licence"]
    assert f"dsprites-{card['recipe']['model']}" == name
    low, high = card["scores"]["mcc"]["interval"]
    assert low <= card["scores"]["mcc"]["value"] <= high


@pytest.mark.no_backend
def test_evaluate_takes_the_name_and_the_data_of_the_card(tmp_path, capsys):
    command = ["evaluate", NAMES[0], "--frames", "1000", "--judges", "none"]
    assert main(command) == 2
    assert "give --out" in capsys.readouterr().err
    assert main([*command, "--out", str(tmp_path / "scores.json")]) == 0
    assert (tmp_path / "report.html").is_file() and "mcc" in capsys.readouterr().out
