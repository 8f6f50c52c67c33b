"""The counterfactual test on models whose swaps are known: perfect ones, worthless ones, and what lies between."""

import json

import numpy as np
import pytest

from tests.families.tsdsae.evaluation.tones import run_evaluate
from tsdsae_keras.data.audio.logmel import FrontEnd
from tsdsae_keras.data.audio.sound_files import write_audio
from tsdsae_keras.data.audio.synthesis import AdditiveSynth
from tsdsae_keras.data.sets import melodies as grid
from tsdsae_keras.data.sets.cards.dmelodies import MelodySettings
from tsdsae_keras.data.sets.dmelodies import prepare_melodies
from tsdsae_keras.data.sets.true_swaps import render_true_swaps
from tsdsae_keras.errors import InputError
from tsdsae_keras.families.tsdsae.evaluation.context import EvaluationContext, make_subject
from tsdsae_keras.families.tsdsae.evaluation.counterfactual import counterfactual
from tsdsae_keras.families.tsdsae.evaluation.evaluate import table
from tsdsae_keras.families.tsdsae.evaluation.rows import make_rows, text_table
from tsdsae_keras.families.tsdsae.evaluation.scores import STAGES, full_scores, score
from tsdsae_keras.families.tsdsae.evaluation.truth_files import read_truth

pytestmark = pytest.mark.no_backend

FRONT_END = FrontEnd()
FEW = ("true swaps", "timbre after swaps, reconstruction")  # stages
RESIDUE = 0.5  # nats: what every output of a `Lookup` is off by


@pytest.fixture(scope="module")
def melodies(tmp_path_factory):
    settings = MelodySettings(cache=str(tmp_path_factory.mktemp("data")), melodies=40, synth="additive")
    return prepare_melodies(settings)


@pytest.fixture(scope="module")
def bank(melodies):
    """Every test melody by either instrument: (n, 2, time, bands)."""
    rows = np.arange(melodies.counts["test"])
    return np.stack([render_true_swaps(melodies, "test", rows, np.full(len(rows), each)) for each in (0, 1)], axis=1)


class Lookup:
    """z says which melody and who plays it, v who plays; a swap goes the share `way(own, wanted)` of the way."""

    features, front_end = 80, None

    def __init__(self, bank, way):
        self.bank, self.way = bank, way

    def encode(self, x, mask=None):
        near = np.abs(self.bank[None, :, :, :, ::8] - np.asarray(x)[:, None, None, :, ::8]).mean(axis=(3, 4))
        row, player = np.divmod(near.reshape(len(x), -1).argmin(axis=1), 2)
        z = np.repeat(np.stack([row, player], axis=1)[:, None], x.shape[1], axis=1)
        return {"v_mean": np.eye(2)[player], "z_mean": z}

    def decode(self, z, v, mask=None):
        row, own, wanted = z[:, 0, 0], z[:, 0, 1], v.argmax(axis=1)
        way = np.array([self.way(*pair) for pair in zip(own.tolist(), wanted.tolist(), strict=True)])[:, None, None]
        return way * self.bank[row, wanted] + (1 - way) * self.bank[row, own] + RESIDUE

    def get_config(self):
        return {}


def test_a_perfect_swap(melodies, bank):
    scores = counterfactual(Lookup(bank, lambda own, wanted: 1.0), melodies)
    assert scores["n"] == melodies.counts["test"] == 4 and scores["source"] == "rendered"
    assert scores["swap_ratio"]["value"] == pytest.approx(1) and scores["share_of_attainable"]["value"] == 1
    assert scores["swap_to_truth"]["value"] == pytest.approx(RESIDUE**2, rel=1e-4)
    assert scores["share_of_way"]["value"] == pytest.approx(scores["share_of_way"]["best"])
    assert [(pair["from"], pair["to"], pair["n"]) for pair in scores["pairs"]] == [
        ("violin", "trumpet", 2),
        ("trumpet", "violin", 2),
    ]


def test_a_decoder_that_ignores_v(melodies, bank):
    scores = counterfactual(Lookup(bank, lambda own, wanted: 0.0), melodies)
    distance = np.square(bank[:, 0] - bank[:, 1]).mean()
    assert scores["original_to_truth"]["value"] == pytest.approx(distance, rel=1e-4)
    assert abs(scores["share_of_way"]["value"]) < 0.1  # the residue may help or harm a little
    assert scores["swap_ratio"]["value"] > 0.5 * scores["swap_ratio"]["worst"]


def test_one_direction_that_does_not_swap_is_named(melodies, bank):
    scores = counterfactual(Lookup(bank, lambda own, wanted: float(own == 0)), melodies)
    there, back = scores["pairs"]
    assert there["share_of_way"] > 0.9 and abs(back["share_of_way"]) < 0.15
    assert there["swap_ratio"] == pytest.approx(1) and back["swap_ratio"] > 10


@pytest.fixture(scope="module")
def half_way(melodies, bank):
    """The context and full scores of a model that goes half the way."""
    subject = make_subject(Lookup(bank, lambda own, wanted: 0.5), melodies, 0)
    context = EvaluationContext(subject, melodies, pairs=2)
    stages = {name: STAGES[name] for name in FEW}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tsdsae_keras.families.tsdsae.evaluation.scores.STAGES", stages)
        return context, full_scores(context)[0]


def test_half_the_way_is_three_quarters_of_the_squared_distance(half_way):
    scores = half_way[1]["counterfactual"]
    assert scores["share_of_way"]["value"] == pytest.approx(0.75, abs=0.05)
    assert scores["share_of_way"]["low"] <= scores["share_of_way"]["value"] <= scores["share_of_way"]["high"]


def test_it_comes_first_everywhere(half_way, melodies):
    context, result = half_way
    assert list(result)[:2] == ["verdict", "counterfactual"]
    groups = make_rows(result)
    assert groups[0]["group"] == "True swaps (rendered)"
    assert groups[0]["rows"][0]["name"] == "share of the way to the truth"
    headings = [line for line in text_table(groups, result).splitlines() if line in {each["group"] for each in groups}]
    assert headings[0] == "True swaps (rendered)"
    quick = score(context.subject.model, melodies, 0)
    assert list(quick)[:2] == ["verdict", "counterfactual"] and "left_out" not in quick
    quick = json.loads(json.dumps(quick, allow_nan=False))["counterfactual"]
    assert quick == {name: each for name, each in result["counterfactual"].items() if name != "vocoder"}
    verdict, scores = table(result).split("\n\n")[:2]  # the verdict is told in words
    assert verdict.startswith("Timbre: ") and scores.startswith("true swaps") and "share of the way" in scores


def test_after_the_vocoder(half_way):
    vocoder = half_way[1]["counterfactual"]["vocoder"]
    heard = vocoder["heard"]
    assert vocoder["n"] == 2 and [pair["n"] for pair in heard["pairs"]] == [1, 1]  # one a direction
    assert 0 < heard["vocoded_truth_to_truth"]["value"] < heard["original_to_truth"]["value"]
    s, o, r = (heard[name]["value"] for name in ("swap_to_truth", "original_to_truth", "reconstruction_of_truth"))
    assert heard["share_of_attainable"]["value"] == pytest.approx((o - s) / (o - r))
    assert 0.5 < heard["share_of_attainable"]["value"] < 1


def test_without_a_truth_one_line_says_how_to_give_one(data, model):
    from tsdsae_keras.base.loading import load_model

    result = score(load_model(model), data, 0)
    reason = result["left_out"]["counterfactual"]
    assert "no true swap is known" in reason and "--truth FILE.csv" in reason and "\n" not in reason
    assert table(result).split("\n\n")[1] == reason and "F1 left out" not in table(result)


@pytest.fixture(scope="module")
def files(melodies, tmp_path_factory):
    """A folder of sound files of two melodies of the test split by either instrument, and a table of both swaps."""
    folder, notes = tmp_path_factory.mktemp("files"), grid.notes_of(melodies.label("test", "melody")[:2])
    with AdditiveSynth() as synth:
        for name, program in (("violin", 40), ("trumpet", 56)):
            (folder / name).mkdir()
            for number, row in enumerate(notes):
                sound = 0.5 * synth.render(grid.timed_notes(row), program, grid.SECONDS)
                write_audio(folder / name / f"{number}.wav", sound, 16000)
    swaps = "trumpet/1.wav,violin/0.wav,trumpet/0.wav\nviolin/1.wav,trumpet/0.wav,violin/0.wav\n"
    (folder / "truth.csv").write_text(f"timbre,melody,truth\n{swaps}")
    return folder


def test_sound_files_hold_the_truth_too(files, bank, melodies):
    swaps = read_truth(files / "truth.csv", FRONT_END)
    assert swaps.pairs == [("violin", "trumpet"), ("trumpet", "violin")] and swaps.mask is None
    scores = counterfactual(Lookup(bank, lambda own, wanted: 1.0), melodies, swaps=swaps)
    assert scores["n"] == 2 and scores["source"] == "sound files"
    assert [pair["n"] for pair in scores["pairs"]] == [1, 1]
    assert scores["share_of_way"]["value"] > 0.5  # the files are half as loud as the bank, and of 16 bits


def test_files_of_unequal_length_are_padded(files, tmp_path):
    rng = np.random.default_rng(0)
    for name, seconds in (("a", 0.5), ("b", 0.7), ("c", 0.5), ("d", 0.9)):
        write_audio(tmp_path / f"{name}.wav", 0.1 * rng.normal(size=round(seconds * 16000)), 16000)
    (tmp_path / "t.csv").write_text("melody,timbre,truth\na.wav,b.wav,c.wav\nd.wav,a.wav,d.wav\n")
    swaps = read_truth(tmp_path / "t.csv", FRONT_END)
    assert swaps.mask.sum(axis=1).tolist() == [32, 57] and swaps.timbre_mask.sum(axis=1).tolist() == [44, 32]
    assert swaps.pairs == [("melody", "timbre")] * 2 and swaps.groups.tolist() == [0, 1]


REFUSED = {
    "columns": ("melody,timbre\na,b\n", "melody,timbre,truth"),
    "empty": ("", "melody,timbre,truth"),
    "no line": ("melody,timbre,truth\n", "one line or more"),
    "two cells": ("melody,timbre,truth\nviolin/0.wav,trumpet/0.wav\n", "three sound files"),
    "missing": ("melody,timbre,truth\nviolin/0.wav,trumpet/9.wav,trumpet/0.wav\n", "line 2: .*9.wav is not a file"),
    "length": ("melody,timbre,truth\nviolin/0.wav,trumpet/0.wav,short.wav\n", "short.wav has 32 frames and .* has 251"),
    "no sound": ("melody,timbre,truth\ntruth.csv,trumpet/0.wav,trumpet/0.wav\n", "not a sound file"),
    "bytes": (b"\xff\xfe\x00", "UTF-8"),
}


@pytest.mark.parametrize("fault", REFUSED)
def test_tables_are_refused_in_one_line(files, fault):
    content, words = REFUSED[fault]
    write_audio(files / "short.wav", 0.1 * np.random.default_rng(0).normal(size=8000), 16000)
    path = files / "refused.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(InputError, match=words) as error:
        read_truth(path, FRONT_END)
    assert "\n" not in str(error.value)
    with pytest.raises(InputError, match="is not a file"):
        read_truth(files / "nowhere.csv", FRONT_END)


def test_the_command_takes_a_table(files, data, model, tmp_path, monkeypatch, capsys):
    stages = {name: STAGES[name] for name in FEW}
    monkeypatch.setattr("tsdsae_keras.families.tsdsae.evaluation.scores.STAGES", stages)
    result, page = run_evaluate(model, data, tmp_path / "e.json", "--truth", str(files / "truth.csv"))
    assert list(result)[:2] == ["verdict", "counterfactual"] and result["counterfactual"]["source"] == "sound files"
    assert page.index("True swaps (sound files)") < page.index("Timbre, by the own encoder")
    assert "True swaps (sound files)" in capsys.readouterr().out
