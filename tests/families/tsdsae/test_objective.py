"""The score of a search on models made by hand, whose parts are known."""

import numpy as np
import pytest

from tsdsae_keras.errors import InputError
from tsdsae_keras.families.tsdsae.evaluation.posteriors import Split
from tsdsae_keras.families.tsdsae.search.objective import PARTS, geometric_mean, score_balanced

pytestmark = pytest.mark.no_backend

N, FRAMES, BANDS = 40, 6, 3
RNG = np.random.default_rng(0)
STAYS = RNG.normal(size=(N, 1, BANDS))
MOVES = RNG.normal(size=(N, FRAMES, BANDS))
MOVES -= MOVES.mean(axis=1, keepdims=True)
X = STAYS + MOVES


class Ideal:
    """v is the mean frame, z what is left, x their sum."""

    def encode(self, x, mask=None):
        weights = np.ones(x.shape[:2]) if mask is None else np.asarray(mask, float)
        v = np.where(weights[..., None] > 0, x, 0).sum(1) / weights.sum(1, keepdims=True)
        return {"v_mean": v, "z_mean": np.where(weights[..., None] > 0, x - v[:, None], 7.0)}

    def decode(self, z, v, mask=None):
        return z + v[:, None]


class IgnoresV(Ideal):
    """z is x; v is known to the encoder, and the decoder ignores it."""

    def encode(self, x, mask=None):
        return super().encode(x, mask) | {"z_mean": x}

    def decode(self, z, v, mask=None):
        return z


class IgnoresZ(Ideal):
    def decode(self, z, v, mask=None):
        return np.zeros_like(z) + v[:, None]


class ConstantV(IgnoresV):
    def encode(self, x, mask=None):
        return {"v_mean": np.zeros((len(x), 2)), "z_mean": x}


class MovesHalfWay(IgnoresV):
    """z is x, and the decoder moves what stays half way to v."""

    def decode(self, z, v, mask=None):
        return z + 0.5 * (v[:, None] - z.mean(1, keepdims=True))


class Whispers(IgnoresV):
    """v is written into the output a thousand times too softly to hear, and read there by the encoder alone."""

    def encode(self, x, mask=None):
        loud = np.round(x, 1)
        return {"v_mean": 1e3 * (x - loud).mean(1), "z_mean": loud}

    def decode(self, z, v, mask=None):
        return z + 1e-3 * v[:, None]


def score(model, x=X, mask=None):
    return score_balanced(model, Split(x, mask=mask), batch_size=16)


def test_the_ideal_scores_one_in_every_part():
    assert score(Ideal()) == pytest.approx(dict.fromkeys(("balanced", *PARTS), 1.0))


def test_a_decoder_that_ignores_v_scores_nothing_however_well_it_rebuilds():
    found = score(IgnoresV())
    assert found["balanced"] == found["use"] == found["v_follows"] == 0.0
    assert found["reconstruction"] == found["restored"] == found["z_stays"] == 1.0


@pytest.mark.parametrize(("model", "part"), [(IgnoresZ(), "z_stays"), (ConstantV(), "v_follows")])
def test_a_code_that_is_not_used_scores_nothing(model, part):
    found = score(model)
    assert found["balanced"] == found[part] == 0.0


def test_consistency_in_closed_form():
    """Half way leaves a quarter of the square: v' - v_j = (v_i - v_j) / 2, and z' - z_i is as far."""
    found, after = score(MovesHalfWay()), np.roll(np.arange(N), -1)
    wrong = 0.25 * np.square(STAYS - STAYS[after]).mean()
    assert found["v_follows"] == pytest.approx(0.5)
    assert found["z_stays"] == pytest.approx(1 - wrong / X.var(axis=(0, 1)).mean())
    assert found["balanced"] < score(Ideal())["balanced"]


def test_what_only_the_encoder_can_read_does_not_pay():
    found = score(Whispers())
    assert found["v_follows"] > 0.8 and found["reconstruction"] > 0.95
    assert found["use"] < 0.02 and found["balanced"] < 0.5


def test_reconstruction_is_relative_to_the_mean_frame():
    class Off(Ideal):
        def decode(self, z, v, mask=None):
            return super().decode(z, v) + 0.5

    deviation = np.sqrt(np.square(X - X.mean((0, 1))).mean())
    assert score(Off())["reconstruction"] == pytest.approx(1 - 0.5 / deviation)


def test_padding_and_batches_change_nothing():
    mask = np.arange(FRAMES + 3) < FRAMES
    padded = np.concatenate([X, np.full((N, 3, BANDS), 99.0)], axis=1)
    for model in (Ideal(), IgnoresV(), IgnoresZ()):
        assert score(model, padded, np.broadcast_to(mask, padded.shape[:2])) == pytest.approx(score(model))
        assert score_balanced(model, Split(X), batch_size=7) == pytest.approx(score(model))


def test_a_part_that_fails_cannot_be_made_up_for():
    assert geometric_mean([1.0, 1.0, 0.0]) == 0.0
    assert geometric_mean([0.25, 1.0]) == pytest.approx(0.5)


def test_one_sequence_cannot_be_swapped():
    with pytest.raises(InputError, match="two or more"):
        score(Ideal(), X[:1])
