"""Sequences of unequal length, from the folder to the scores, on the backend in use."""

import contextlib
import io
import json
import shutil

import keras
import numpy as np
import pytest
import soundfile

from tests import unequal
from tsdsae_keras.cli import main
from tsdsae_keras.data.prepared.buckets import draw_batches, pad_lengths
from tsdsae_keras.data.prepared.pipeline import SequenceStream
from tsdsae_keras.data.prepared.sequences import Sequences
from tsdsae_keras.data.prepared.store import PreparedData
from tsdsae_keras.errors import InputError
from tsdsae_keras.settings import Settings
from tsdsae_keras.training.fitting import build_model

BACKEND = keras.backend.backend()
RUN = ["--epochs", "2", "--stage-two-at", "1", "--batch-size", "4", "--z-dim", "3", "--watch-every", "1"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Its padding is NaN: whoever reads it shows it."""
    return unequal.write_unequal(tmp_path_factory.mktemp("unequal") / "data", padding=np.nan, warning="Copied twice.")


@pytest.fixture(scope="module")
def data(folder):
    return PreparedData(folder)


@pytest.mark.no_backend
def test_what_was_written_is_read(data):
    written = [x for seed, n in enumerate(unequal.COUNTS.values()) for x, _ in unequal.recordings(n, seed)]
    found = [(split, row) for split, n in unequal.COUNTS.items() for row in range(n)]
    for (split, row), x in zip(found, written, strict=True):
        sequences, mask = data.sequences(split), data.mask(split)
        assert data.lengths(split)[row] == mask[row].sum() == len(x)
        np.testing.assert_array_equal(sequences[row][mask[row]], x)
        np.testing.assert_array_equal(data.features(split)[row][mask[row]], x)
        assert (sequences[row][~mask[row]] == np.float32(unequal.HARMLESS)).all()


@pytest.mark.no_backend
def test_sequences_are_indexed_as_an_array(data):
    whole, sequences = data.features("train"), data.sequences("train")
    assert sequences.shape == whole.shape and len(sequences) == 14 and sequences.ndim == 3
    for index in (3, -1, slice(2, 9), slice(None, None, 3), [5, 0, 5], whole[:, 0, 0] > whole[0, 0, 0]):
        np.testing.assert_array_equal(sequences[index], whole[index])
    short = data.sequences("train", frames=50)
    np.testing.assert_array_equal(short[:], whole[:, :50])
    assert short.mask.sum(axis=1).tolist() == np.minimum(data.lengths("train"), 50).tolist()
    chunks = list(sequences.chunks())
    assert np.concatenate([chunk["x"][chunk["mask"]] for chunk in chunks]).shape == (data.lengths("train").sum(), 128)


WRONG = {
    "too long": ({"shard_frames": {"train": [64, 128, 9999], "validation": [128], "test": [128, 128]}}, "right form"),
    "too few": ({"shard_frames": {"train": [64], "validation": [128], "test": [128, 128]}}, "right form"),
    "a split": ({"shard_frames": {"train": [64, 128, 128]}}, "right form"),
    "no list": ({"shard_frames": 3}, "right form"),
    "signs": ({"warning": "\x1b[2J"}, "right form"),
    "other": ({"shard_frames": {"train": [64] * 3, "validation": [64], "test": [64] * 2}}, "instead of"),
    "group": ({"arrays": {"group": {"dtype": "<f4", "shape": []}}}, "right form"),
}


@pytest.mark.no_backend
@pytest.mark.parametrize("name", WRONG)
def test_a_manifest_that_does_not_fit_is_refused(folder, tmp_path, name):
    change, words = WRONG[name]
    copy = shutil.copytree(folder, tmp_path / "copy")
    manifest = json.loads((copy / "manifest.json").read_text())
    manifest |= {key: manifest[key] | value if key == "arrays" else value for key, value in change.items()}
    (copy / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(InputError, match=words):
        PreparedData(copy)


@pytest.mark.no_backend
def test_a_length_beyond_its_shard_and_a_group_in_two_splits_are_refused(tmp_path, monkeypatch):
    arrays_of = unequal.arrays_of
    changes = {
        "length": (lambda rows, frames: {"length": np.full(len(rows), frames + 1, "<i4")}, "it must be from 1 to"),
        "none": (lambda rows, frames: {"length": np.zeros(len(rows), "<i4")}, "has length 0"),
        "group": (lambda rows, frames: {"group": np.zeros(len(rows), "<i4")}, "group 0 is in test and in train"),
    }
    for name, (change, words) in changes.items():
        monkeypatch.setattr(unequal, "arrays_of", lambda *given, c=change: arrays_of(*given) | c(given[3], given[1]))
        folder = unequal.write_unequal(tmp_path / name)
        with pytest.raises(InputError, match=words) as caught:
            PreparedData(folder)
        assert str(folder) in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.no_backend
def test_buckets_are_few_and_pad_little():
    lengths = np.array([1, 64, 65, 200, 201, 640])
    assert pad_lengths(lengths).tolist() == [64, 64, 128, 256, 256, 640]
    assert pad_lengths(lengths, 1).tolist() == [640] * 6
    assert pad_lengths(lengths, 2).tolist() == [256] * 5 + [640]
    assert pad_lengths(np.array([100] * 99 + [5000])).tolist() == [128] * 99 + [5056]
    for draw in (np.random.default_rng(0).integers(1, 10**5, 5000), np.random.default_rng(1).lognormal(8, 0.8, 5000)):
        lengths = draw.astype(int) + 1
        padded = pad_lengths(lengths)
        assert (padded >= lengths).all() and padded.max() - lengths.max() < 64
        assert len(np.unique(padded)) == 8 and (padded % 64 == 0).all()
        assert padded.sum() < 1.4 * lengths.sum()


@pytest.mark.no_backend
def test_batches_hold_every_sequence_once_but_for_what_fills_none():
    padded = pad_lengths(np.random.default_rng(1).integers(1, 700, 53))
    assert np.sort(np.concatenate(draw_batches(padded, 8))).tolist() == list(range(53))
    left_out = []
    for epoch in range(30):
        batches = draw_batches(padded, 8, np.random.default_rng(epoch))
        assert [len(rows) for rows in batches] == [8] * 6 and len(np.unique(np.concatenate(batches))) == 48
        left_out.append(np.setdiff1d(np.arange(53), np.concatenate(batches)))
    assert len(np.unique(left_out)) > 45  # long or short, each its turn


@pytest.mark.no_backend
def test_a_stream_of_unequal_sequences(data):
    stream = SequenceStream(data.sequences("train"), 4, seed=3, training=True)
    assert (stream.batches, stream.left_out, stream.frames) == (3, 2, [64, 128])
    lengths, order = data.lengths("train"), {}
    for epoch in (0, 1, 0):
        stream.set_epoch(epoch)
        rows = stream.order().reshape(3, 4)
        for places, batch in zip(rows, stream.dataset.as_numpy_iterator(), strict=True):
            assert batch["mask"].sum(axis=1).tolist() == lengths[places].tolist()
            assert batch["x"].shape[1] in stream.frames and not np.isnan(batch["x"]).any()
            np.testing.assert_array_equal(
                batch["x"][0][batch["mask"][0]], data.sequences("train").read(places)[0][: lengths[places[0]]]
            )
        assert order.setdefault(epoch, rows.tolist()) == rows.tolist()
    assert order[0] != order[1]
    validation = SequenceStream(data.sequences("validation"), 4)
    found = [batch["mask"].sum() for batch in validation.dataset.as_numpy_iterator()]
    assert sum(found) == data.lengths("validation").sum() and len(found) == validation.batches == 2


@pytest.mark.no_backend
def test_what_is_not_held_in_memory_is_the_same(data):
    x = np.random.default_rng(0).normal(size=(10, 3, 2)).astype("float32")
    held, read = (SequenceStream(x, 4, training=True, in_memory=most) for most in (10**6, 0))
    for epoch in (0, 1):
        for stream in (held, read):
            stream.set_epoch(epoch)
        for one, other in zip(held.dataset.as_numpy_iterator(), read.dataset.as_numpy_iterator(), strict=True):
            np.testing.assert_array_equal(one, other)


REFUSED = {
    "no lengths": (lambda: Sequences([np.zeros((2, 3, 4)), np.zeros((2, 5, 4))]), "3 to 5 frames"),
    "bands": (lambda: Sequences([np.zeros((2, 3, 4)), np.zeros((2, 3, 5))]), "same F"),
    "few": (lambda: Sequences([np.zeros((2, 3, 4))], [3]), r"of shape \(1,\)"),
    "no number": (lambda: Sequences([np.zeros((1, 3, 4))], [3.0]), "float64"),
    "mask": (lambda: SequenceStream(np.zeros((1, 3, 4)), 1, lengths=[2], mask=np.ones((1, 3))), "leave out the mask"),
}


@pytest.mark.no_backend
@pytest.mark.parametrize("name", REFUSED)
def test_refusals(name):
    call, words = REFUSED[name]
    with pytest.raises(InputError, match=words):
        call()


def test_statistics_are_those_of_all_valid_frames(data):
    model = build_model(Settings(z_dim=2), data)
    frames = data.features("train")[data.mask("train")].astype("float64")
    mean, deviation, count = (np.array(weight) for weight in model.standardization.get_weights())
    np.testing.assert_allclose(mean, frames.mean(0), rtol=1e-5)
    np.testing.assert_allclose(deviation, frames.std(0), rtol=1e-4)
    assert count == len(frames)


@pytest.fixture(scope="module")
def run(folder, tmp_path_factory):
    """(run folder, what was said) of a run on the folder."""
    out = tmp_path_factory.mktemp("run") / "r"
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        assert main(["train", "--data", str(folder), "--out", str(out), *RUN, "--backend", BACKEND]) == 0
    return out, said.getvalue()


def test_training_takes_them_and_says_how(run):
    out, said = run
    assert "warning: Copied twice." in said
    assert "2 that fill no batch are left out of each epoch" in said and "padded to 64, 128 frames" in said
    scores = json.loads((out / "evaluation.json").read_text())
    assert scores["n"] == 6 and scores["reconstruction"]["mse"] < 1000 and "swap_f1" in scores
    history = (out / "history.csv").read_text().splitlines()
    assert len(history) == 3 and "watch_swap_f1" in history[0] and "nan" not in history[2]


def test_every_score_takes_them(run, folder, tmp_path, capsys):
    out = tmp_path / "e.json"
    arguments = ["evaluate", str(run[0]), "--data", str(folder), "--pairs", "2", "--out", str(out)]
    assert main([*arguments, "--backend", BACKEND]) == 0
    scores, quick = json.loads(out.read_text()), json.loads((run[0] / "evaluation.json").read_text())
    assert scores["swap_f1"] == quick["swap_f1"] and scores["melody"]["pairs"] == 2
    assert scores["reconstruction"]["mse"] == pytest.approx(quick["reconstruction"]["mse"])
    assert "one recording" in scores["settings"]["intervals"] and "instrument_from_v" in scores["leakage"]
    assert "factor_1" in scores["left_out"]["leakage of labels"] and "label melody" not in scores["left_out"]
    assert "Copied twice." in capsys.readouterr().out


def test_sound_of_another_rate_goes_through(run, tmp_path):
    for name, given in {"a": (0.8, 262.0, True), "b": (0.5, 330.0, False)}.items():
        soundfile.write(tmp_path / f"{name}.wav", unequal.tone(*given, 44100), 44100)
    arguments = ["--melody", str(tmp_path / "a.wav"), "--timbre", str(tmp_path / "b.wav")]
    out = tmp_path / "c.wav"
    assert main(["swap", str(run[0]), *arguments, "--out", str(out), "--backend", BACKEND]) == 0
    samples, rate = soundfile.read(out)
    assert rate == 24000 and len(samples) == 19200 and np.abs(samples).max() > 0


FEW = {"no labels": (unequal.COUNTS, False), "one": ({"train": 4, "validation": 1, "test": 1}, True)}


@pytest.mark.no_backend
@pytest.mark.parametrize("name", FEW)
def test_what_cannot_be_scored_is_left_out_with_its_reason(run, tmp_path, name):
    counts, labels = FEW[name]
    folder, out = unequal.write_unequal(tmp_path / "d", counts=counts, labels=labels), tmp_path / "e.json"
    arguments = ["evaluate", str(run[0]), "--data", str(folder), "--pairs", "1", "--out", str(out)]
    assert main([*arguments, "--backend", BACKEND]) == 0
    scores = json.loads(out.read_text())
    assert {"swap_f1", "judge_f1", "frechet"} <= scores["left_out"].keys() and scores["n"] == counts["test"]
    assert all(isinstance(reason, str) and reason for reason in scores["left_out"].values())
    assert scores["reconstruction"]["mse"] > 0 and ("melody" in scores) == (counts["test"] > 1)
