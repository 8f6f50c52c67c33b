"""All scores of models whose answers are known: a decoder that ignores v, and one that ignores z."""

import json

import numpy as np
import pytest

from tests.families.tsdsae.evaluation.tones import FRAMES, write_folder
from tsdsae_keras.data.prepared.store import PreparedData
from tsdsae_keras.families.tsdsae.evaluation.context import EvaluationContext, make_subject
from tsdsae_keras.families.tsdsae.evaluation.resynthesis import MADE
from tsdsae_keras.families.tsdsae.evaluation.rows import list_left_out, make_rows
from tsdsae_keras.families.tsdsae.evaluation.scores import STAGES, full_scores
from tsdsae_keras.metrics.pitch import PyinTracker

pytestmark = pytest.mark.no_backend


def brightness(x):
    """The mean level from 2 to 4 kHz, where only bright clips have partials."""
    return x[:, :, 43:60].mean(axis=(1, 2))


class Known:
    """z is the sequence, v its instrument; `decode` is what a test says."""

    features, front_end = 80, None

    def __init__(self, decode, loud):
        self.decode, self._loud = decode, loud

    def encode(self, x, mask=None):
        bright = (brightness(x) > self._loud).astype("float64")
        return {"v_mean": np.stack([bright, 1 - bright], axis=1), "z_mean": x}

    def get_config(self):
        return {}


def make_context(data, decode, **options):
    dull, bright = brightness(data.features("train")[:2])
    subject = make_subject(Known(decode, (dull + bright) / 2), data, 0)
    return EvaluationContext(subject, data, **{"tracker": PyinTracker(), "pairs": 1} | options)


class Loudness:
    """An embedding of sound in one dimension."""

    name = "loudness"

    def __call__(self, samples, sample_rate):
        return np.abs(samples[: sample_rate // 2]).mean(keepdims=True)[None]


class Aside(PyinTracker):
    """A tracker that stays in the process it was made in."""

    parallel = False


@pytest.fixture(scope="module")
def ignores_v(data):
    context = make_context(data, lambda z, v: z, pairs=3, tracker=Aside(), embed=Loudness())
    return context, full_scores(context)[0]


def test_a_decoder_that_ignores_v(ignores_v):
    _, result = ignores_v
    assert result["swap_f1"] == {"pre": 1.0, "global": 0.0, "local": 0.0}
    assert result["intervals"]["swap_f1"]["global"] == [0.0, 0.0] and result["intervals"]["swap_f1"]["pre"] == [1, 1]
    assert result["use"]["use_of_v"] == 0 and result["use"]["error_rise"]["other_rise"] == 0
    assert result["reconstruction"]["mse"] == 0 and result["reconstruction"]["log_spectral_distance"]["value"] == 0
    assert result["leakage"]["instrument_from_v"]["linear"]["score"] == 1
    assert result["verdict"]["faults"] == ["decoder ignores v"]
    shown = {row["name"]: row for group in make_rows(result) for row in group["rows"]}
    assert shown["sensitivity to v relative to z"]["value"] == 0
    assert shown["after the global swap (v of the partner)"]["worst"] == 0


def test_what_it_plays_is_what_the_vocoder_leaves(ignores_v):
    """Its sequences are the real ones: what is heard of them is the original, and a local swap is the partner."""
    context, result = ignores_v
    melody, tracks = result["melody"], context.resynthesized.tracks
    assert melody["original"]["rpa"]["value"] > 0.8 > 0.6 > melody["other_melody"]["rpa"]["value"]
    for name in ("reconstruction", "global"):
        found = melody[name]["rpa"]
        assert found["value"] == melody["original"]["rpa"]["value"] and found["n"] == 3
        assert found["worst"] == melody["other_melody"]["rpa"]["value"] and found["best"] == 1
    for row in context.resynthesized.rows:
        np.testing.assert_array_equal(tracks["global"][row][0], tracks["original"][row][0])
    assert melody["local"]["rpa"]["value"] > 0.8 and melody["reference"] == "notes"
    assert result["judge_vocoded"]["value"] == 1.0 and result["judge_f1"]["real"] == 1.0


def test_what_such_a_model_lacks_is_left_out(ignores_v):
    _, result = ignores_v
    assert "p_z" in result["left_out"]["generation"] and "predict_on_batch" in result["left_out"]["kl"]
    assert "161" in result["left_out"]["frechet"]


def test_distances_of_sound_carry_their_embedding(ignores_v):
    found = ignores_v[1]["frechet_loudness"]
    expected = {"value": pytest.approx(0, abs=1e-12), "embedding": "loudness", "n": [3, 3], "dimension": 1}
    assert found["reconstruction"] == expected
    assert found["half_split"] is None and "distance of two halves in loudness" in list_left_out(ignores_v[1])
    assert any("loudness" in group["group"] for group in make_rows(ignores_v[1]))


def test_infinity_becomes_null_with_a_word(data, monkeypatch):
    few = {name: STAGES[name] for name in ("timbre after swaps, reconstruction", "use of the codes")}
    monkeypatch.setattr("tsdsae_keras.families.tsdsae.evaluation.scores.STAGES", few)
    context = make_context(data, lambda z, v: np.broadcast_to(v[:, :1, None], (len(v), FRAMES, 80)))
    result, _ = full_scores(context)
    assert result["use"]["use_of_v"] is None and result["not_finite"]["use.use_of_v"] == "infinite"
    assert json.loads(json.dumps(result, allow_nan=False)) == result
    assert "use.use_of_v" in list_left_out(result)


def test_without_notes_the_original_is_the_reference(data, tmp_path):
    bare = PreparedData(write_folder(tmp_path / "n", lambda arrays: {k: v for k, v in arrays.items() if k != "notes"}))
    melody = make_context(bare, lambda z, v: z).resynthesized.melody()
    assert [melody[name]["rpa"]["value"] for name in MADE] == [1, 1, 1] and melody["original"] is None
