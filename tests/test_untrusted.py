"""Records of runs from strangers: settings are read or refused in one line, and only values that can be come out."""

import json
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fuzzing import LEAVES, VALUES, answer, changed, damaged, fuzz, little_memory
from tsdsae_keras.errors import InputError
from tsdsae_keras.settings import Settings, settings_from_dict
from tsdsae_keras.training.run import RunFolder

pytestmark = pytest.mark.no_backend

DATA = {"data_folder": "/some/where", "data_identity": "abc"}
RECORD = {"settings": Settings().to_dict() | DATA, "versions": {"python": "3.11"}}


@pytest.fixture
def run(tmp_path):
    (tmp_path / "settings.json").write_text(json.dumps(RECORD))
    return RunFolder(tmp_path)


def read(run):
    return settings_from_dict(run.read_settings()["settings"])


def test_what_was_recorded_is_read(run):
    settings = Settings(swap_weights=(1, 0, 0.5, 2), patience=3, tonics=("C", "D"), learning_rate=1)
    assert settings_from_dict(json.loads(json.dumps(settings.to_dict() | DATA))) == settings
    assert read(run) == Settings() == settings_from_dict({})


@fuzz(4)
@given(changed(RECORD["settings"]))
def test_any_change_of_settings(values):
    answer(lambda: settings_from_dict(values))


@fuzz()
@given(st.one_of(VALUES, st.dictionaries(st.sampled_from(sorted(RECORD["settings"])), LEAVES, max_size=4)))
def test_any_value_as_settings(values):
    answer(lambda: settings_from_dict(values))


def test_any_damage_to_a_record(run):
    good = run.settings.read_bytes()

    @fuzz(2)
    @given(
        st.one_of(damaged(good), st.binary(max_size=200), changed(RECORD).map(lambda value: json.dumps(value).encode()))
    )
    def check(content):
        run.settings.write_bytes(content)
        answer(lambda: read(run), most=700)

    check()


WRONG = {
    "epochs": ["8", True, 8.0, 1e400, float("nan"), 10**18, -1, None, [8], {}],
    "learning_rate": ["1e-3", True, float("nan"), float("inf"), 0, -1.0, 10**400, None],
    "swap_weights": [[1, 1, 1], [1, 1, 1, "1"], [1, 1, 1, True], [1, 1, 1, float("nan")], 1.0, {}, [], None],
    "standardize": [1, "true", None],
    "data": [3, None, "a\nb", "\0", "x" * 10**6, ["dmelodies"]],
    "model": ["Lambda", None, [], "tsdsae\n"],
    "programs": [[], [40.0], ["40"], [None], [[40]], [40] * 10**5],
    "seed": [2**32, -1, 0.0],
    "workers": [10**6],
    "patience": ["3", 0, False],
    "data_folder": [3, None, "\x1b[2J"],
    "data_identity": [["abc"]],
    "an unknown one": [1],
    "__class__": [1],
    "\x1b[2J\n": [1],
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_values_are_named(name):
    for value in WRONG[name]:
        said = answer(lambda value=value: settings_from_dict(RECORD["settings"] | {name: value}))
        assert said and (name.replace("_", "-") in said or name in said or repr(name)[1:-1] in said), (value, said)


def test_settings_check_their_types_themselves():
    for name, value in {"epochs": "8", "standardize": 1, "swap_weights": [1, 1, 1, 1], "data": None}.items():
        with pytest.raises(InputError, match="--"):
            Settings(**{name: value})


@pytest.mark.parametrize("content", (b"[" * 10**5, b"3", b'"a"', b"{}", b'{"settings": 3}', b"\xff", b"", b"9" * 10**5))
def test_what_a_record_must_not_be(run, content):
    run.settings.write_bytes(content)
    assert str(run.settings) in answer(lambda: read(run), most=700)


def test_a_record_of_another_kind(run):
    os.truncate(run.settings, 5 << 30)
    with little_memory(1 << 26):
        assert "more than" in answer(lambda: read(run), most=700)
    run.settings.unlink()
    assert "No such file" in answer(lambda: read(run), most=700)
    run.settings.mkdir()
    assert "Is a directory" in answer(lambda: read(run), most=700)
