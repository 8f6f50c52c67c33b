"""A search needs no labels: the ELBO, and how alike models of two seeds are."""

import numpy as np
import pytest

from tsdsae_keras.data.sets import open_data
from tsdsae_keras.errors import InputError
from tsdsae_keras.families.slowvae.building import build
from tsdsae_keras.families.slowvae.scoring import Scorer
from tsdsae_keras.families.slowvae.search import SEARCH
from tsdsae_keras.search.space import Space
from tsdsae_keras.settings import Settings

SETTINGS = Settings(model="slowvae", data="mixed", batch_size=32, epochs=1, epoch_steps=60, learning_rate=1e-2)


def test_measures_of_a_model():
    data = open_data(SETTINGS)
    scorer = Scorer(data, SETTINGS)
    scorer.check("elbo")
    model = scorer.companion(build(SETTINGS, data))  # trained: initial weights may use no dimension
    scores = scorer(model)
    assert set(scores) == {"elbo", "used"} and scores["elbo"] < 0 and 0 < scores["used"] <= 4
    scorer.check("udr")
    found = scorer(model)
    assert 0 < found["udr"] < 1
    assert found == scorer(model)  # the companion's seed is fixed
    assert np.isclose(found["elbo"], scores["elbo"])


def test_spaces_are_options_of_the_family():
    for make in SEARCH.spaces.values():
        Space(make(SETTINGS), SETTINGS)
    with pytest.raises(InputError, match="pcl has no posterior"):
        Scorer(open_data(SETTINGS), SETTINGS.replace(model="pcl")).check("elbo")
