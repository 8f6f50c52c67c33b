"""Every trained model that comes with the library is the one of its card, which says what one must know to use it."""

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest

import tsdsae_keras
from benchmarks.pretrained import codes_of_noise
from tsdsae_keras.base.model_class import card_of
from tsdsae_keras.base.pretrained import pretrained_file

NAMES = tsdsae_keras.pretrained_names()
OUTPUTS = np.load(Path(__file__).with_name("trained.npz"))  # of families that have no stored outputs of their own
LARGEST = 3_000_000  # bytes of a file, so that the package stays small


@pytest.mark.parametrize("name", NAMES)
def test_the_file_is_that_of_the_card(name):
    card, content = tsdsae_keras.pretrained_card(name), pretrained_file(name).read_bytes()
    assert (card["sha256"], card["bytes"]) == (hashlib.sha256(content).hexdigest(), len(content))
    assert len(content) < LARGEST
    assert tsdsae_keras.load_pretrained(name).count_params() == card["parameters"]


@pytest.mark.parametrize("name", NAMES)
def test_a_card_says_licences_data_seed_recipe_and_scores(name):
    card = tsdsae_keras.pretrained_card(name)
    assert "Apache-2.0" in card["licence"]
    assert card["data"]["licence"] and card["data"]["dataset"]
    assert isinstance(card["recipe"]["seed"], int) and card["recipe"]["epochs"] >= card["training"]["epochs"]
    assert card["scores"] and card["versions"]["backend"] == card["training"]["backend"]
    assert card["recipe"]["epochs"] >= card["training"]["kept_epoch"]
    assert "/" not in json.dumps(card["recipe"])  # no path of the machine it was trained on


@pytest.mark.parametrize("name", sorted(OUTPUTS))
def test_stored_codes_of_noise_are_reproduced(name):
    codes = codes_of_noise(tsdsae_keras.load_pretrained(name), card_of(pretrained_file(name)).name)
    scale = np.abs(OUTPUTS[name]).max()
    np.testing.assert_allclose(codes / scale, OUTPUTS[name] / scale, atol=1e-4)
