"""The whole evaluation on codes whose scores are known beforehand."""

import json

import numpy as np
import pytest

from tsdsae_keras.errors import InputError
from tsdsae_keras.families.tsdsae.evaluation import measures
from tsdsae_keras.families.tsdsae.evaluation.evaluate import evaluate, table
from tsdsae_keras.families.tsdsae.evaluation.pairs import make_pair_list
from tsdsae_keras.families.tsdsae.evaluation.posteriors import Split
from tsdsae_keras.families.tsdsae.evaluation.subject import TestSubject
from tsdsae_keras.metrics.plain import to_plain
from tsdsae_keras.metrics.reconstruction import log_spectral_distances

pytestmark = pytest.mark.no_backend

BANDS, FRAMES = 40, 10
_WAVES = np.cos(np.pi * np.outer(np.arange(30), np.arange(BANDS) + 0.5) / BANDS)
TIMBRES, MELODY = 2 * _WAVES[[2, 3, 5]], _WAVES[25]  # orthogonal, so each is read without the others
READ_TIMBRE = TIMBRES.T / (TIMBRES**2).sum(axis=1)
READ_MELODY = MELODY[:, None] / (MELODY**2).sum()


def sequences(n, seed):
    """x = timbre of the class + melody, n of them in three classes."""
    rng = np.random.default_rng(seed)
    instrument = np.arange(n) % 3
    melody = rng.normal(size=(n, FRAMES, 1))
    return Split(TIMBRES[instrument][:, None] + melody * MELODY, instrument)


class Ideal:
    """v is the timbre, z the melody, nothing else in either."""

    def encode(self, x, mask=None):
        weight = np.ones(x.shape[:2]) if mask is None else mask
        mean = (x * weight[..., None]).sum(1) / weight.sum(1, keepdims=True)
        return {"v_mean": mean @ READ_TIMBRE, "z_mean": x @ READ_MELODY}

    def decode(self, z, v, mask=None):
        return (v @ TIMBRES)[:, None] + z @ MELODY[None]


class Duplicated(Ideal):
    """Every dimension of both codes twice."""

    def encode(self, x, mask=None):
        return {name: np.concatenate([code, code], -1) for name, code in super().encode(x, mask).items()}

    def decode(self, z, v, mask=None):
        return super().decode(z[..., :1], v[..., :3])


class IgnoresV(Ideal):
    """v knows the timbre, but so does z, and the decoder uses z alone."""

    def encode(self, x, mask=None):
        return super().encode(x, mask) | {"z_mean": x}

    def decode(self, z, v, mask=None):
        return z


class RandomV(IgnoresV):
    """v knows nothing."""

    def __init__(self):
        self.rng = np.random.default_rng(5)

    def encode(self, x, mask=None):
        return super().encode(x, mask) | {"v_mean": self.rng.normal(size=(len(x), 4))}


PERFECT = {"pre": 1.0, "global": 1.0, "local": 1.0}


@pytest.mark.parametrize("model", [Ideal(), Duplicated()])
def test_ideal_and_duplicated_codes_score_one_everywhere(model):
    result = evaluate(model, sequences(90, 0), sequences(31, 1), batch_size=8)
    assert result["swap_f1"] == PERFECT
    assert result["judge_f1"] == {"real": 1.0, **PERFECT}
    assert result["reconstruction"]["mse"] == pytest.approx(0, abs=1e-20)
    assert result["n"] == 31 and "left_out" not in result
    assert json.loads(json.dumps(result)) == result


def test_decoder_that_ignores_v_scores_zero_after_swaps():
    result = evaluate(IgnoresV(), sequences(90, 0), sequences(30, 1))
    assert result["swap_f1"] == {"pre": 1.0, "global": 0.0, "local": 0.0}
    assert result["judge_f1"] == {"real": 1.0, "pre": 1.0, "global": 0.0, "local": 0.0}


def test_worthless_v_scores_chance_before_swaps():
    result = evaluate(RandomV(), sequences(300, 0), sequences(600, 1))
    assert result["swap_f1"]["pre"] == pytest.approx(1 / 3, abs=0.08)
    assert result["judge_f1"]["pre"] == 1.0


class HearsPadding(Ideal):
    """Ideal on valid frames; a click, found in padding only, comes out as the first timbre."""

    click = 9 * _WAVES[20]

    def encode(self, x, mask=None):
        clicks = x @ self.click[:, None] / (self.click**2).sum()
        codes = super().encode(x, mask)
        return codes | {"z_mean": np.concatenate([codes["z_mean"], clicks], -1)}

    def decode(self, z, v, mask=None):
        assert not (z[..., 1][mask] > 0.5).any(), "the mask belongs to another sequence"
        return super().decode(z[..., :1], v) + z[..., 1:] * 9 * TIMBRES[0]


def test_padding_is_never_looked_at():
    def pad(split):
        length = 2 + np.arange(len(split)) * 7 % (FRAMES - 2)
        mask = np.arange(FRAMES) < length[:, None]
        x = np.where(mask[..., None], split.x, HearsPadding.click)
        return {"x": x, "instrument": split.instrument, "mask": mask}

    result = evaluate(HearsPadding(), pad(sequences(90, 0)), pad(sequences(31, 1)))
    assert result["swap_f1"] == PERFECT and result["judge_f1"] == {"real": 1.0, **PERFECT}
    assert result["reconstruction"]["mse"] == pytest.approx(0, abs=1e-20)


@pytest.mark.parametrize(
    ("instrument", "reason"),
    [
        (None, "no instrument labels"),
        (np.full(30, 1), "one instrument only (1)"),
        (np.arange(30) % 4, "instruments [3] are in the test set"),
    ],
)
def test_scores_without_classes_are_left_out_with_the_reason(instrument, reason):
    result = evaluate(Ideal(), sequences(90, 0), Split(sequences(30, 1).x, instrument))
    assert "swap_f1" not in result and "judge_f1" not in result
    assert result["left_out"]["swap_f1"].startswith(reason)
    assert result["reconstruction"]["mse"] == pytest.approx(0, abs=1e-20)
    assert reason in table(result)


def test_table_shows_every_score():
    scores = {"pre": 0.91, "global": 0.52, "local": 0.63}
    made = {"swap_f1": scores, "judge_f1": {"real": 0.84, **scores}, "reconstruction": {"mse": 0.37}, "n": 5}
    shown = table(made).splitlines()
    assert shown[0].split() == ["real", "pre", "global", "local"]
    assert shown[1].split()[-4:] == ["-", "0.910", "0.520", "0.630"]
    assert shown[2].split()[-4:] == ["0.840", "0.910", "0.520", "0.630"]
    assert "0.370" in shown[3]


def test_a_broken_model_is_named():
    class Broken(Ideal):
        def decode(self, z, v, mask=None):
            return super().decode(z, v) * np.nan

    with pytest.raises(InputError, match="output holds nan"):
        evaluate(Broken(), sequences(90, 0), sequences(30, 1))


def test_unusable_splits_are_named():
    with pytest.raises(InputError, match=r"instrument has shape \(2,\)"):
        Split(np.zeros((3, 4, 5)), np.zeros(2))
    with pytest.raises(InputError, match="x has shape"):
        Split(np.zeros((0, 4, 5)))
    with pytest.raises(InputError, match="features"):
        evaluate(Ideal(), sequences(9, 0), Split(np.zeros((3, 4, 5))))


def test_intervals_hold_the_score_and_know_where_a_local_swap_belongs():
    subject = TestSubject(Ideal(), sequences(90, 0), sequences(30, 1))
    found = measures.find_intervals(subject)
    assert found["swap_f1"] == {"pre": [1, 1], "global": [1, 1], "local": [1, 1]}
    assert set(found["judge_f1"]) == {"real", "pre", "global", "local"}
    one = measures.find_intervals(subject, groups=np.zeros(30))  # one melody only: nothing independent to draw
    assert one["swap_f1"]["global"] is None and one["reconstruction"]["mse"] is None

    chance = TestSubject(RandomV(), sequences(90, 0), sequences(300, 1))
    value = evaluate(RandomV(), sequences(90, 0), sequences(300, 1))["swap_f1"]["pre"]
    low, high = measures.find_intervals(chance)["swap_f1"]["pre"]
    assert low < value < high and 0.08 < high - low < 0.16  # about 4 sqrt(2/9 / 300)


def test_the_worst_values_are_those_of_the_mean_frame():
    train, test = sequences(90, 0), sequences(30, 1)
    found = measures.measure_reconstruction(TestSubject(IgnoresV(), train, test))
    mean = train.x.mean(axis=(0, 1))
    assert found["mse_worst"] == pytest.approx(np.square(test.x - mean).mean())
    distance = found["log_spectral_distance"]
    assert distance["value"] == 0 and distance["interval"] == [0, 0] and distance["n"] == 30
    whole = np.broadcast_to(mean, test.x.shape)
    assert distance["worst"] == pytest.approx(log_spectral_distances(test.x, whole).mean())


def test_use_tells_which_code_the_decoder_reads():
    class IgnoresZ(Ideal):
        def decode(self, z, v, mask=None):
            return super().decode(0 * z, v)

    splits = sequences(90, 0), sequences(30, 1)
    assert measures.measure_use(TestSubject(IgnoresV(), *splits))["use_of_v"] == 0
    assert measures.measure_use(TestSubject(IgnoresZ(), *splits))["use_of_v"] == np.inf
    found = measures.measure_use(TestSubject(Ideal(), *splits))
    assert found["active_v"] == 3 and found["active_z"] == 1 and found["dimensions"] == {"v": 3, "z": 1}
    assert found["error_rise"]["other_relative"] > 1


def test_distances_are_zero_for_the_real_and_large_for_the_mean_frame():
    splits = sequences(90, 0), sequences(120, 1)  # a sequence is a patch of 80 dimensions
    found = measures.measure_logmel_distances(TestSubject(IgnoresV(), *splits), 0.096, [("made", splits[0].x)])
    assert found["reconstruction"]["value"] == pytest.approx(0, abs=1e-6)
    assert found["made"]["n"] == [120, 90] and found["made"]["value"] < found["mean_frame"]["value"]
    assert found["half_split"] is None and "81" in found["no_half_split"]  # halves of 60


def test_a_model_without_priors_is_named():
    with pytest.raises(InputError, match="predict_on_batch"):
        measures.measure_kl(TestSubject(Ideal(), sequences(90, 0), sequences(30, 1)))


def test_divergences_are_those_of_the_outputs():
    class Told(Ideal):
        def predict_on_batch(self, x):
            zeros = {f"{name}_{what}": np.zeros((len(x), *shape)) for name, shape in SHAPES.items() for what in KINDS}
            return zeros | {"v_mean": np.full((len(x), 2), [1.0, 0.0]), "z_prior_log_var": np.ones((len(x), FRAMES, 1))}

    KINDS = "mean", "log_var"
    SHAPES = {"v": (2,), "v_prior": (2,), "z": (FRAMES, 1), "z_prior": (FRAMES, 1)}
    found = measures.measure_kl(TestSubject(Told(), sequences(90, 0), sequences(31, 1), batch_size=8))
    np.testing.assert_allclose(found["v"], [0.5, 0])
    np.testing.assert_allclose(found["z"], [0.5 * (1 - 1 + np.exp(-1))])


def test_pair_lists_are_told_apart():
    partner = np.array([1, 0, 3, 2])
    first = make_pair_list(partner, 2, 0)
    assert first == make_pair_list(partner, 2, 0) and len(first["heard"]) == 2 and first["partner"] == [1, 0, 3, 2]
    assert first["sha256"] != make_pair_list(partner[::-1], 2, 0)["sha256"] and len(first["sha256"]) == 64
    assert make_pair_list(partner, 9, 0)["heard"] == [0, 1, 2, 3]


def test_plain_numbers_only():
    given = {"a": np.float32(1.5), "b": [np.nan, np.int64(2)], "c": {"d": -np.inf}, "e": np.arange(2), "f": None}
    found, odd = to_plain(given)
    assert found == {"a": 1.5, "b": [None, 2], "c": {"d": None}, "e": [0, 1], "f": None}
    assert odd == {"b.0": "no number", "c.d": "infinite"} and type(found["b"][1]) is int
