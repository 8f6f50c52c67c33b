"""The whole evaluation on codes whose scores are known beforehand."""

import json

import numpy as np
import pytest

from tsdsae_keras.errors import InputError
from tsdsae_keras.evaluation.codes import Split
from tsdsae_keras.evaluation.evaluate import evaluate, table

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
    """v knows the timbre, but so does z, and the decoder listens to z alone."""

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
    def padded(split):
        length = 2 + np.arange(len(split)) * 7 % (FRAMES - 2)
        mask = np.arange(FRAMES) < length[:, None]
        x = np.where(mask[..., None], split.x, HearsPadding.click)
        return {"x": x, "instrument": split.instrument, "mask": mask}

    result = evaluate(HearsPadding(), padded(sequences(90, 0)), padded(sequences(31, 1)))
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
