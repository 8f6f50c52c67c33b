"""The trained models that come with the library are the ones of their cards, on every backend."""

from pathlib import Path

import keras
import numpy as np
import pytest

import tsdsae_keras
from tsdsae_keras.base import pretrained
from tsdsae_keras.errors import InputError

OUTPUTS = Path(__file__).parent / "pretrained.npz"
NAMES = ("dmelodies-z8", "dmelodies-z16", "dmelodies-z32", "dmelodies-two-octaves")


def test_all_of_them_are_there():
    assert set(NAMES) <= set(tsdsae_keras.pretrained_names())


@pytest.mark.parametrize("name", NAMES)
def test_stored_outputs_are_reproduced(name):
    model = tsdsae_keras.load_pretrained(name)
    with np.load(OUTPUTS) as stored:
        x, expected = stored["x"], {key: stored[f"{name}/{key}"] for key in ("v_mean", "z_mean", "swap")}
    found = model.encode(x) | {"swap": model.swap(x[:1], x[1:])}
    assert model.stage == model.stages
    for key, value in expected.items():
        np.testing.assert_allclose(keras.ops.convert_to_numpy(found[key]), value, rtol=1e-4, atol=1e-4, err_msg=key)


@pytest.mark.parametrize("name", NAMES)
def test_card_says_the_synthesisers_licence_and_the_scores(name):
    card = tsdsae_keras.pretrained_card(name)
    assert "MIT" in card["data"]["synth"]["licence"]
    for scores in (card["scores"]["swap_f1"], card["scores"]["judge_f1"]):
        assert min(scores[swap] for swap in ("pre", "global", "local")) >= 0.99


def test_another_file_is_refused(tmp_path, monkeypatch):
    for path in pretrained.pretrained_file(NAMES[0]).parent.glob(f"{NAMES[0]}.*"):
        content = path.read_bytes()
        (tmp_path / path.name).write_bytes(content if path.suffix == ".json" else content + b"\0")
    monkeypatch.setattr(pretrained, "pretrained_files", lambda: {NAMES[0]: tmp_path / f"{NAMES[0]}.keras"})
    with pytest.raises(InputError, match="SHA-256"):
        tsdsae_keras.load_pretrained(NAMES[0])


def test_unknown_name():
    with pytest.raises(InputError, match="dmelodies-z16"):
        tsdsae_keras.load_pretrained("dmelodies-z1")
