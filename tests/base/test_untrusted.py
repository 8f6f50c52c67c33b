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
from tsdsae_keras.base.loading import load_model
from tsdsae_keras.base.safety import check_config, check_model_file, check_weights
from tsdsae_keras.errors import InputError

NAMES = ("metadata.json", "config.json", "model.weights.h5")


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
        return {name: archive.read(name) for name in NAMES}


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
    good, size = config_of(parts), len(parts["model.weights.h5"])
    assert answer(lambda: check_config(good, size)) is None

    @fuzz(2)
    @given(changed(good))
    def check(config):
        answer(lambda: check_config(config, size))

    check()


def test_any_change_of_a_config_in_a_file(parts, tmp_path):
    @fuzz(0.2)
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


class Told:
    """What an object that must not be made would do."""

    made = 0

    def __init__(self, **config):
        Told.made += 1


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
    "__numpy__": {"class_name": "__numpy__", "config": {"value": [0], "dtype": "S2000000000"}},
    "Told": keras_object("tests.base.test_untrusted", "Told"),
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
    for config in (compiled, nested):
        said = answer(lambda config=config: load_model(write(tmp_path / "b.keras", with_config(parts, **config))))
        assert f"is compiled with a {name}" in said
    inner = good["config"] | {"front_end": {"a": evil}}
    assert "front_end" in answer(lambda: load_model(write(tmp_path / "c.keras", with_config(parts, config=inner))))
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


ABSURD = {
    "z_dim": [10**9, "16", True, 2.0, float("nan"), None, [16], {}, -1, 0, 10**400 // 10**380],
    "features": [10**9, 60_000, "x" * 10**5],
    "v_dim": [10**18],
    "global_units": [[10**12], [64] * 1000, [65536, 65536], 65536, [], [[]], ["64"], "64", {"a": 1}, None, [True]],
    "transition_units": [[60_000, 60_000]],
    "stage": [3, True, 1.0, "1", None],
    "standardize": [1, "yes", None],
    "decoder": ["Lambda", None, [], 0],
    "term_weights": [[1], {"recon": "1"}, {"recon": float("nan")}, {"recon": True}, {"\n": 1}, 3],
    "front_end": [[1], {"a": [1]}, {"a": "x" * 10**5}, {str(i): i for i in range(999)}],
    "seed": [-1, 2**32, "7", 1.5, True],
    "initial_weights": ["zeros"],
}


@pytest.mark.parametrize("name", ABSURD)
def test_absurd_values_are_refused_before_anything_is_made(parts, name):
    config, size = config_of(parts), len(parts["model.weights.h5"])
    for value in ABSURD[name]:
        changed = config | {"config": config["config"] | {name: value}}
        with little_memory(1 << 26):
            assert answer(lambda changed=changed: check_config(changed, size), seconds=2), value


@pytest.mark.parametrize("config", [{"z_dim": 10**9}, {"global_units": (65536, 65536)}, {"decoder_units": [10**12]}])
def test_no_absurd_model_is_made(config):
    with little_memory(1 << 26), pytest.raises(InputError, match="at most"):
        tsdsae_keras.TSDSAE(**{**cases.SIZES, **config})


def test_more_than_a_file_of_this_library_has_is_refused(parts, tmp_path):
    path = tmp_path / "a.keras"
    for name in ("assets/../../x", "/etc/x", "model.weights.npz", "\x1b"):
        assert "holds" in answer(lambda name=name: load_model(write(path, parts | {name: b""})))
    assert "holds config.json;" in answer(lambda: load_model(write(path, {"config.json": parts["config.json"]})))
    assert "unknown" in answer(lambda: load_model(write(path, with_config(parts, shared_object_id=1))))
    inner = config_of(parts)["config"] | {"layers": [], "input_layers": [], "output_layers": []}
    assert "unknown input_layers" in answer(lambda: load_model(write(path, with_config(parts, config=inner))))
    long = config_of(parts)["compile_config"] | {"jit_compile": "x" * 999}
    assert "999 letters" in answer(lambda: load_model(write(path, with_config(parts, compile_config=long))))
    many = config_of(parts)["compile_config"] | {"metrics": ["(a+)+$"]}
    assert "not of numbers" in answer(lambda: load_model(write(path, with_config(parts, compile_config=many))))
    for text in ("[" * 10**5, "\ud800".encode("utf-8", "surrogatepass"), "[1", "{}", "[]", "3", '"a"'):
        assert answer(lambda text=text: load_model(write(path, parts | {"config.json": text})))


def test_bombs_are_refused_unread(parts, tmp_path):
    zeros = bytes(1 << 26)
    packed = write(tmp_path / "a.keras", parts | {"model.weights.h5": zeros}, zipfile.ZIP_DEFLATED)
    large = write(tmp_path / "b.keras", parts | {"config.json": zeros})
    del zeros
    with little_memory(1 << 25):
        assert "compressed" in answer(lambda: load_model(packed))
        assert "in config.json" in answer(lambda: load_model(large))


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
    "declared": declared,
    "external": lambda group: group.create_dataset("0", (4,), "u1", external=[("/etc/passwd", 0, 4)]),
    "virtual": virtual,
    "chunks": lambda group: group.create_dataset("0", (1 << 40,), "f4", chunks=(1 << 20,)),
    "packed": lambda group: group.create_dataset("0", data=np.zeros(1 << 22), compression="gzip"),
    "references": lambda group: group.create_dataset("0", data=[group.ref], dtype=h5py.ref_dtype),
    "text": lambda group: group.create_dataset("0", data=["x"], dtype=h5py.string_dtype()),
    "empty": lambda group: group.create_dataset("0", data=h5py.Empty("f4")),
    "type": lambda group: group.__setitem__("0", np.dtype("f4")),
    "soft link": linked(h5py.SoftLink("/etc")),
    "external link": linked(h5py.ExternalLink("/etc/passwd", "/")),
    "itself": cycle,
    "many": lambda group: [group.create_group(str(i)) for i in range(10_001)],
    "one, often": lambda group: [
        group.__setitem__(str(i), group["0"] if i else np.zeros(1 << 16, "f4")) for i in range(99)
    ],
}


@pytest.mark.parametrize("name", HOSTILE)
def test_weights_are_plain_arrays_in_the_file(parts, tmp_path, name):
    content = weights(HOSTILE[name])
    path = write(tmp_path / "a.keras", parts | {"model.weights.h5": content})
    with little_memory(1 << 26):
        assert answer(lambda: load_model(path), seconds=10)
    with pytest.raises(InputError):
        check_weights(content)


def test_any_damage_to_the_weights(parts, tmp_path):
    good = parts["model.weights.h5"]
    assert answer(lambda: check_weights(good)) is None

    @fuzz()
    @given(st.one_of(damaged(good), damaged(good[:2000]).map(lambda start: start + good[2000:])))
    def check(content):
        path = write(tmp_path / "a.keras", parts | {"model.weights.h5": content})
        answer(lambda: check_model_file(path))

    check()
