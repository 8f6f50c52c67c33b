"""Checkpoints from strangers, whose hash is right: read or refused in one line, whatever they state."""

import hashlib
import json

import pytest
from hypothesis import given

from tests.fuzzing import answer, changed, damaged, fuzz, little_memory
from tsdsae_keras.training.checkpoints import read

pytestmark = pytest.mark.no_backend

HEAD = {
    "epoch": 3,
    "stage": 2,
    "states": {"KeepBest": {"best": 0.5, "best_epoch": 2}},
    "blocks": [["weight", "model/a", "<f4", [3, 2]], ["KeepBest", "file", "|u1", [5]]],
}
CONTENT = bytes(range(29))


def hashed(head, content=CONTENT):
    body = (head if isinstance(head, bytes) else json.dumps(head).encode()) + b"\n" + content
    return hashlib.sha256(body).hexdigest().encode() + b"\n" + body


def test_what_it_states_is_read(tmp_path):
    path = tmp_path / "epoch-000003.ckpt"
    path.write_bytes(hashed(HEAD))
    checkpoint = read(path)
    assert checkpoint.weights["model/a"].shape == (3, 2) and checkpoint.states["KeepBest"]["file"] == CONTENT[24:]


def test_any_damage(tmp_path):
    path = tmp_path / "epoch-000003.ckpt"

    @fuzz(4)
    @given(changed(HEAD))
    def check_values(head):
        path.write_bytes(hashed(head))
        answer(lambda: read(path))

    @fuzz(2)
    @given(damaged(hashed(HEAD)[65:]))
    def check_bytes(body):
        path.write_bytes(hashlib.sha256(body).hexdigest().encode() + b"\n" + body)
        answer(lambda: read(path))

    check_values()
    check_bytes()


def test_stated_sizes_take_no_memory(tmp_path):
    path = tmp_path / "epoch-000003.ckpt"
    for shape in ([10**12], [10**30], [-1], [-4, -4], [2.5], ["7"], [], 5, [10**9, 0]):
        path.write_bytes(hashed(HEAD | {"blocks": [["weight", "a", "<f8", shape]]}))
        with little_memory(1 << 26):
            answer(lambda: read(path))
    path.write_bytes(hashed(b"[" * 100_000))
    assert "no checkpoint" in answer(lambda: read(path))
