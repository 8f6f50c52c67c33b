"""A search needs no labels: whether the views of a clip find each other, and the rank of the embeddings."""

import numpy as np
import pytest

from tests.families.selfie.small import Pool, run_settings, small
from tsdsae_keras.families.selfie.scoring import Scorer, matched
from tsdsae_keras.families.selfie.search import SEARCH
from tsdsae_keras.search.space import Space
from tsdsae_keras.settings import Settings

RNG = np.random.default_rng(0)


@pytest.mark.no_backend
def test_views_match_where_clips_differ_and_not_where_all_are_one():
    clips = RNG.normal(size=(50, 12))
    assert matched(clips, clips + 0.1 * RNG.normal(size=clips.shape)) == 1.0
    assert matched(clips, RNG.normal(size=clips.shape)) < 0.2
    assert matched(np.ones((50, 12)), np.ones((50, 12))) == 1 / 50


def test_measures_of_a_model():
    scores = Scorer(Pool(), run_settings())(small())
    assert set(scores) == {"matched", "rank", "offset"} == set(SEARCH.measures)
    assert 0 <= scores["matched"] <= 1 and 1 <= scores["rank"] <= 5 and 0 <= scores["offset"] <= 1


@pytest.mark.no_backend
@pytest.mark.parametrize("model", ["selfie-style", "vicreg", "barlow", "align-uniform"])
def test_spaces_are_options_of_the_models(model):
    base = Settings(model=model)
    for make in SEARCH.spaces.values():
        assert Space(make(base), base).ranges
