"""A folder of sound files to a prepared folder: what is in it, laws of cutting and level, and where work is done."""

import csv
import dataclasses
import hashlib
import json
import logging
import subprocess
import sys

import numpy as np
import pytest
import soundfile
from joblib import parallel_config

from tsdsae_keras.cli import main
from tsdsae_keras.data.audio.logmel import FrontEnd
from tsdsae_keras.data.prepared.jobs import jobs_on
from tsdsae_keras.data.prepared.store import PreparedData
from tsdsae_keras.data.sets.recordings import segments
from tsdsae_keras.data.sets.recordings.folder import list_folder
from tsdsae_keras.data.sets.recordings.prepare import prepare_recordings
from tsdsae_keras.data.sets.recordings.segments import SoundSettings
from tsdsae_keras.data.sets.recordings.sound_file import SoundFile, read_blocks
from tsdsae_keras.errors import InputError

pytestmark = pytest.mark.no_backend

RATE = 8000
SMALL = SoundSettings(segment=0.5, front_end=FrontEnd(RATE, 512, 128, 20, 0.0, 4000.0))
KINDS = (("wav", {}), ("flac", {}), ("ogg", {}), ("mp3", {}), ("opus", {"format": "OGG", "subtype": "OPUS"}))


def noise(seed, seconds, rate=RATE, channels=1):
    drawn = np.random.default_rng(seed).normal(0, 0.05, (round(seconds * rate), channels))
    return drawn.cumsum(axis=0) * 0.02 + drawn


@pytest.fixture(scope="module")
def sounds(tmp_path_factory):
    """Ten files of five formats, two folders, several rates, mono and stereo."""
    root = tmp_path_factory.mktemp("sounds")
    for number in range(10):
        kind, options = KINDS[number % 5]
        folder = root / ("horn", "oboe")[number % 2]
        folder.mkdir(exist_ok=True)
        rate = 48000 if kind in ("opus", "mp3") else (RATE, 22050, 44100)[number % 3]
        samples = noise(number, 1.2 + 0.1 * number, rate, 1 + number % 2)
        soundfile.write(folder / f"p{number % 4}_{number}.{kind}", samples, rate, **options)
    return root


def prepare(sounds, out, settings=SMALL, labels="folder", split_by="file", **more):
    recordings, left_out = list_folder(sounds, labels, split_by)
    return prepare_recordings(recordings, left_out, settings, out, **more)


def hashes(folder):
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.iterdir())}


def table(data, name="recordings.csv"):
    with (data.folder / name).open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def data(sounds, tmp_path_factory):
    return prepare(sounds, tmp_path_factory.mktemp("one") / "data")


def test_features_are_those_of_the_normalised_segment(sounds, data):
    rows, checked = table(data), 0
    for split in data.counts:
        labels, features = data.labels(split), data.features(split)
        for i, frames in enumerate(features):
            row = rows[labels["recording"][i]]
            assert row["split"] == split and row["label_instrument"] == row["name"].split("/")[0]
            assert data.label_names["instrument"][labels["instrument"][i]] == row["label_instrument"]
            recording = SoundFile(row["name"], sounds / row["name"])
            samples = np.concatenate(list(read_blocks(recording, RATE)))
            segment = samples[labels["start"][i] :][: RATE // 2] / np.abs(samples).max()
            np.testing.assert_allclose(frames, SMALL.front_end.log_mel(segment), atol=2e-3)
            checked += 1
    assert checked == sum(int(row["sequences"]) for row in rows) == sum(data.counts.values()) > 20


def test_the_floor_lies_below_the_peak_of_the_recording_not_of_the_segment(sounds, data, tmp_path):
    front_end = dataclasses.replace(SMALL.front_end, floor_db=30.0)
    floored = prepare(sounds, tmp_path / "data", dataclasses.replace(SMALL, front_end=front_end))
    assert floored.front_end["floor_db"] == 30.0 and floored.identity != data.identity
    of, power = floored.label("train", "recording"), np.exp(data.features("train"))
    peak = np.array([power[of == each].max() for each in of])[:, None, None]
    np.testing.assert_allclose(floored.features("train"), np.log(power + 1e-3 * peak), atol=2e-5)
    assert len(np.unique(of)) < len(of) and np.ptp(power.max((1, 2)) / peak.ravel()) > 0.1


def test_groups_stay_together_and_regular_expressions_make_them(sounds, tmp_path):
    data = prepare(sounds, tmp_path / "data", labels=None, split_by=r"/(p\d)_")
    splits = {}
    for row in table(data):
        assert row["group"] in row["name"]
        splits.setdefault(row["group"], set()).add(row["split"])
    assert len(splits) == 4 and all(len(each) == 1 for each in splits.values())
    assert "instrument" not in data.labels("train")


@pytest.mark.parametrize("where", ("threads", "processes", "chunks"))
def test_the_same_input_gives_the_same_bytes(sounds, data, tmp_path, where, monkeypatch):
    if where == "processes":
        with parallel_config(backend="loky", n_jobs=2):
            again = prepare(sounds, tmp_path / "data")
    else:
        if where == "chunks":
            monkeypatch.setattr("tsdsae_keras.data.sets.recordings.inputs.CHUNK_FILES", 3)
            monkeypatch.setattr("tsdsae_keras.data.sets.recordings.inputs.CHUNKS", 1)
        again = prepare(sounds, tmp_path / "data", workers=3)
    assert hashes(again.folder) == hashes(data.folder)


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "package"), (("dask", "distributed"), ("ray", "ray")))
def test_a_cluster_of_two_gives_the_same_bytes(sounds, data, tmp_path, kind, package):
    pytest.importorskip(package)
    with jobs_on(kind, 2):
        again = prepare(sounds, tmp_path / "data")
    assert hashes(again.folder) == hashes(data.folder)


def test_it_is_found_again_and_other_input_is_refused(sounds, data, caplog):
    caplog.set_level(logging.INFO, logger="tsdsae_keras")
    before = hashes(data.folder)
    prepare(sounds, data.folder)
    assert "already prepared" in caplog.messages[-1]
    with pytest.raises(InputError, match=r"hop 0\.5 instead of 0\.25"):
        prepare(sounds, data.folder, SoundSettings(segment=0.5, hop=0.25, front_end=SMALL.front_end))
    with pytest.raises(InputError, match="other files, labels or groups"):
        prepare(sounds, data.folder, labels=None)
    assert hashes(data.folder) == before


BROKEN = """
import os, sys
from pathlib import Path
from tsdsae_keras.data.sets.recordings import prepare as sources
from tsdsae_keras.data.prepared import writing
from tests.data.sets.test_folder import SMALL, prepare
if sys.argv[3] == "reading":
    real, done = sources.measure_chunk, []
    def measure(*chunk):
        done.append(chunk)
        return os._exit(9) if len(done) > 2 else real(*chunk)
    sources.measure_chunk = measure
else:
    real = writing.PreparedWriter.write_shard
    def write(self, split, *shard):
        return os._exit(9) if split == "test" else real(self, split, *shard)
    writing.PreparedWriter.write_shard = write
prepare(Path(sys.argv[1]), Path(sys.argv[2]))
"""


@pytest.mark.parametrize("stage", ("reading", "writing"))
def test_an_interrupted_run_resumes(sounds, data, tmp_path, stage, monkeypatch):
    out = tmp_path / "data"
    done = subprocess.run([sys.executable, "-c", BROKEN, sounds, out, stage], capture_output=True, text=True)
    assert done.returncode == 9 and not out.exists(), done.stderr
    read = []
    measure = segments._measure
    monkeypatch.setattr(segments, "_measure", lambda *given: read.append(given[0].name) or measure(*given))
    assert hashes(prepare(sounds, out).folder) == hashes(data.folder)
    assert len(read) == {"reading": 8, "writing": 0}[stage]  # of ten, each large enough to be read alone


def test_a_broken_run_of_other_settings_leaves_nothing_wrong(sounds, tmp_path):
    other = SoundSettings(segment=0.5, normalise="none", front_end=SMALL.front_end)
    expected = hashes(prepare(sounds, tmp_path / "expected", other).folder)
    subprocess.run([sys.executable, "-c", BROKEN, sounds, tmp_path / "data", "writing"], capture_output=True)
    assert (tmp_path / "data.partial").is_dir()
    assert hashes(prepare(sounds, tmp_path / "data", other).folder) == expected


def test_whole_files_have_lengths_and_are_sorted_and_padded(sounds, tmp_path, monkeypatch):
    monkeypatch.setattr("tsdsae_keras.data.sets.recordings.layout.SHARD_BYTES", 4 * 20 * 256 * 3)
    recordings, left_out = list_folder(sounds)
    whole = SoundSettings(segment=0.0, front_end=SMALL.front_end)
    out = prepare_recordings(recordings, left_out, whole, tmp_path / "data").folder
    manifest = json.loads((out / "manifest.json").read_bytes())
    assert manifest["shard_size"] == 4 and sum(manifest["counts"].values()) == 10
    lengths = []
    for split, shards in manifest["shard_frames"].items():
        for number, frames in enumerate(shards):
            features = np.load(out / f"{split}-{number:05d}.features.npy")
            length = np.load(out / f"{split}-{number:05d}.length.npy")
            assert features.shape[1] == frames == -(-length.max() // 64) * 64
            padding = np.arange(frames) >= length[:, None]
            assert np.all(features[padding] == np.log(np.float32(2.2e-16))) and not padding.all(axis=1).any()
            lengths += length.tolist()
    assert len(set(lengths)) > 5 and manifest["arrays"]["features"]["shape"][0] == -(-max(lengths) // 64) * 64


@pytest.mark.parametrize("normalise", ("peak", "loudness"))
def test_a_factor_on_a_file_changes_nothing_and_a_group_keeps_its_balance(tmp_path, normalise):
    (tmp_path / "a").mkdir()
    for number in range(6):
        factor = 0.5 if number == 0 else 1.0
        samples = noise(3, 2) + noise(10 + number, 2) * 1e-3
        soundfile.write(tmp_path / "a" / f"g{number % 3}_{number}.wav", factor * samples, RATE, subtype="DOUBLE")
    settings = {"segment": 0.5, "front_end": SMALL.front_end, "normalise": normalise, "min_level": -90.0}
    alone = prepare(tmp_path / "a", tmp_path / "file", SoundSettings(**settings), labels=None)
    gains = {row["name"]: float(row["gain_db"]) for row in table(alone)}
    assert gains["g0_0.wav"] - gains["g1_1.wav"] == pytest.approx(6, abs=0.2)
    together = SoundSettings(**settings, normalise_by="group")
    data = prepare(tmp_path / "a", tmp_path / "group", together, labels=None, split_by="^g.")
    gains = {row["name"]: row["gain_db"] for row in table(data)}
    assert gains["g0_0.wav"] == gains["g0_3.wav"] != gains["g1_1.wav"]


def test_labels_of_a_table(sounds, tmp_path, caplog):
    caplog.set_level(logging.INFO, logger="tsdsae_keras")
    names = sorted(path.relative_to(sounds).as_posix() for path in sounds.rglob("*.*"))
    lines = ["file,instrument,player,mood"]
    lines += [f"{name},{name[:4]},{name.split('_')[0][-2:]},{'' if i else 'sad'}" for i, name in enumerate(names)]
    labels = tmp_path / "labels.csv"
    labels.write_text("\n".join(lines[:-1]), encoding="utf-8-sig")
    data = prepare(sounds, tmp_path / "data", labels=labels, split_by="player")
    assert data.label_names["factors"] == ["player"] and data.label_names["instrument"] == ["horn", "oboe"]
    rows, labelled = table(data), data.labels("train")
    for recording, (player,) in zip(labelled["recording"], labelled["factors"], strict=True):
        assert data.label_names["levels"]["player"][player] == rows[recording]["group"]
    assert {"name": names[-1], "seconds": "", "reason": "has no row in labels.csv"} in table(data, "skipped.csv")
    assert any("'mood' is missing for some" in line for line in caplog.messages)


@pytest.mark.parametrize(
    ("content", "error"),
    (
        ("name,instrument\n", "needs a column 'file'"),
        ("file,a\nno.wav,b\n", "names 'no.wav', which is not in the folder"),
        ("file,a\nhorn/p0_0.wav,b\nhorn/p0_0.wav,c\n", "line 3 names 'horn/p0_0.wav' a second time"),
        ("file,a\nhorn/p0_0.wav\n", "line 2 has 1 cells, its header 2"),
        ("file,a\nhorn/p0_0.wav,\xff\n", "not a CSV file in UTF-8"),
    ),
)
def test_a_table_that_cannot_be_used(sounds, tmp_path, content, error):
    (tmp_path / "a.csv").write_text(content, encoding="latin-1")
    with pytest.raises(InputError, match=error):
        list_folder(sounds, tmp_path / "a.csv")


@pytest.mark.parametrize(("split_by", "error"), (("(", "not a regular expression"), ("xyz", "matches no name")))
def test_an_expression_that_cannot_be_used(sounds, split_by, error):
    with pytest.raises(InputError, match=error):
        list_folder(sounds, None, split_by)


def test_the_command(sounds, tmp_path, capsys):
    out = str(tmp_path / "data")
    options = ["--segment", "0.5", "--sample-rate", "24000", "--mels", "128", "--n-fft", "1024", "--labels", "folder"]
    assert main(["prepare", "folder", str(sounds), "--out", out, *options]) == 0
    data = PreparedData(out)
    assert data.front_end["fmax"] == 12000 and data.n_mels == 128 and data.frames == 1 + 12000 // 256
    assert main(["prepare", "folder", str(sounds), "--out", str(sounds / "x"), *options]) == 2
    assert "give a place outside" in capsys.readouterr().err
