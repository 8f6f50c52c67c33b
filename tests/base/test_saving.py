"""A saved model is the same model in a fresh process, on this and another backend, and trains in the right stage."""

import json
import os
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest

import tsdsae_keras
from tests import cases
from tsdsae_keras.base.loading import load_model
from tsdsae_keras.errors import InputError

SCRIPT = """
import json, sys
import tsdsae_keras, keras, numpy as np
folder = sys.argv[1]
x = np.load(folder + "/x.npy")
seen = {"backend": keras.backend.backend()}
for stage in (1, 2):
    model = tsdsae_keras.load_model(f"{folder}/stage{stage}.keras")
    outputs = model.predict(x, verbose=0)
    with np.load(f"{folder}/stage{stage}.npz") as expected:
        seen[f"error {stage}"] = max(float(np.abs(outputs[name] - expected[name]).max()) for name in expected)
    seen[f"stage {stage}"] = [model.stage, model.front_end]
    parts = {"local": (model.q_z, model.p_z), "prior": (model.informed_prior,)}
    def weights():
        return {name: [np.array(w) for part in some for w in part.get_weights()] for name, some in parts.items()}
    start = weights()
    model.fit(x, epochs=1, batch_size=4, verbose=0, callbacks=[tsdsae_keras.EnterStageTwo(1)])
    middle = weights()
    if stage == 1:
        model.fit(x, epochs=2, initial_epoch=1, batch_size=4, verbose=0, callbacks=[tsdsae_keras.EnterStageTwo(1)])
    end = weights()
    moved = lambda a, b, part: [bool((p != q).any()) for p, q in zip(a[part], b[part])]
    seen[f"moved {stage}"] = [moved(start, middle, "local"), moved(start, end, "local"), moved(middle, end, "prior")]
print("SEEN", json.dumps(seen))
"""
# Every backend reads what it wrote and what another wrote; that all read all is in test_any_family.py.
OWN = cases.BACKENDS.index(keras.backend.backend())
READERS = dict.fromkeys(cases.BACKENDS[(OWN + i) % len(cases.BACKENDS)] for i in (0, 1))
FRONT_END = {"sample_rate": 16000, "n_mels": 5}


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """A stage-1 and a stage-2 file with their inputs and outputs."""
    folder, x = tmp_path_factory.mktemp("saved"), cases.sequences(8)
    model = cases.compile_with_adam(cases.small(front_end=FRONT_END))
    for stage in (1, 2):
        model.enter_stage(stage)
        model.fit(x, epochs=1, batch_size=4, verbose=0)
        model.save(folder / f"stage{stage}.keras")
        np.savez(folder / f"stage{stage}.npz", **model.predict(x, verbose=0))
    np.save(folder / "x.npy", x)
    return folder


@pytest.mark.parametrize("backend", READERS)
def test_fresh_process(saved, backend):
    environment = os.environ | {"KERAS_BACKEND": backend}
    command = [sys.executable, "-c", SCRIPT, str(saved)]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=Path(__file__).parents[2])
    assert done.returncode == 0, done.stderr[-2000:]
    seen = json.loads(done.stdout.split("SEEN", 1)[1])
    assert seen["backend"] == backend
    for stage in (1, 2):
        assert seen[f"error {stage}"] < 1e-5
        assert seen[f"stage {stage}"] == [stage, FRONT_END]
    first_epoch, to_the_end, _ = seen["moved 1"]
    assert not any(first_epoch) and all(to_the_end)
    first_epoch, _, prior = seen["moved 2"]
    assert all(first_epoch) and not any(prior)


def test_config_makes_the_same_model():
    model = cases.small(stage=2, local_encoder="full", reduction="sum", swap_weights=(1, 0, 2, 1))
    again = tsdsae_keras.TSDSAE.from_config(json.loads(json.dumps(model.get_config())))
    assert again.get_config() == model.get_config()
    assert [w.shape for w in again.weights] == [w.shape for w in model.weights]


def test_files_of_another_kind_are_refused(tmp_path):
    other = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    other.save(tmp_path / "other.keras")
    (tmp_path / "text.keras").write_text("not a model")
    for name, words in (("other", "holds a Sequential"), ("text", "damaged"), ("none", "not a file")):
        with pytest.raises(InputError, match=words):
            load_model(tmp_path / f"{name}.keras")


def test_a_class_of_the_user_is_a_model_of_this_library(tmp_path):
    @keras.saving.register_keras_serializable(package="theirs")
    class Theirs(tsdsae_keras.DSAE):
        def __init__(self, *, more=1, **config):
            super().__init__(**config)
            self.more = more

        def get_config(self):
            return super().get_config() | {"more": self.more}

    Theirs(**cases.SIZES, more=7).save(tmp_path / "a.keras")
    assert load_model(tmp_path / "a.keras").more == 7
