"""Records from strangers: what is damaged or says what cannot be is told in a line, and takes no memory."""

import os

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fuzzing import answer, damaged, fuzz, little_memory
from tests.prepared import singers, write_prepared
from tests.strangers import check_any_manifest, manifest_of, put_back, with_manifest, with_shard
from tests.uploading import uploaded
from tsdsae_keras.data.prepared.store import PreparedData
from tsdsae_keras.data.prepared.writing import PreparedWriter
from tsdsae_keras.errors import InputError

import tensorflow as tf  # isort: skip - behind Keras, which the fixtures import

SHARD = "train-00000.tfrecord"
SMALL = {"dtype": "<f4", "shape": [4, 3]}


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    folder = tmp_path_factory.mktemp("hostile") / "data"
    return write_prepared(folder, {"train": [singers(2, 7)]}, "tfrecord", front_end={"n_mels": 3})


@pytest.fixture
def whole(hostile):
    with put_back(hostile, SHARD):
        yield hostile


def read(folder, verify=True):
    data = PreparedData(folder, verify=verify)
    for split in data.counts:
        data.features(split), data.labels(split), data.shards(split)
    return data


def test_any_changed_byte_is_seen_even_where_the_manifest_vouches_for_it(whole):
    good = (whole / SHARD).read_bytes()
    for place in range(len(good)):
        content = bytearray(good)
        content[place] ^= 1
        refused = answer(lambda content=content: read(with_shard(whole, SHARD, bytes(content))))
        assert refused and "is damaged or not of these data" in refused


def test_damage_of_any_kind_is_refused_or_read(whole):
    good = (whole / SHARD).read_bytes()

    @fuzz()
    @given(st.one_of(damaged(good), st.binary(max_size=300)))
    def check(content):
        answer(lambda: read(with_shard(whole, SHARD, content)))

    check()
    with_shard(whole, SHARD, good)
    (whole / SHARD).write_bytes(good[:-1] + bytes([good[-1] ^ 1]))
    assert "does not have the SHA-256" in answer(lambda: read(whole))


def test_any_change_of_the_manifest(whole):
    check_any_manifest(whole, read)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"storage": "zip"}, "right form"),
        ({"storage": ["tfrecord"]}, "right form"),
        ({"storage": "npy"}, "does not list"),
        ({"arrays": {"features": {"dtype": "<f4", "shape": [1 << 40, 1 << 40]}}}, "instead of"),
        ({"arrays": {"features": {"dtype": "<f4", "shape": [1 << 26, 4]}}}, "instead of"),
        ({"arrays": {"features": SMALL, "a": {"dtype": "<f3", "shape": []}}}, "not a type"),
        ({"arrays": {"features": SMALL, "finger": {"dtype": "<i8", "shape": []}}}, "damaged"),
    ],
)
def test_what_a_manifest_may_not_say(whole, change, words):
    manifest = manifest_of(whole) | change
    with_manifest(whole, manifest)
    with little_memory(1 << 26):
        assert words in answer(lambda: read(whole), seconds=5)


def test_a_file_of_5_gib_that_says_it_is_one_record(whole):
    path = whole / SHARD
    with path.open("wb") as file:
        file.write((5 << 30).to_bytes(8, "little"))
    os.truncate(path, 5 << 30)
    manifest = manifest_of(whole)
    manifest["files"][SHARD]["bytes"] = 5 << 30
    with_manifest(whole, manifest)
    with little_memory(1 << 26):
        assert "instead of" in answer(lambda: read(whole, verify=False))


def test_what_is_wrong_at_a_url_is_told_in_a_line(whole):
    url = uploaded(whole)
    assert read(url).counts == {"train": 2}
    tf.io.gfile.remove(f"{url}/{SHARD}")
    wrong = {url: "is missing", "ram://nowhere": "is not a folder", "foo://bucket/x": "foo://bucket/x"}
    for place, words in wrong.items():
        with pytest.raises(InputError, match=words) as caught:
            read(place)
        assert str(caught.value).isprintable()


def test_checked_once_rows_are_read_again_from_the_disk(whole):
    """A shard that another process replaced since it was opened is refused where a row does not fit."""
    data = read(whole)
    good = (whole / SHARD).read_bytes()
    half = len(good) // 2
    (whole / SHARD).write_bytes(good[:half] + bytes(half))
    with pytest.raises(InputError, match=r"record 1 of .* is damaged"):
        data.features("train")


def test_a_sequence_too_large_for_a_record_is_refused_before_it_is_written(tmp_path):
    writer = PreparedWriter(tmp_path / "large", "tfrecord")
    with pytest.raises(InputError, match="use the npy format"):
        writer.write_shard("train", 0, {"features": np.broadcast_to(np.zeros(1, "float32"), (1, 1 << 20, 1 << 10))})
