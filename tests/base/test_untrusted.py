"""`.keras` files from strangers: each is read or refused in one line, quickly and in little memory."""

import copy
import io
import json
import zipfile

import h5py
import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tsdsae_keras
from tests import cases
from tests.fuzzing import answer, changed, damaged, fuzz, little_memory
from tsdsae_keras.base.loading import load_model, model_class
from tsdsae_keras.base.safety import MEMBERS, check_model_file
from tsdsae_keras.errors import InputError


@pytest.fixture(scope="module")
def parts(tmp_path_factory):
    """The members of a good file; the model is compiled with a schedule, and the optimizer is saved too."""
    path = tmp_path_factory.mktemp("good") / "model.keras"
    model = cases.small(front_end={"n_mels": 5})
    rate = keras.optimizers.schedules.CosineDecay(1e-3, 10)
    model.compile(optimizer=keras.optimizers.Adam(rate, amsgrad=True, name="adam"))
    model.optimizer.build(model.trainable_variables)
    model.save(path)
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in MEMBERS}


def write(path, parts, compression=zipfile.ZIP_STORED):
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return path


def config_of(parts):
    return json.loads(parts["config.json"])


def with_config(parts, **changes):
    return parts | {"config.json": json.dumps(config_of(parts) | changes)}


def test_any_change_of_a_config(parts, tmp_path):
    @fuzz(0.5)
    @given(changed(config_of(parts)))
    def check(config):
        path = write(tmp_path / "a.keras", parts | {"config.json": json.dumps(config)})
        answer(lambda: load_model(path), seconds=60)

    check()


def test_any_damage_to_a_file(parts, tmp_path):
    path = write(tmp_path / "a.keras", parts)
    good = path.read_bytes()
    assert answer(lambda: check_model_file(path)) is None

    @fuzz()
    @given(st.one_of(damaged(good), damaged(good[-300:]).map(lambda end: good[:-300] + end), st.binary(max_size=300)))
    def check(content):
        path.write_bytes(content)
        if zipfile.is_zipfile(path):
            answer(lambda: check_model_file(path))

    check()


@keras.saving.register_keras_serializable(package="theirs")
class Told:
    """What an object that must not be made would do."""

    made = 0

    def __init__(self, **config):
        Told.made += 1

    def get_config(self):
        return {}


def keras_object(module, name, config=None, registered=None):
    return {"module": module, "class_name": name, "config": config or {}, "registered_name": registered}


FOREIGN = {
    "Lambda": keras_object(
        "keras.layers", "Lambda", {"function": {"class_name": "__lambda__", "config": {"value": "4w"}}}
    ),
    "StringLookup": keras_object("keras.layers", "StringLookup", {"vocabulary": "/etc/passwd"}),
    "TFSMLayer": keras_object("keras.layers", "TFSMLayer", {"filepath": "/tmp/x"}),
    "system": keras_object("os", "system", "echo", "os>system"),
    "function": keras_object("keras.config", "function", "enable_unsafe_deserialization", "function"),
    "load_model": keras_object("keras.models", "load_model", {"filepath": "x"}),
    "__tensor__": {"class_name": "__tensor__", "config": {"value": [0], "dtype": "float32"}},
    "__numpy__": {"class_name": "__numpy__", "config": {"value": [0], "dtype": "S2000000000"}},
    "Told": keras_object("tests.base.test_untrusted", "Told"),
    "Adam": keras_object("keras.optimizers", "Adam", registered="theirs>Told"),
    "[0, 1]": keras_object("keras.layers", [0, 1]),
}


@pytest.mark.parametrize("name", FOREIGN)
def test_no_other_class_is_made(parts, tmp_path, name):
    evil, good = FOREIGN[name], config_of(parts)
    alone = write(tmp_path / "a.keras", parts | {"config.json": json.dumps(evil)})
    said = answer(lambda: load_model(alone))
    assert f"holds a {name}" in said and "not a model of this library" in said
    compiled = copy.deepcopy(good)
    compiled["compile_config"]["loss"] = evil
    nested = copy.deepcopy(good)
    nested["compile_config"]["optimizer"]["config"]["learning_rate"] = evil
    inner = good["config"] | {"front_end": {"a": evil}}
    for config in (compiled, nested, good | {"config": inner}):
        said = answer(lambda config=config: load_model(write(tmp_path / "b.keras", with_config(parts, **config))))
        assert "; apart from the model itself, only optimizers of Keras are read" in said
    assert Told.made == 0


def test_a_class_of_the_user_is_a_model_of_this_library(parts, tmp_path):
    @keras.saving.register_keras_serializable(package="theirs")
    class Theirs(tsdsae_keras.DSAE):
        def __init__(self, *, more=1, **config):
            super().__init__(**config)
            self.more = more

        def get_config(self):
            return super().get_config() | {"more": self.more}

    path = tmp_path / "a.keras"
    Theirs(**cases.SIZES, more=7).save(path)
    assert load_model(path).more == 7


@pytest.mark.parametrize("config", [{"z_dim": 10**9}, {"global_units": (65536, 65536)}, {"decoder_units": [10**12]}])
def test_no_absurd_model_is_made(config):
    with little_memory(1 << 26), pytest.raises(InputError, match="at most"):
        tsdsae_keras.TSDSAE(**{**cases.SIZES, **config})


@pytest.mark.parametrize("config", [{"z_dim": 10**9}, {"global_units": [65536, 65536]}, {"seed": -1}, {"layers": []}])
def test_an_absurd_model_in_a_file_is_refused(parts, tmp_path, config):
    path = write(tmp_path / "a.keras", with_config(parts, config=config_of(parts)["config"] | config))
    with little_memory(1 << 26):
        assert answer(lambda: load_model(path))


def test_other_members_are_refused(parts, tmp_path):
    path = tmp_path / "a.keras"
    for name in ("assets/../../x", "/etc/x", "model.weights.npz", "\x1b"):
        assert "holds" in answer(lambda name=name: load_model(write(path, parts | {name: b""})))
    assert "holds config.json;" in answer(lambda: load_model(write(path, {"config.json": parts["config.json"]})))
    for text in ("[" * 10**5, "\ud800".encode("utf-8", "surrogatepass"), "[1", "{}", "[]", "3", '"a"', "[{}]"):
        assert answer(lambda text=text: load_model(write(path, parts | {"config.json": text})))


def test_bombs_are_refused_unread(parts, tmp_path):
    for name, most in MEMBERS.items():
        packed = write(tmp_path / "a.keras", parts | {name: bytes(most + 1)}, zipfile.ZIP_DEFLATED)
        with little_memory(1 << 25):
            assert f"bytes in {name}" in answer(lambda packed=packed: load_model(packed))
            assert name != "config.json" or "bytes in" in answer(lambda packed=packed: model_class(packed))


def weights(make):
    """The bytes of a weights file that `make` fills."""
    content = io.BytesIO()
    with h5py.File(content, "w") as file:
        make(file.create_group("vars"))
    return content.getvalue()


def declared(group):
    """A dataset of a shape far beyond the file, nothing of it written."""
    group.create_dataset("0", (1 << 40,), "f4")


def virtual(group):
    layout = h5py.VirtualLayout((4,), "f4")
    layout[:] = h5py.VirtualSource("/etc/passwd", "x", (4,))
    group.create_virtual_dataset("0", layout)


def cycle(group):
    group["again"] = group


def linked(link):
    def make(group):
        group["0"] = link

    return make


HOSTILE = {
    "declared": (declared, "stand in it"),
    "external": (lambda group: group.create_dataset("0", (4,), "u1", external=[("/etc/passwd", 0, 4)]), "stand in it"),
    "virtual": (virtual, "stand in it"),
    "chunks": (lambda group: group.create_dataset("0", (1 << 40,), "f4", chunks=(1 << 20,)), "stand in it"),
    "packed": (lambda group: group.create_dataset("0", data=np.zeros(1 << 22), compression="gzip"), "stand in it"),
    "soft link": (linked(h5py.SoftLink("/etc")), "stand in it"),
    "external link": (linked(h5py.ExternalLink("/etc/passwd", "/")), "stand in it"),
    "empty": (lambda group: group.create_dataset("0", data=h5py.Empty("f4")), ""),
    "itself": (cycle, "cannot be loaded"),
    "other weights": (lambda group: group.create_dataset("0", data=np.zeros(3)), "cannot be loaded"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_weights_are_plain_arrays_in_the_file(parts, tmp_path, name):
    make, said = HOSTILE[name]
    path = write(tmp_path / "a.keras", parts | {"model.weights.h5": weights(make)})
    with little_memory(1 << 26):
        assert said in answer(lambda: load_model(path), seconds=10)


def test_any_damage_to_the_weights(parts, tmp_path):
    good = parts["model.weights.h5"]

    @fuzz()
    @given(st.one_of(damaged(good), damaged(good[:2000]).map(lambda start: start + good[2000:])))
    def check(content):
        path = write(tmp_path / "a.keras", parts | {"model.weights.h5": content})
        answer(lambda: check_model_file(path))

    check()
