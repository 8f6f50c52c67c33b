"""A search needs no labels: the hit-rate on validation images."""

import numpy as np

from tests.families.cpd.test_evaluation import oracle, sprites_code
from tsdsae_keras.data.sets.sprites import Sprites
from tsdsae_keras.families.cpd.scoring import Scorer
from tsdsae_keras.families.cpd.search import SEARCH
from tsdsae_keras.search.space import Space
from tsdsae_keras.settings import Settings

SETTINGS = Settings(model="cpd", data="sprites")


def test_a_perfect_model_is_preferred_to_one_that_confuses_classes():
    scorer = Scorer(None, SETTINGS)
    scorer.check("hit_rate")
    perfect, scorer.data = oracle(Sprites(), sprites_code)
    assert scorer(perfect) == {"hit_rate": 1.0, "hit_rate_1": 1.0}

    def one_class(poses, classes):
        code = sprites_code(poses, classes)
        return np.concatenate([0 * code[:, :3], code[:, 3:]], axis=1)

    blind, scorer.data = oracle(Sprites(), one_class)
    assert scorer(blind)["hit_rate"] < 0.3


def test_spaces_are_options_of_the_models():
    for model in ("cpd", "mdp-homomorphism", "linear"):
        settings = SETTINGS.replace(model=model)
        for make in SEARCH.spaces.values():
            Space(make(settings), settings)
