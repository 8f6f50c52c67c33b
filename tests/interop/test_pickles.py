"""Pickles of plain data are read equal, and an untrusted one is read or refused in one line; nothing in it runs."""

import os
import pickle
from collections import OrderedDict

import numpy as np
import pytest
from hypothesis import given

from tests.fuzzing import answer, damaged, fuzz, little_memory
from tests.interop.torch_files import Made, _code
from tsdsae_keras.interop.pickles import NUMPY, RestrictedUnpickler, load_pickle

DATA = {
    "masks": [np.random.default_rng(0).random((3, 4, 4)) > 0.5, np.zeros((0, 4), "u1")],
    "latents": [np.arange(12.0).reshape(3, 4).T, np.arange(3, dtype="float32"), np.array(["a", "bc"])],
    "pair": (np.float32(1.5), np.int64(-3), b"\xff\0", "\u00e9", 2**70, None, True, 0.1),
    (1, "a"): [[], {}, ()],
}


def check_equal(found, expected):
    assert type(found) is type(expected) or isinstance(found, tuple)
    if isinstance(expected, dict):
        assert list(found) == list(expected)
        found, expected = list(found.values()), list(expected.values())
    if isinstance(expected, list | tuple):
        assert len(found) == len(expected)
        for pair in zip(found, expected, strict=True):
            check_equal(*pair)
    else:
        np.testing.assert_array_equal(found, expected)
        assert getattr(found, "dtype", None) == getattr(expected, "dtype", None)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_plain_data_is_read_equal(tmp_path, protocol):
    path = tmp_path / "a.pickle"
    path.write_bytes(pickle.dumps(DATA, protocol))
    check_equal(load_pickle(path), DATA)


def test_arrays_of_python_2_and_of_older_numpy_are_read(tmp_path):
    array = b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(K\0tU\x01btR"
    array += b"(K\x01(K\x02tcnumpy\ndtype\n(U\x02u1K\0K\x01tR(K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\0tb\x89"
    path = tmp_path / "a.pickle"
    path.write_bytes(b"\x80\x02" + array + b"U\x02\x07\xfftb.")
    assert load_pickle(path).tolist() == [7, 255]


class Evil:
    """What a stranger's object would do."""

    def __init__(self, touched):
        self.touched = touched

    def __reduce__(self):
        return os.system, (f"echo > {self.touched}",)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_nothing_is_executed(tmp_path, protocol):
    touched, path = tmp_path / "touched", tmp_path / "a.pickle"
    path.write_bytes(pickle.dumps([1, Evil(touched)], protocol))
    assert "it names" in answer(lambda: load_pickle(path)) and not touched.exists()
    with path.open("rb") as file:
        assert RestrictedUnpickler(file, NUMPY, keep_unknown=True).load()[1].of.endswith(".system")
    assert not touched.exists()
    pickle.loads(path.read_bytes())  # the same bytes do run where they are trusted
    assert touched.exists()


OTHER = {
    "objects": np.array([[], None], object),
    "fields": np.zeros(2, [("a", "f4")]),
    "another byte order": np.zeros(2, ">f4"),
    "dates": np.zeros(2, "M8[s]"),
    "functions": [len, print],
    "classes": [OrderedDict()],
}


@pytest.mark.parametrize("name", OTHER)
def test_other_data_is_refused(tmp_path, name):
    path = tmp_path / "a.pickle"
    path.write_bytes(pickle.dumps(OTHER[name]))
    assert str(path) in answer(lambda: load_pickle(path))


def array(shape, data, code="f8"):
    """A pickle of an array that may state anything."""
    dtype = Made("numpy", "dtype", code, False, True)
    empty = Made("numpy._core.multiarray", "_reconstruct", Made("numpy", "ndarray", None), (0,), "b")
    return b"\x80\x02" + _code(empty, []) + _code((1, shape, dtype, False, data), []) + b"b."


HOSTILE = {
    "numbers that are not there": array((1 << 30, 1 << 9), "a"),
    "a shape that is not numbers": array(("a",), "a"),
    "a type that is not one": array((1,), "a" * 8, "O8"),
    "an attribute of a function": b"\x80\x02cnumpy\ndtype\n(N}X\x0c\0\0\0__defaults__)stb"
    + b"0"
    + array((1,), "a")[2:],
    "a memory slot of a high number": b"\x80\x02}r\xff\xff\xff\xff0.",
    "something outside": b"\x80\x02K\0Q.",
    "nothing": b"",
    "text": b"epoch: 3\n",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_pickles(tmp_path, name):
    path = tmp_path / "a.pickle"
    path.write_bytes(HOSTILE[name])
    with little_memory(1 << 26):
        assert str(path) in answer(lambda: load_pickle(path))


def test_a_missing_file_is_refused(tmp_path):
    assert "No such file" in answer(lambda: load_pickle(tmp_path / "a.pickle"))


def test_any_damage(tmp_path):
    good, path = pickle.dumps(DATA, 2), tmp_path / "a.pickle"

    @fuzz(3)
    @given(damaged(good))
    def check(content):
        path.write_bytes(content)
        answer(lambda: load_pickle(path))

    check()
