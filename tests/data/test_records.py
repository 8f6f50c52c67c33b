"""TFRecord shards hold what .npy shards hold, TensorFlow reads them, and a URL reads as a folder does.

TensorFlow's file system in memory, ram://, stands for object storage: it is reached as gs:// is, and not by open().
"""

import argparse
import hashlib
import json
import os
import subprocess
import sys

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from tests.fuzzing import answer, changed, damaged, fuzz, little_memory
from tsdsae_keras.cli import main
from tsdsae_keras.commands.prepare import prepare_recordings_of
from tsdsae_keras.commands.prepare_options import add_source_options
from tsdsae_keras.data.pipeline import SequenceStream
from tsdsae_keras.data.store import PreparedData
from tsdsae_keras.data.writing import PreparedWriter
from tsdsae_keras.errors import InputError

import tensorflow as tf  # isort: skip - behind Keras, which the pipeline imports

FRONT_END = ["--sample-rate", "8000", "--mels", "20", "--n-fft", "512", "--hop-length", "128"]
EQUAL, UNEQUAL = "0.5", "0"
SHARD = "train-00000.tfrecord"


def prepare(sounds, out, segment, *more):
    line = ["prepare", "folder", str(sounds), "--out", str(out), "--segment", segment, "--labels", "folder", *FRONT_END]
    return main([*line, "--workers", "1", *more])


@pytest.fixture(scope="module")
def sounds(tmp_path_factory):
    root = tmp_path_factory.mktemp("sounds")
    for number in range(12):
        folder = root / ("horn", "oboe")[number % 2]
        folder.mkdir(exist_ok=True)
        samples = np.random.default_rng(number).normal(0, 0.1, 8000 + 1500 * number)
        soundfile.write(folder / f"{number}.wav", samples, 8000)
    return root


@pytest.fixture(scope="module")
def folders(sounds, tmp_path_factory):
    """{(segment, storage): prepared folder}; shards are small, so that there are several."""
    root, made = tmp_path_factory.mktemp("made"), {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tsdsae_keras.data.layout.SHARD_BYTES", 1 << 16)
        for segment in (EQUAL, UNEQUAL):
            for storage in ("npy", "tfrecord"):
                made[segment, storage] = root / f"{storage}-{segment}"
                assert prepare(sounds, made[segment, storage], segment, "--format", storage) == 0
    return made


def uploaded(folder):
    """The URL of a copy in TensorFlow's memory."""
    url = f"ram://bucket/{folder.parent.name}/{folder.name}"
    if tf.io.gfile.exists(f"{url}/manifest.json"):  # written once more, files in ram:// grow
        return url
    tf.io.gfile.makedirs(url)
    for path in folder.iterdir():
        with tf.io.gfile.GFile(f"{url}/{path.name}", "wb") as file:
            file.write(path.read_bytes())
    return url


def equal_bytes(one, other):
    assert one.dtype == other.dtype and one.shape == other.shape and one.tobytes() == other.tobytes()


def batches(data):
    """All batches of an epoch, from memory and from files."""
    for in_memory in (1 << 30, 0):
        stream = SequenceStream(data.sequences("train"), 3, seed=5, training=True, in_memory=in_memory)
        stream.set_epoch(2)
        yield from (leaf for batch in stream.dataset for leaf in tf.nest.flatten(batch))


@pytest.mark.parametrize("segment", [EQUAL, UNEQUAL])
@pytest.mark.parametrize("place", ["tfrecord", "npy by URL", "tfrecord by URL"])
def test_all_that_is_read_is_that_of_the_npy_form(folders, segment, place):
    storage, _, url = place.partition(" ")
    plain, folder = PreparedData(folders[segment, "npy"]), folders[segment, storage]
    data = PreparedData(uploaded(folder) if url else folder)
    assert len(plain.shards("train")) > 1 and plain.manifest["arrays"] == data.manifest["arrays"]
    for split in plain.counts:
        for name in plain.manifest["arrays"]:
            for one, other in zip(plain.shards(split, name), data.shards(split, name), strict=True):
                equal_bytes(one, other)
            equal_bytes(plain.label(split, name), data.label(split, name)) if name != "features" else None
        equal_bytes(plain.features(split), data.features(split))
        assert segment == EQUAL or (plain.mask(split) == data.mask(split)).all()
    for one, other in zip(batches(plain), batches(data), strict=True):
        equal_bytes(one.numpy(), other.numpy())


@pytest.mark.parametrize("segment", [EQUAL, UNEQUAL])
def test_tensorflow_reads_the_records_and_their_checksums(folders, segment):
    data = PreparedData(folders[segment, "tfrecord"])
    names = data.manifest["arrays"]
    for split in data.counts:
        files = sorted(str(path) for path in data.folder.glob(f"{split}-*"))
        raw = [tf.train.Example.FromString(each.numpy()) for each in tf.data.TFRecordDataset(files)]
        assert len(raw) == data.counts[split]
        for name in names:
            values = [row.tobytes() for shard in data.shards(split, name) for row in shard]
            assert [each.features.feature[name].bytes_list.value[0] for each in raw] == values
            assert all(each.features.feature.keys() == names.keys() for each in raw)


def test_the_manifest_states_storage_and_every_file(folders):
    for segment in (EQUAL, UNEQUAL):
        folder = folders[segment, "tfrecord"]
        manifest = json.loads((folder / "manifest.json").read_bytes())
        assert manifest["storage"] == "tfrecord" and not list(folder.glob("*.npy"))
        assert manifest["files"].keys() | {"manifest.json"} == {path.name for path in folder.iterdir()}
        assert "storage" not in PreparedData(folders[segment, "npy"]).manifest


def test_the_same_command_finds_it_another_format_is_refused(folders, sounds, capsys, monkeypatch):
    monkeypatch.setattr("tsdsae_keras.data.layout.SHARD_BYTES", 1 << 16)
    out = folders[EQUAL, "tfrecord"]
    assert prepare(sounds, out, EQUAL, "--format", "tfrecord") == 0
    assert "found prepared" in capsys.readouterr().out
    assert prepare(sounds, out, EQUAL) != 0
    assert "another storage" in capsys.readouterr().err
    assert prepare(sounds, folders[EQUAL, "npy"], EQUAL, "--format", "tfrecord") != 0


def test_a_broken_run_goes_on_to_the_same_bytes(folders, sounds, tmp_path, monkeypatch):
    monkeypatch.setattr("tsdsae_keras.data.layout.SHARD_BYTES", 1 << 16)
    write, written = PreparedWriter.write_shard, []

    def breaks(self, split, number, arrays):
        written.append((split, number))
        if len(written) == 2:
            raise KeyboardInterrupt
        write(self, split, number, arrays)

    monkeypatch.setattr(PreparedWriter, "write_shard", breaks)
    with pytest.raises(KeyboardInterrupt):
        prepare_recordings_of("folder", sounds, tmp_path / "out", workers=1, say=str, **options())
    assert (tmp_path / "out.partial" / SHARD).is_file()
    assert prepare(sounds, tmp_path / "out", EQUAL, "--format", "tfrecord") == 0
    assert written.count(("train", 0)) == 1
    whole = folders[EQUAL, "tfrecord"]
    assert {path.name: path.read_bytes() for path in whole.iterdir()} == {
        path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()
    }


def options():
    """What the command line above gives, by name."""

    parser = argparse.ArgumentParser()
    add_source_options(parser, "folder")
    line = ["x", "--out", "x", "--segment", EQUAL, "--labels", "folder", *FRONT_END, "--format", "tfrecord"]
    given = vars(parser.parse_args(line))
    return {name: value for name, value in given.items() if name not in ("folder", "out", "workers")}


def test_reading_from_a_disk_takes_no_tensorflow(folders):
    code = (
        "import sys; from tsdsae_keras.data.store import PreparedData; d = PreparedData(sys.argv[1]);"
        "d.features('train'); d.labels('train'); print([n for n in ('tensorflow', 'keras') if n in sys.modules])"
    )
    command = [sys.executable, "-c", code, str(folders[UNEQUAL, "tfrecord"])]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip() == "[]"


# Folders from strangers

SMALL = {"dtype": "<f4", "shape": [4, 3]}
MANIFEST = {
    **{"format": "tsdsae-prepared", "version": 1, "key": "abc", "settings": {}, "front_end": {"n_mels": 3}},
    **{"counts": {"train": 2}, "shard_size": 2, "label_names": {}},
    "arrays": {"features": SMALL, "singer": {"dtype": "<i8", "shape": []}},
}


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    writer = PreparedWriter(tmp_path_factory.mktemp("hostile") / "data", "tfrecord")
    x = np.arange(24, dtype=np.float32).reshape(2, 4, 3)
    writer.write_shard("train", 0, {"features": x, "singer": np.array([7, 8])})
    return writer.finish(MANIFEST)


@pytest.fixture
def whole(hostile):
    kept = {name: (hostile / name).read_bytes() for name in ("manifest.json", SHARD)}
    yield hostile
    for name, content in kept.items():
        (hostile / name).write_bytes(content)


def read(folder, verify=True):
    data = PreparedData(folder, verify=verify)
    for split in data.counts:
        data.features(split), data.labels(split), data.shards(split)
    return data


def with_shard(folder, content):
    """Puts a shard in the folder, vouched for by the manifest."""
    (folder / SHARD).write_bytes(content)
    manifest = json.loads((folder / "manifest.json").read_bytes())
    manifest["files"][SHARD] = {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return folder


def test_any_byte_that_is_no_value_is_seen(whole):
    """With a SHA-256 that fits, another byte is read only as a value, or as the checksum of the data, which is not."""
    good, values = (whole / SHARD).read_bytes(), 0
    for place in range(len(good)):
        content = bytearray(good)
        content[place] ^= 1
        refused = answer(lambda content=content: read(with_shard(whole, bytes(content))))
        assert refused is None or "is damaged or not of these data" in refused
        values += refused is None
    assert values == 2 * (4 * 4 * 3 + 8 + 4)


def test_damage_of_any_kind_is_refused_or_read(whole):
    good = (whole / SHARD).read_bytes()

    @fuzz()
    @given(st.one_of(damaged(good), st.binary(max_size=300)))
    def check(content):
        answer(lambda: read(with_shard(whole, content)))

    check()
    (whole / SHARD).write_bytes(good[:-1] + bytes([good[-1] ^ 1]))
    manifest = json.loads((whole / "manifest.json").read_bytes())
    manifest["files"][SHARD] = {"bytes": len(good), "sha256": hashlib.sha256(good).hexdigest()}
    (whole / "manifest.json").write_text(json.dumps(manifest))
    assert "another SHA-256" in answer(lambda: read(whole))


def test_any_change_of_the_manifest(whole):
    good = json.loads((whole / "manifest.json").read_bytes())

    @fuzz()
    @given(changed(good))
    def check(manifest):
        (whole / "manifest.json").write_text(json.dumps(manifest))
        answer(lambda: read(whole))

    check()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"storage": "zip"}, "right form"),
        ({"storage": ["tfrecord"]}, "right form"),
        ({"storage": "npy"}, "does not list"),
        ({"arrays": {"features": {"dtype": "<f4", "shape": [1 << 40, 1 << 40]}}}, "a record at most"),
        ({"arrays": {"features": {"dtype": "<f4", "shape": [1 << 26, 4]}}}, "instead of"),
        ({"arrays": {"features": {"dtype": "<f4", "shape": [4, 3]}, "a": {"dtype": "<f3", "shape": []}}}, "no type"),
        (
            {"arrays": {"features": {"dtype": "<f4", "shape": [4, 3]}, "finger": {"dtype": "<i8", "shape": []}}},
            "damaged",
        ),
    ],
)
def test_what_a_manifest_may_not_say(whole, change, words):
    manifest = json.loads((whole / "manifest.json").read_bytes()) | change
    (whole / "manifest.json").write_text(json.dumps(manifest))
    with little_memory(1 << 26):
        assert words in answer(lambda: read(whole), seconds=5)


def test_a_file_of_5_gib_that_says_it_is_one_record(whole):
    path = whole / SHARD
    with path.open("wb") as file:
        file.write((5 << 30).to_bytes(8, "little"))
    os.truncate(path, 5 << 30)
    manifest = json.loads((whole / "manifest.json").read_bytes())
    manifest["files"][SHARD]["bytes"] = 5 << 30
    (whole / "manifest.json").write_text(json.dumps(manifest))
    with little_memory(1 << 26):
        assert "instead of" in answer(lambda: read(whole, verify=False))


def test_what_is_wrong_at_a_url_is_told_in_a_line(whole):
    url = uploaded(whole)
    assert read(url).counts == {"train": 2}
    tf.io.gfile.remove(f"{url}/{SHARD}")
    for place, words in ((url, "is missing"), ("ram://nowhere", "is no folder"), ("foo://bucket/x", "foo://bucket/x")):
        with pytest.raises(InputError, match=words) as caught:
            read(place)
        assert str(caught.value).isprintable()
