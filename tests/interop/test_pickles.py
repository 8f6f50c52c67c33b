"""Pickles of plain data are read as Python reads them, and nothing else is."""

import os
import pickle

import numpy as np
import pytest

from tsdsae_keras.errors import InputError
from tsdsae_keras.interop.pickles import load_pickle

pytestmark = pytest.mark.no_backend
CONTENT = {
    "masks": [np.arange(24).reshape(2, 3, 4) % 2 == 0, np.zeros((0, 3), bool)],
    "latents": (np.linspace(0, 1, 6, dtype=">f4").reshape(3, 2), np.asfortranarray(np.ones((2, 3)))),
    "name": "a", "n": [1, 2.5, None],
}  # fmt: skip


@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_plain_data_come_back(tmp_path, protocol):
    (tmp_path / "a.pkl").write_bytes(pickle.dumps(CONTENT, protocol))
    found = load_pickle(tmp_path / "a.pkl")
    for name in ("masks", "latents"):
        for a, b in zip(found[name], CONTENT[name], strict=True):
            np.testing.assert_array_equal(a, b)
            assert a.dtype == b.dtype
    assert (found["name"], found["n"]) == ("a", [1, 2.5, None])


class Runs:
    def __reduce__(self):
        return os.mkdir, ("ran",)


@pytest.mark.parametrize("content", [Runs(), [np.array([Runs()], object)], np.zeros(2, [("a", "i4")]), {1, 2}])
def test_everything_else_is_refused_in_one_line(tmp_path, monkeypatch, content):
    monkeypatch.chdir(tmp_path)
    whole = pickle.dumps(content, 2)
    for end in (len(whole), len(whole) // 2):
        (tmp_path / "a.pkl").write_bytes(whole[:end])
        with pytest.raises(InputError, match="cannot be read as a pickle of plain data") as error:
            load_pickle("a.pkl")
        assert "\n" not in str(error.value) and not (tmp_path / "ran").exists()
