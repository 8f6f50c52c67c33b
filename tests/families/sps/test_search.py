"""A search needs no labels: what the prior imagines, what codes sound like, and whether the prior commutes."""

from types import SimpleNamespace

import keras
import numpy as np
import pytest

from tests.families.sps.test_use import settings, video_data
from tsdsae_keras.errors import InputError
from tsdsae_keras.families.sps import scoring
from tsdsae_keras.families.sps.building import build
from tsdsae_keras.families.sps.evaluation.codes import commuted
from tsdsae_keras.families.sps.scoring import Scorer
from tsdsae_keras.families.sps.search import SEARCH
from tsdsae_keras.search.space import Space
from tsdsae_keras.settings import Settings


def test_a_prior_that_copies_or_moves_on_commutes_and_a_constant_one_does_not():
    z = np.random.default_rng(0).normal(size=(4, 6, 3)).astype("float32")
    priors = {
        "copy": lambda z, seen: z[:, :-1],
        "move on": lambda z, seen: 2 * z[:, :-1] - keras.ops.concatenate([z[:, :1], z[:, :-2]], axis=1),
        "constant": lambda z, seen: 0 * z[:, :-1],
    }
    found = {}
    for name, prior in priors.items():
        model = SimpleNamespace(group="r2-so2", dynamic=3, transition=prior)
        moved, plain = commuted(model, z)
        assert moved.shape == plain.shape == (8, 5, 3)
        found[name] = np.abs(moved - plain).max()
    assert found["copy"] < 1e-5 and found["move on"] < 1e-5 and found["constant"] > 0.1


def test_measures_of_a_model():
    data = video_data()
    scorer = Scorer(data, settings())
    scorer.check("imagined")
    scores = scorer(build(settings(), data))
    assert set(scores) == set(SEARCH.measures) - {"synthesis"}
    assert scores["imagined"] > 0 and scores["commutation"] > 0 and np.isfinite(list(scores.values())).all()
    with pytest.raises(InputError, match="needs music"):
        scorer.check("synthesis")
    with pytest.raises(InputError, match="has no prior"):
        Scorer(data, settings().replace(model="beta-vae-frames", copies=None)).check("imagined")


def test_of_music_the_sound_of_codes_is_scored_too(monkeypatch):
    scores = {"synthesis_without_slips": {"value": 0.75}}
    monkeypatch.setattr(scoring, "synthesis", lambda model, codes, seed, interval: (scores, {}))
    monkeypatch.setattr(scoring, "model_scores", lambda model, train, x: {"recon": {"value": 3.0}})
    monkeypatch.setattr(scoring, "encode", lambda model, x: x)
    found = Scorer(video_data(), settings())(SimpleNamespace(domain="music"))
    assert found == {"recon": 3.0, "synthesis": 0.75}


@pytest.mark.no_backend
@pytest.mark.parametrize("model", ["sps", "sps-ae", "sps-vae-nosymmetry", "beta-vae-frames"])
def test_spaces_are_options_of_the_models(model):
    base = Settings(model=model)
    for name in ("weights", "full"):
        varied = Space(SEARCH.spaces[name](base), base).ranges
        assert ("copies" in varied) == (model in ("sps", "sps-ae")) and ("kld_weight" in varied) == (model != "sps-ae")
    if model in ("sps", "sps-ae"):
        assert Space(SEARCH.spaces["copies"](base), base).ranges == {"copies": [0, 1, 4]}
    else:
        with pytest.raises(InputError, match="has no symmetry"):
            Space(SEARCH.spaces["copies"](base), base)
