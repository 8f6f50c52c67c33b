"""Any damaged, truncated, foreign or hostile file is refused in one line, quickly, in little memory, and runs nothing.

What each kind of file is, is in `untrusted_files.py`.
"""

import json
import os
import pickle
import struct
import zipfile

import h5py
import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fuzzing import answer, change, damage, fuzz, little_memory
from tests.interop.torch_files import Made, code_of
from tests.untrusted_files import FEATURES, KINDS, SINGER, keras_file, weights_of, write_parts
from tsdsae_keras.base.loading import load_model
from tsdsae_keras.base.model_class import model_class
from tsdsae_keras.base.safety import MEMBERS
from tsdsae_keras.interop.torch_files import read_checkpoint

MADE = {}
OF_KERAS = ("model", "config of a model", "weights of a model")
ALL = [pytest.param(kind, marks=[] if kind in OF_KERAS else pytest.mark.no_backend) for kind in KINDS]


@pytest.fixture
def subject(request, tmp_path_factory):
    """A file of the kind that the test's parameter names, made once."""
    if request.param not in MADE:
        MADE[request.param] = KINDS[request.param](tmp_path_factory.mktemp("untrusted"))
    return MADE[request.param]


class Evil:
    """What an untrusted object would do."""

    def __reduce__(self):
        return os.system, ("echo > touched",)


def pickle_of(content):
    return b"\x80\x02" + code_of(content, []) + b"."


def tensor(shape=(2, 3), strides=(3, 1), offset=0, storage="FloatStorage", key="0"):
    """A pickled state of one tensor, or of as many as there are in a list of them."""
    kind = Made("torch", storage, None)
    where = Made("", "persistent", "storage", kind, key, "cpu", 6)
    hooks = Made("collections", "OrderedDict")
    return Made("torch._utils", "_rebuild_tensor_v2", where, offset, shape, strides, False, hooks)


FOREIGN = {
    **{
        "nothing": b"",
        "text": b"epoch: 3\n",
        "noise": np.random.default_rng(0).bytes(5000),
        "not UTF-8": b'{"a": "\xff"}',
    },
    **{"a number": b"3", "an empty dict": b"{}", "a list": b'[{"a": 1}]', "deep JSON": b"[" * 10**5},
    **{"a long number": b"9" * 10**5, "a pickle": pickle.dumps(Evil(), 2), "a newer pickle": pickle.dumps(Evil())},
}


@pytest.mark.parametrize("subject", ALL, indirect=True)
def test_damaged_and_foreign_files_are_refused(subject, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    subject.put(subject.good)
    assert answer(subject.read) is None
    cuts = {f"{n} bytes": subject.good[:n] for n in range(0, len(subject.good) - 1, len(subject.good) // 20)}
    for name, content in (FOREIGN | cuts).items():
        subject.put(content)
        with little_memory():
            assert str(subject.path.parent) in (answer(subject.read) or ""), name
    subject.path.write_bytes(b"")
    os.truncate(subject.path, 5 << 30)  # zeros, which take no room on the disk
    with little_memory(1 << 27):
        assert str(subject.path.parent) in answer(subject.read)
    assert not (tmp_path / "touched").exists()
    pickle.loads(FOREIGN["a pickle"])  # the same bytes do run where they are trusted
    assert (tmp_path / "touched").exists()


@pytest.mark.parametrize("subject", ALL, indirect=True)
def test_any_damage_is_refused_or_read(subject):
    contents = damage(subject.good)
    if subject.good.startswith(b"{"):
        documents = change(json.loads(subject.good))
        contents = st.one_of(documents.map(lambda document: json.dumps(document).encode()), contents)

    @fuzz
    @given(contents)
    def check(content):
        subject.put(content)
        answer(subject.read, most=1000, seconds=60)

    check()


@keras.saving.register_keras_serializable(package="theirs")
class Told:
    """What an object that must not be made would do."""

    made = 0

    def __init__(self, **config):
        Told.made += 1

    def get_config(self):
        return {}


def foreign(module, name, config=None, registered=None):
    return {"module": module, "class_name": name, "config": config or {}, "registered_name": registered}


LAMBDA = foreign("keras.layers", "Lambda", {"function": {"class_name": "__lambda__", "config": {"value": "4w"}}})
TOLD = foreign("tests.test_untrusted", "Told")


def virtual(group):
    layout = h5py.VirtualLayout((4,), "f4")
    layout[:] = h5py.VirtualSource("/etc/passwd", "x", (4,))
    group.create_virtual_dataset("0", layout)


def npy(dtype, shape):
    text = f"{{'descr': {dtype}, 'fortran_order': False, 'shape': {shape}, }}\n".encode()
    return b"\x93NUMPY\1\0" + struct.pack("<H", len(text)) + text + bytes(96)


MODEL, OTHERS = "not a model of this library", "only optimizers of Keras are read"
EVIL = Made(os.system.__module__, "system", "echo > touched")
HUGE = {"dtype": "<f4", "shape": [1 << 40, 1 << 40]}
# {kind: [(content, or what is changed in one of JSON, what the refusal says)]}
HOSTILE = {
    "config of a model": [
        (LAMBDA, MODEL),
        (foreign("keras.layers", "TFSMLayer", {"filepath": "/tmp/x"}), MODEL),
        (foreign("os", "system", "echo > touched", "os>system") | {"compile_config": None}, MODEL),
        (TOLD | {"registered_name": "theirs>Told"}, MODEL),
        *(({"compile_config": {"loss": each}}, OTHERS) for each in (LAMBDA, TOLD, {"class_name": "__numpy__"})),
        ({"compile_config": {"optimizer": foreign("keras.optimizers", "Adam", registered="theirs>Told")}}, OTHERS),
        ({"config": {"front_end": {"a": TOLD}}}, OTHERS),
        *(({"config": each}, "at most") for each in ({"z_dim": 10**9}, {"global_units": [65536, 65536]})),
    ],
    "weights of a model": [
        (weights_of(make), words)
        for words, makers in {
            "are not stored in it plainly": [
                lambda group: group.create_dataset("0", (1 << 40,), "f4"),
                lambda group: group.create_dataset("0", (1 << 40,), "f4", chunks=(1 << 20,)),
                lambda group: group.create_dataset("0", data=np.zeros(1 << 22), compression="gzip"),
                lambda group: group.create_dataset("0", (4,), "u1", external=[("/etc/passwd", 0, 4)]),
                lambda group: group.update({"0": h5py.SoftLink("/etc")}),
                lambda group: group.update({"0": h5py.ExternalLink("/etc/passwd", "/")}),
                virtual,
            ],
            "cannot be loaded": [
                lambda group: group.update({"0": group}),
                lambda group: group.create_dataset("0", data=np.zeros(3)),
            ],
        }.items()
        for make in makers
    ],
    "pickle of PyTorch": [
        (pickle_of({"state_dict": {"a": EVIL}}), "no state_dict of tensors"),
        (b"\x80\x02}r\xff\xff\xff\xff.", "no state_dict"),
        (b"\x80\x02" + b"]" * 90_000 + b"a" * 89_999 + b".", "no state_dict"),
        (b"N" * (1 << 22) + b"N.", "a pickle of more than"),
        (pickle_of({"\x1b[2J\n" * 50: 1, "\u202e": []} | {f"x{i}": i for i in range(1000)}), "its keys are"),
        (pickle_of({"a": tensor(storage="BFloat16Storage")}), "numbers of a type that NumPy lacks"),
        *(
            (pickle_of({"a": tensor(**wrong)}), "is damaged")
            for wrong in (
                *(
                    {"offset": 1},
                    {"offset": -1},
                    {"offset": 1 << 62},
                    {"offset": "a"},
                    {"strides": (-3, 1)},
                    {"key": "1"},
                ),
                *({"shape": ("a",)}, {"shape": (10**30, 1)}, {"shape": (-2, 3)}, {"strides": (3,)}, {"key": "../x"}),
            )
        ),
        (pickle_of({"a": Made("torch._utils", "_rebuild_tensor", tensor(), 0, (), ())}), "is damaged"),
    ],
    "manifest": [
        ({"counts": {"train": 1 << 53}, "shard_size": 1}, "does not list"),
        *(({"counts": each}, "right form") for each in ({"train": 10**18}, {"train": True}, {"../x": 1}, {"\x1b": 1})),
        ({"arrays": {"features": FEATURES, "/etc/passwd": SINGER}}, "right form"),
        ({"arrays": {"features": FEATURES, "singer": {"dtype": "|O", "shape": []}}}, "right form"),
        ({"arrays": {"features": {"dtype": {"a": "\n"}, "shape": [4, 3]}}}, "right form"),
        ({"arrays": {"features": HUGE}}, "instead of"),
        *(({"files": {name: {"bytes": 0, "sha256": ""}}}, "not a plain name") for name in ("..", "a/b", "C:x", "\x07")),
        ({"files": {"train-00000.features.npy": {"bytes": -1, "sha256": ""}}}, "right form"),
        ({"label_names": {"singer": [[[["deep"]]]]}}, "right form"),
        ({"front_end": {"n_mels": {"a": 1}}}, "right form"),
        ({"shard_size": 1e3}, "missing or no int"),
        *(({"version": each}, "has version") for each in (True, "x" * 10**6, [{}] * 1000)),
        ({"storage": ["tfrecord"]}, "right form"),
        (b"[" + b"[]," * (1 << 20) + b"0]", "manifest.json"),
    ],
    "npy": [
        *((npy(kind, "(2, 4, 3)"), "train-00000") for kind in ("'|O'", "'<f8'", "'V999999999999'", "[('a', '<f4')]")),
        *((npy("'<f4'", shape), "train-00000") for shape in ("(10**18,)", "(True,)", "__import__('os')", "(" * 900)),
        (b"\x93NUMPY\2\0" + b"\xff" * 4 + b"{" * 1000, "not a readable .npy file"),
    ],
    "tfrecord": [((5 << 30).to_bytes(8, "little") + bytes(200), "train-00000")],
    "settings": [
        *(
            ({"settings": {name: value}}, name.replace("_", "-"))
            for name, values in {
                "epochs": ["8", True, 8.0, float("nan"), 10**18, -1, None, [8], {}],
                "learning_rate": ["1e-3", True, float("inf"), 0, 10**400],
                "swap_weights": [[1, 1, 1], [1, 1, 1, "1"], [1, 1, 1, True], 1.0, {}, None],
                "data": [3, None, "a\nb", "x" * 10**6],
                "model": ["Lambda", None, "tsdsae\n"],
                "programs": [[], ["40"], [[40]], [40] * 10**5],
                "standardize": [1, "true"],
            }.items()
            for value in values
        ),
        *(({"settings": {name: 1}}, "an unknown") for name in ("__class__", "\x1b[2J\n")),
    ],
    "checkpoint of a run": [
        ({"blocks": [["weight", "a", "<f8", shape]]}, "not a checkpoint")
        for shape in ([10**12], [10**30], [-1], [2.5], ["7"], 5)
    ],
}


def merge(document, changes):
    """A document of JSON with changes in it, at any depth."""
    if not isinstance(document, dict) or not isinstance(changes, dict):
        return changes
    return document | {name: merge(document.get(name), each) for name, each in changes.items()}


@pytest.mark.parametrize("subject", HOSTILE, indirect=True)
def test_hostile_files_are_refused(subject, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    kind = next(name for name, made in MADE.items() if made is subject)
    for content, words in HOSTILE[kind]:
        if isinstance(content, dict):
            content = json.dumps(merge(json.loads(subject.good), content)).encode()
        subject.put(content)
        with little_memory(1 << 27):
            assert words in (answer(subject.read, seconds=10) or "read"), content[:500]
    assert Told.made == 0 and not (tmp_path / "touched").exists()


@pytest.mark.parametrize("subject", ["pickle of PyTorch"], indirect=True)
def test_what_is_not_used_of_a_checkpoint_is_not_run(subject, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    turned, settings = tensor((3, 2), (1, 3)), Made("a", "B", state={"_content": {"n": "\x1b", "C": 1 << 60}})
    subject.put(pickle_of({"state_dict": {"a": turned}, "hyper_parameters": settings, "callbacks": [EVIL]}))
    checkpoint = read_checkpoint(subject.path)
    assert checkpoint.state["a"].tolist() == [[0, 3], [1, 4], [2, 5]] and not (tmp_path / "touched").exists()
    assert [checkpoint.setting(name) for name in ("n", "C", "other")] == ["", None, None]


def test_archives_of_other_parts_and_bombs_are_refused_unread(tmp_path):
    with zipfile.ZipFile(keras_file(tmp_path)) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    path = tmp_path / "a.keras"
    for name in ("assets/../../x", "/etc/x", "model.weights.npz", "\x1b"):
        assert "holds" in answer(lambda name=name: load_model(write_parts(path, parts | {name: b""})))
    for name, most in MEMBERS.items():
        write_parts(path, parts | {name: bytes(most + 1)}, zipfile.ZIP_DEFLATED)
        with little_memory(1 << 25):
            assert f"bytes in {name}" in answer(lambda: load_model(path))
            assert name != "config.json" or "bytes in" in answer(lambda: model_class(path))
    one, block = tensor((1 << 18,), (1,)), bytes(1 << 20)
    shared = {"archive/data.pkl": pickle_of({str(i): one for i in range(99)}), "archive/data/0": block}
    with little_memory(1 << 25):
        assert "share their numbers" in answer(lambda: read_checkpoint(write_parts(tmp_path / "b.ckpt", shared)))
    pytorch = write_parts(tmp_path / "a.ckpt", {"archive/data.pkl": bytes(1 << 26)}, zipfile.ZIP_DEFLATED)
    with little_memory(1 << 25):
        assert "compressed" in answer(lambda: read_checkpoint(pytorch))
