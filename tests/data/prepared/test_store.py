import gc
import json
import os
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from tests.prepared import singers, write_prepared
from tsdsae_keras.data.prepared.npy import map_array
from tsdsae_keras.data.prepared.pipeline import SequenceStream
from tsdsae_keras.data.prepared.store import PreparedData
from tsdsae_keras.errors import InputError

pytestmark = pytest.mark.no_backend


@pytest.fixture
def folder(tmp_path):
    """Three training sequences in two shards and one of validation, with one label."""
    shards = {"train": [singers(2, 0), singers(1, 1)], "validation": [singers(1, 0)]}
    return write_prepared(tmp_path / "prepared", shards)


def test_what_was_written_is_read(folder):
    data = PreparedData(folder)
    x = data.features("train")
    assert x.shape == (3, 4, 3) and x.ctypes.data % 64 == 0
    assert x[2, 0].tolist() == [1, 2, 3]
    assert data.labels("train")["singer"].tolist() == [0, 0, 1]
    assert (data.frames, data.n_mels, data.counts) == (4, 3, {"train": 3, "validation": 1})
    assert sorted(path.name for path in folder.parent.iterdir()) == ["prepared"]


def test_identity_follows_the_content(folder):
    before = PreparedData(folder).identity
    assert PreparedData(folder).identity == before
    _edit(folder, key="other")
    assert PreparedData(folder).identity != before


def _edit(folder, **changes):
    path = folder / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def _end(folder, change):
    """Changes the end of a shard."""
    path = folder / "train-00001.features.npy"
    path.write_bytes(change(path.read_bytes()))


def _link_manifest(folder):
    (folder / "manifest.json").rename(folder.parent / "elsewhere.json")
    os.symlink(folder.parent / "elsewhere.json", folder / "manifest.json")


@pytest.mark.parametrize(
    ("damage", "word"),
    [
        (lambda f: (f / "manifest.json").unlink(), "no manifest.json"),
        (_link_manifest, "no manifest.json"),
        (lambda f: [path.unlink() for path in f.iterdir()], "is empty"),
        (lambda f: (f / "manifest.json").write_text("{"), "not JSON"),
        (lambda f: _edit(f, format="other"), "of the format"),
        (lambda f: _edit(f, version=9), "version 9"),
        (lambda f: _edit(f, counts=[3]), "'counts'"),
        (lambda f: _edit(f, counts={"train": 9}), "does not list train-00002"),
        (lambda f: (f / "train-00001.singer.npy").unlink(), r"train-00001.singer.npy is missing"),
        (lambda f: _end(f, lambda content: content[:-4]), "was cut or changed"),
        (lambda f: _end(f, lambda content: content[:-1] + b"\x7f"), "does not have the SHA-256"),
        (lambda f: _edit(f, arrays={"features": {"dtype": "<f4", "shape": [3, 4]}}), r"instead of <f4 \(2, 3, 4\)"),
        (lambda f: _edit(f, arrays={"features": {"dtype": "<f8", "shape": [4, 3]}}), "instead of <f8"),
        (lambda f: _edit(f, arrays={"features": {"dtype": "<U8", "shape": [4, 3]}}), "right form"),
        (lambda f: _edit(f, arrays={"features": {"dtype": "<f4", "shape": []}}), "right form"),
    ],
)
def test_a_damaged_folder_is_refused_in_one_line(folder, damage, word):
    damage(folder)
    with pytest.raises(InputError, match=word) as caught:
        PreparedData(folder)
    assert str(folder) in str(caught.value) and "\n" not in str(caught.value)


def test_a_missing_folder_and_an_unknown_split(folder, tmp_path):
    with pytest.raises(InputError, match="not a folder"):
        PreparedData(tmp_path / "nowhere")
    with pytest.raises(InputError, match="train, validation"):
        PreparedData(folder).features("test")


@pytest.mark.parametrize("storage", ("npy", "tfrecord"))
@pytest.mark.parametrize(("shape", "dtype"), [((5, 4, 3), "|u1"), ((7,), "<f4"), ((2, 6), "<i2")])
def test_features_of_any_shape_and_type(tmp_path, storage, shape, dtype):
    """Images, vectors, rolls: the same folder, the same stream; only log-mel data have frames and bands."""
    x = np.random.default_rng(0).integers(0, 99, (7, *shape)).astype(dtype)
    parts = [{"features": x[rows], "row": np.arange(7)[rows]} for rows in (slice(0, 4), slice(4, 7))]
    data = PreparedData(write_prepared(tmp_path / "images", {"train": parts}, storage))
    assert data.features("train").dtype == x.dtype and np.array_equal(data.features("train"), x)
    assert np.array_equal(data.sequences("train")[[6, 1]], x[[6, 1]]) and data.sequences("train").dtype == x.dtype
    for in_memory in (1 << 20, 0):
        stream = SequenceStream(data.sequences("train"), 3, training=True, in_memory=in_memory)
        batches = list(stream.dataset.as_numpy_iterator())
        assert batches[0].dtype == x.dtype
        assert np.array_equal(np.concatenate(batches), x[stream.order()[:6]])
    if len(shape) != 2:
        with pytest.raises(InputError, match="takes log-mel frames"):
            data.frames  # noqa: B018 - a property that refuses


class _LetsOthersRun:
    def __del__(self):
        time.sleep(0)


def test_threads_may_map_arrays_at_once(tmp_path):
    np.save(tmp_path / "x.npy", np.arange(4))

    def map_often(_):
        for _ in range(1000):
            cycle = [_LetsOthersRun()]
            cycle.append(cycle)  # collected somewhere in the parsing of the header, where another thread takes over
            assert map_array(tmp_path / "x.npy").sum() == 6

    before = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(1)
    try:
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(map_often, range(4)))
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()
