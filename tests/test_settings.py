"""Presets: the published recipe as published, and what is given before what a preset says."""

import json

import pytest

from tsdsae_keras.errors import InputError
from tsdsae_keras.families.tsdsae.settings import PRESETS
from tsdsae_keras.settings import Settings, settings_from_dict, with_preset

pytestmark = pytest.mark.no_backend


def test_the_paper_preset_is_the_published_recipe():
    paper = with_preset({"preset": "paper"})
    assert (paper.epochs, paper.stage_two_at, paper.patience, paper.batch_size) == (4000, 300, 300, 128)
    assert (paper.learning_rate, paper.schedule, paper.optimizer) == (1e-3, "constant", "adam")
    assert (paper.v_dim, paper.initial_weights, paper.standardize) == (16, "pytorch", False)
    assert (paper.melodies, paper.programs, paper.octaves, paper.subset) == (3000, (40, 56), (4,), "paper")


def test_what_is_given_goes_before_the_preset():
    assert with_preset({"preset": "paper", "batch_size": 7}).batch_size == 7
    assert with_preset({}) == Settings(**PRESETS["quick"])


def test_one_stage_needs_no_switch():
    assert Settings(model="dsae", epochs=2).epochs == 2
    with pytest.raises(InputError, match="stage 2 would never begin"):
        Settings(epochs=2)


def test_recorded_settings_are_read_back():
    settings = Settings(swap_weights=(1, 0, 0.5, 2), patience=3, tonics=("C", "D"), learning_rate=1)
    assert settings_from_dict(json.loads(json.dumps(settings.to_dict()))) == settings
    assert settings_from_dict({}) == Settings()
