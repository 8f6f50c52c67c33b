"""Every kind of untrusted file that is read: a good one, how another content takes its place, and how it is read.

Where a hash or a manifest vouches for a content, it vouches for the content put in its place too.
"""

import hashlib
import importlib.util
import io
import json
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np

from tests import cases
from tests.interop.test_vggish import STATE as VGGISH
from tests.interop.test_vggish import slim_arrays, write_slim
from tests.interop.torch_files import write_bytes, write_legacy
from tests.prepared import singers, write_prepared
from tsdsae_keras.base.loading import load_model
from tsdsae_keras.base.safety import CONFIG, WEIGHTS
from tsdsae_keras.data.prepared.store import PreparedData
from tsdsae_keras.interop.torch_files import read_checkpoint
from tsdsae_keras.interop.vggish import read_vggish
from tsdsae_keras.settings import Settings, settings_from_dict
from tsdsae_keras.training.checkpoints import read as read_run_checkpoint
from tsdsae_keras.training.run import RunFolder

STATE = {"net_v_mu.weight": np.arange(6, dtype="float32").reshape(2, 3), "net_v_mu.bias": np.zeros(2, "float32")}
LIGHTNING = {"epoch": 3, "state_dict": STATE, "hyper_parameters": {"C": 5, "model": {"_target_": "a.B"}}}
FEATURES, SINGER = {"dtype": "<f4", "shape": [4, 3]}, {"dtype": "<i8", "shape": []}
HEAD = {
    **{"epoch": 3, "stage": 2, "states": {"KeepBest": {"best": 0.5, "best_epoch": 2}}},
    "blocks": [["weight", "model/a", "<f4", [3, 2]], ["KeepBest", "file", "|u1", [5]]],
}


@dataclass
class Subject:
    """A good file.

    Attributes:
        path: of the file, which errors name.
        good: its content, or that of the part that is attacked.
        put: (content) writes the file with another content.
        read: () reads the file as the library does.
    """

    path: Path
    good: bytes
    put: Callable
    read: Callable


def whole(path, read):
    """A `Subject` that is attacked as it is."""
    return Subject(path, path.read_bytes(), path.write_bytes, lambda: read(path))


def write_parts(path, parts, compression=zipfile.ZIP_STORED):
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return path


def part(path, name, read):
    """A `Subject` of one part of a zip archive."""
    with zipfile.ZipFile(path) as archive:
        parts = {each: archive.read(each) for each in archive.namelist()}
    return Subject(path, parts[name], lambda content: write_parts(path, parts | {name: content}), lambda: read(path))


def keras_file(folder):
    """Compiled with a schedule; the optimizer is saved too."""
    path = folder / "model.keras"
    model = cases.small(front_end={"n_mels": 5})
    model.compile(keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(1e-3, 10), amsgrad=True, name="adam"))
    model.optimizer.build(model.trainable_variables)
    model.save(path)
    return path


def write_small(folder, storage="npy"):
    names = {"singer": ["ann", "bob"], "more": {"0": "x"}}
    shards = {"train": [singers(2, 7)]}
    return write_prepared(folder / "data", shards, storage, front_end={"n_mels": 3}, label_names=names)


def read_prepared(folder):
    data = PreparedData(folder)
    for split in data.counts:
        data.features(split), data.labels(split), data.shards(split)
    return data.frames, data.n_mels, data.label_names, data.front_end


def shard(folder, name):
    """A shard that its manifest vouches for."""

    def put(content):
        (folder / name).write_bytes(content)
        manifest = json.loads((folder / "manifest.json").read_bytes())
        manifest["files"][name] = {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
        (folder / "manifest.json").write_text(json.dumps(manifest))

    return Subject(folder / name, (folder / name).read_bytes(), put, lambda: read_prepared(folder))


def settings_record(folder):
    path = folder / "settings.json"
    recorded = Settings().to_dict() | {"data_folder": "/some/where", "data_identity": "abc"}
    path.write_text(json.dumps({"settings": recorded, "versions": {"python": "3.11"}}))
    return whole(path, lambda path: settings_from_dict(RunFolder(path.parent).read_settings()["settings"]))


def run_checkpoint(folder):
    """The line of JSON in a checkpoint of a run; behind it the blocks."""
    path = folder / "epoch-000003.ckpt"

    def put(head):
        body = head + b"\n" + bytes(range(29))
        path.write_bytes(hashlib.sha256(body).hexdigest().encode() + b"\n" + body)

    return Subject(path, json.dumps(HEAD).encode(), put, lambda: read_run_checkpoint(path))


def weights_of(make):
    """The bytes of a weights file that `make` fills."""
    import h5py

    content = io.BytesIO()
    with h5py.File(content, "w") as file:
        make(file.create_group("vars"))
    return content.getvalue()


def lightning(folder, write=write_bytes):
    return write(folder / "a.ckpt", LIGHTNING)


KINDS = {
    "model": lambda folder: whole(keras_file(folder), load_model),
    "config of a model": lambda folder: part(keras_file(folder), CONFIG, load_model),
    "weights of a model": lambda folder: part(keras_file(folder), WEIGHTS, load_model),
    "PyTorch": lambda folder: whole(lightning(folder), read_checkpoint),
    "pickle of PyTorch": lambda folder: part(lightning(folder), "archive/data.pkl", read_checkpoint),
    "older PyTorch": lambda folder: whole(lightning(folder, write_legacy), read_checkpoint),
    "VGGish": lambda folder: whole(write_slim(folder / "vggish.ckpt", slim_arrays(VGGISH)), read_vggish),
    "manifest": lambda folder: whole(write_small(folder) / "manifest.json", lambda path: read_prepared(path.parent)),
    "npy": lambda folder: shard(write_small(folder), "train-00000.features.npy"),
    "tfrecord": lambda folder: shard(write_small(folder, "tfrecord"), "train-00000.tfrecord"),
    "settings": settings_record,
    "checkpoint of a run": run_checkpoint,
}
if importlib.util.find_spec("torch") is None:  # only PyTorch writes its older format
    del KINDS["older PyTorch"]
