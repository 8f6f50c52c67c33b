"""`tsdsae-keras evaluate`, through its door on a small prepared folder, and on models whose answers are known."""

import hashlib
import html
import json

import keras
import numpy as np
import pytest

from tsdsae_keras.base.loading import load_model
from tsdsae_keras.cli import main
from tsdsae_keras.data.audio.logmel import FrontEnd
from tsdsae_keras.data.prepared.store import PreparedData
from tsdsae_keras.data.prepared.writing import PreparedWriter
from tsdsae_keras.families.tsdsae.building import make_model
from tsdsae_keras.families.tsdsae.evaluation.context import EvaluationContext, make_subject
from tsdsae_keras.families.tsdsae.evaluation.page import read_history
from tsdsae_keras.families.tsdsae.evaluation.resynthesis import MADE
from tsdsae_keras.families.tsdsae.evaluation.rows import list_left_out, make_rows
from tsdsae_keras.families.tsdsae.evaluation.scores import STAGES, full_scores, score
from tsdsae_keras.metrics.pitch import PyinTracker
from tsdsae_keras.training.run import RunFolder

pytestmark = pytest.mark.no_backend

RATE, FRAMES, SLOT = 16000, 38, 2400  # samples a note
FRONT_END = FrontEnd()
COUNTS = {"train": 24, "validation": 4, "test": 8}
NOTES = [60, 64, 67, 71]
NAMES = {"instrument": ["dull", "bright"], "factors": ["first", "last"]}
SMALL = {"global_units": (8, 8), "local_units": (8, 8), "transition_units": (4, 4), "decoder_units": (8, 8)}


def clip(notes, bright):
    """Four notes of 0.15 s, with a few strong partials or many weak ones."""
    time = np.arange(SLOT) / RATE
    hz = 440 * 2 ** ((notes[:, None] - 69) / 12)
    partials = range(1, 9 if bright else 3)
    sound = sum(np.sin(2 * np.pi * k * hz * time) / (1 if bright else k**2) for k in partials)
    return 0.1 * (sound * np.minimum(1, time / 0.01)).ravel()


def labelled(n, seed):
    """The arrays of a split: half its clips dull, half bright, all melodies different."""
    rng = np.random.default_rng(seed)
    notes = rng.choice(NOTES, size=(n, 4))
    instrument = np.arange(n) % 2
    slot = np.minimum(np.arange(FRAMES) * FRONT_END.hop_length // SLOT, 3)
    return {
        "features": np.stack([FRONT_END.log_mel(clip(*pair)) for pair in zip(notes, instrument, strict=True)]),
        "instrument": instrument.astype("int64"),
        "notes": notes[:, slot].astype("int16"),
        "factors": np.searchsorted(NOTES, notes[:, [0, 3]]).astype("int16"),
        "melody": np.arange(n, dtype="int32"),
    }


def write_folder(path, change=lambda arrays: arrays):
    """A prepared folder; `change` may take labels away or spoil them."""
    writer = PreparedWriter(path)
    for seed, (split, n) in enumerate(COUNTS.items()):
        arrays = change(labelled(n, seed))
        writer.write_shard(split, 0, arrays)
    shapes = {name: {"dtype": array.dtype.str, "shape": list(array.shape[1:])} for name, array in arrays.items()}
    manifest = {"format": "tsdsae-prepared", "version": 1, "key": "k", "settings": {}, "counts": COUNTS}
    front_end = FRONT_END.to_dict()
    return writer.finish(
        manifest | {"front_end": front_end, "shard_size": 32, "arrays": shapes, "label_names": NAMES, "synth": None}
    )


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return PreparedData(write_folder(tmp_path_factory.mktemp("data") / "prepared"))


@pytest.fixture(scope="module")
def model(data, tmp_path_factory):
    """The file of a model that has learnt nothing."""
    keras.utils.set_random_seed(3)
    made = make_model("tsdsae", features=80, z_dim=3, v_dim=2, front_end=data.front_end, seed=3, **SMALL)
    made.adapt(data.features("train"))
    path = tmp_path_factory.mktemp("model") / "made.keras"
    made.save(path)
    return path


def evaluated(model, data, out, *more):
    """What the command writes: (the scores, the page)."""
    arguments = ["evaluate", str(model), "--data", str(data.folder), "--out", str(out), "--pairs", "1", *more]
    assert main([*arguments, "--backend", keras.backend.backend()]) == 0

    def refuse(word):
        raise AssertionError(f"{word} in {out}")

    return json.loads(out.read_text(), parse_constant=refuse), out.with_name("report.html").read_text()


@pytest.fixture(scope="module")
def whole(model, data, tmp_path_factory):
    return evaluated(model, data, tmp_path_factory.mktemp("scores") / "evaluation.json")


def test_the_scores_of_training_are_among_them(whole, model, data):
    result, quick = whole[0], json.loads(json.dumps(score(load_model(model), data, 0)))
    for name in ("swap_f1", "judge_f1", "n"):
        assert result[name] == quick[name]
    for name in ("reconstruction", "settings"):
        assert {key: result[name][key] for key in quick[name]} == quick[name]


def test_pairs_are_saved_and_hashed(whole, data):
    pairs = whole[0]["pairs"]
    text = f'{{"partner":{pairs["partner"]},"heard":{pairs["heard"]}}}'.replace(" ", "")
    assert pairs["sha256"] == hashlib.sha256(text.encode()).hexdigest() == whole[0]["settings"]["pairs_sha256"]
    assert pairs["sha256"] in whole[1]
    instrument = data.labels("test")["instrument"]
    assert (instrument != instrument[pairs["partner"]]).all() and len(pairs["heard"]) == 1


def test_the_page_holds_table_pictures_and_players(whole):
    result, page = whole
    assert page.count("<audio") == 6
    for word in ("melody it must take", "Pair 1:", "(dull)", "KL by dimension", "Codes v", "Griffin-Lim", "numpy"):
        assert word in page
    lines = [line.split(": ", 1)[1] for line in result["verdict"]["lines"]]
    places = [html.unescape(page).index(line) for line in lines]
    assert len(places) == 5 and places == sorted(places) and places[-1] < page.index("<table")
    for row in (row for group in make_rows(result) for row in group["rows"]):
        assert row["name"] in html.unescape(page)


def test_the_same_command_gives_the_same_scores(whole, model, data, tmp_path):
    again, _ = evaluated(model, data, tmp_path / "evaluation.json")
    assert json.dumps(again) == json.dumps(whole[0])  # to the last digit, and in their order


def test_without_labels_the_rest_goes_on(model, tmp_path, capsys):
    bare = PreparedData(write_folder(tmp_path / "bare", lambda arrays: {"features": arrays["features"]}))
    result, page = evaluated(model, bare, tmp_path / "e.json")
    assert {"swap_f1", "judge_f1", "label notes", "label instrument"} <= set(result["left_out"])
    assert result["left_out"]["swap_f1"] == "no instrument labels"
    assert result["pairs"]["partner"] == [*range(1, COUNTS["test"]), 0]
    assert result["melody"]["reference"].startswith("the track") and result["melody"]["original"] is None
    assert result["use"]["n"] == COUNTS["test"] and "no instrument labels" in page
    assert "left out: swap_f1: no instrument labels" in capsys.readouterr().out


def test_labels_of_another_form_are_left_out_with_the_reason(model, tmp_path):
    def spoilt(arrays):
        one = {"instrument": np.zeros_like(arrays["instrument"]), "notes": arrays["notes"] + 100}
        return arrays | one | {"factors": arrays["factors"][:, 0]}

    odd = PreparedData(write_folder(tmp_path / "odd", spoilt))
    context = EvaluationContext(make_subject(load_model(model), odd, 0), odd, PyinTracker(), pairs=1)
    assert context.subject.why_no_classes.startswith("one instrument only (0)")
    assert set(context.labels.left_out) == {"notes", "factors"}
    assert "MIDI" in context.labels.left_out["notes"] and "(8,)" in context.labels.left_out["factors"]


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


REFUSED = {
    "pairs": (["--pairs", "0"], "--pairs is 0"),
    "crepe": (["--crepe-weights", "x.pth"], "--pitch crepe"),
    "vggish": (["--vggish-weights", "x.pth"], "--embedding vggish"),
    "no vggish": (["--embedding", "vggish"], "--vggish-weights PATH"),
    "bad vggish": (["--embedding", "vggish", "--vggish-weights", "{folder}/bad.pth"], "bad.pth"),
    "bad crepe": (["--pitch", "crepe", "--crepe-weights", "{folder}/bad.pth"], "bad.pth"),
    "truth": (["--truth", "{folder}/none.csv"], "none.csv is not a file"),
    "out": (["--out", "{folder}/nowhere/e.json"], "nowhere"),
    "pitch": (["--pitch", "ear"], "choose from"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused_in_one_line(model, data, tmp_path, capsys, name):
    (tmp_path / "bad.pth").write_bytes(b"no weights")
    options, words = REFUSED[name]
    options = [option.format(folder=tmp_path) for option in options]
    arguments = ["evaluate", str(model), "--data", str(data.folder), "--out", str(tmp_path / "e.json"), *options]
    assert main([*arguments, "--backend", keras.backend.backend()]) == 2
    error = capsys.readouterr().err.strip()
    assert words in error and error.startswith("error: ") and "\n" not in error
    assert [path.name for path in tmp_path.iterdir()] == ["bad.pth"]


def test_an_unfinished_run_does_not_become_a_finished_one(model, data, tmp_path, capsys):
    run = RunFolder(tmp_path / "r")
    run.create({"data_folder": str(data.folder), "data_identity": data.identity})
    run.model.write_bytes(model.read_bytes())
    assert main(["evaluate", str(run.folder), "--backend", keras.backend.backend()]) == 2
    assert "unfinished run" in capsys.readouterr().err and not run.evaluation.exists()


def test_history_is_read_with_its_switch(tmp_path):
    path = tmp_path / "history.csv"
    path.write_text("epoch,stage,seconds,loss,val_loss,kl_z_gswap\n0,1,2,3.0,2.5,\n1,2,2,1.0,0.5,0.25\n")
    curves, switch = read_history(path)
    assert switch == 1 and curves["loss"] == [3.0, 1.0] and set(curves) == {"loss", "val_loss", "kl_z_gswap"}
    assert np.isnan(curves["kl_z_gswap"][0])
