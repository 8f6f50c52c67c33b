"""Prepared folders from strangers: each is read or refused in one line, quickly and in little memory."""

import os
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fuzzing import answer, damaged, fuzz, little_memory
from tests.prepared import singers, write_prepared
from tests.strangers import check_any_manifest, manifest_of, put_back, with_manifest, with_shard
from tsdsae_keras.data.prepared.store import PreparedData
from tsdsae_keras.errors import InputError

pytestmark = pytest.mark.no_backend

ARRAYS = {"features": {"dtype": "<f4", "shape": [4, 3]}, "singer": {"dtype": "<i8", "shape": []}}
SHARD = "train-00000.features.npy"
HOSTILE = (
    *("'|O'", "'<f4'", "'<f8'", "('<f4', (4, 3))", "[('a', '<f4')]", "'V999999999999'", "'S2147483647'", "[[[]]]", "1"),
    *("(2, 4, 3)", "(24,)", "(-1, 4, 3)", "(10**18,)", "(9223372036854775807, 9)", "(1e3,)", "()", "(True,)", "None"),
    *("99999999999999999999999999", "False", "True", "(" * 900, "{'a': 1}", "'a", "__import__('os')", "0x", "\n", "2L"),
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Damaged by every test here, each in a part that it writes anew."""
    shards = {"train": [singers(2, 0), singers(1, 1)], "test": [singers(1, 0)]}
    about = {"settings": {"a": [1]}, "front_end": {"n_mels": 3}}
    names = {"singer": ["ann", "bob"], "more": {"0": "x"}}
    return write_prepared(tmp_path_factory.mktemp("prepared") / "folder", shards, label_names=names, **about)


def read(folder, verify=True):
    """Opens a folder and reads all of it."""
    data = PreparedData(folder, verify=verify)
    for split in data.counts:
        data.features(split), data.labels(split)
    return data.frames, data.n_mels, data.label_names, data.front_end


@pytest.fixture
def whole(folder):
    """The folder, and its manifest and a shard put back when the test is over."""
    with put_back(folder, SHARD):
        yield folder


def header(text, version=(1, 0), length=None):
    """The start of an .npy file."""
    length = len(text) if length is None else length
    return b"\x93NUMPY" + bytes(version) + struct.pack("<H" if version == (1, 0) else "<I", length) + text.encode()


def test_any_change_of_a_manifest(whole):
    check_any_manifest(whole, read)


def test_any_damage_to_a_manifest(whole):
    good = (whole / "manifest.json").read_bytes()

    @fuzz()
    @given(st.one_of(damaged(good), st.binary(max_size=300)))
    def check(content):
        (whole / "manifest.json").write_bytes(content)
        answer(lambda: read(whole))

    check()


def test_any_damage_to_a_shard_that_its_manifest_vouches_for(whole):
    good = (whole / SHARD).read_bytes()

    @fuzz()
    @given(st.one_of(damaged(good), damaged(good[:128]).map(lambda start: start + good[128:]), st.binary(max_size=300)))
    def check(content):
        answer(lambda: read(with_shard(whole, SHARD, content)))

    check()


def test_any_header_of_a_shard(whole):
    parts = st.sampled_from(HOSTILE)

    @fuzz()
    @given(parts, parts, parts, st.sampled_from(((1, 0), (2, 0), (3, 0), (9, 9))))
    def check(kind, order, shape, version):
        text = f"{{'descr': {kind}, 'fortran_order': {order}, 'shape': {shape}, }}\n"
        answer(lambda: read(with_shard(whole, SHARD, header(text, version) + b"\0" * 96)))

    check()


FIELDS = {
    "does not list": [
        {"counts": {"train": 1 << 53, "test": 1}, "shard_size": 1},
        {"counts": {"train": 1 << 53}},
        {"counts": {str(i): 1 for i in range(1000)}},
    ],
    "right form": [
        {"counts": {"train": 10**18}},
        {"counts": {"train": True}},
        {"counts": {"../../x": 1}},
        {"counts": {"a\x1b[2J": 1}},
        {"arrays": ARRAYS | {"/etc/passwd": ARRAYS["singer"]}},
        {"arrays": ARRAYS | {"more": {"dtype": "|O", "shape": []}}},
        {"arrays": {"features": {"dtype": "<f4", "shape": [10**30, 3]}}},
        {"arrays": {"features": {"dtype": {"a": "\n"}, "shape": [4, 3]}}},
        {"label_names": {"singer": [[[["deep"]]]]}},
        {"front_end": {"n_mels": {"a": 1}}},
        {"files": {SHARD: {"bytes": -1, "sha256": ""}}},
        {"files": {SHARD: {"bytes": float("nan"), "sha256": ""}}},
    ],
    "instead of": [{"arrays": {"features": {"dtype": "<f4", "shape": [1 << 40, 1 << 40]}}}],
    "'shard_size' is missing or no int": [{"shard_size": True}, {"shard_size": 1e3}, {"shard_size": "2"}],
    "has version": [{"version": True}, {"version": 1.0}, {"version": "x" * 10**6}, {"version": [{}] * 1000}],
}


@pytest.mark.parametrize("words", FIELDS)
def test_what_a_manifest_must_not_say(whole, words):
    good = manifest_of(whole)
    for fields in FIELDS[words]:
        with_manifest(whole, good | fields)
        assert words in answer(lambda: read(whole), seconds=5), fields


@pytest.mark.parametrize("name", ("..", ".", "a/b", "a\\b", "C:x", "\x07", "", "x" * 300))
def test_no_file_outside_the_folder_is_named(whole, name):
    manifest = manifest_of(whole)
    manifest["files"][name] = {"bytes": 0, "sha256": ""}
    with_manifest(whole, manifest)
    assert "not a plain name" in answer(lambda: read(whole))


@pytest.mark.parametrize(
    "content",
    [
        b"[" * 10**6,
        b'{"a":' * 10**5,
        b"\xef\xbb\xbf{}",
        b'{"format": "\xff"}',
        b'{"version": ' + b"9" * 10**5 + b"}",
        b"[" + b"[]," * ((1 << 22) // 3 - 2) + b"0]",
        None,
    ],
    ids=["deep", "deep dicts", "byte order mark", "not UTF-8", "a long number", "many lists", "5 GiB"],
)
def test_what_a_manifest_must_not_be(whole, content):
    path = whole / "manifest.json"
    if content is None:
        os.truncate(path, 5 << 30)
    else:
        path.write_bytes(content)
    with little_memory():
        assert str(path) in answer(lambda: read(whole))


def test_links_lead_nowhere(whole, tmp_path):
    for name in (SHARD, "manifest.json"):
        content = (whole / name).read_bytes()
        (tmp_path / name).write_bytes(content)
        data = PreparedData(whole) if name == SHARD else None
        (whole / name).unlink()
        (whole / name).symlink_to(tmp_path / name)
        assert str(whole) in answer(lambda: read(whole))
        if data:  # replaced after it was opened
            with pytest.raises(InputError, match="not a plain file"):
                data.features("train")
        (whole / name).unlink()
        (whole / name).write_bytes(content)


def test_a_header_that_says_it_is_long(whole):
    with_shard(whole, SHARD, header("{", (2, 0), 0xFFFFFFFF))
    os.truncate(whole / SHARD, 5 << 30)
    manifest = manifest_of(whole)
    manifest["files"][SHARD]["bytes"] = 5 << 30
    with_manifest(whole, manifest)
    with little_memory(1 << 26):
        assert "not a readable .npy file" in answer(lambda: read(whole, verify=False))


def test_a_pickle_in_a_shard_is_not_opened(whole):
    array = np.array([[["x"] * 3] * 4] * 2, dtype=object)
    np.save(whole / SHARD, array, allow_pickle=True)
    with_shard(whole, SHARD, (whole / SHARD).read_bytes())
    assert "|O" in answer(lambda: read(whole))
