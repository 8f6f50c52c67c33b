"""Every trained model that comes with the library is the one of its card, which says what one must know to use it."""

import hashlib

import pytest

import tsdsae_keras
from tsdsae_keras.base.pretrained import pretrained_file

NAMES = tsdsae_keras.pretrained_names()
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
    # No path of the machine it was trained on.
    assert not [value for value in card["recipe"].values() if isinstance(value, str) and "/" in value]
