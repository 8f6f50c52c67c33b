"""A run on pairs that is killed and resumed ends in the same bytes: pairs and noise depend on (seed, epoch) alone."""

import keras
import pytest

from tests.processes import Script, said, wait_for

pytestmark = pytest.mark.slow

BACKEND = keras.backend.backend()
TRAIN = Script("train.py")
RUN = ["--model", "slowvae", "--data", "mixed", "--backend", BACKEND, "--epochs", "6", "--epoch-steps", "40"]
FINISHED = ("model.keras", "history.csv", "evaluation.json")


def test_killed_and_resumed_it_ends_in_the_same_bytes(tmp_path):
    TRAIN.finish(tmp_path, *RUN, "--out", "whole")
    process = TRAIN.start(tmp_path, *RUN, "--out", "broken")
    assert wait_for(process, lambda: len(list(tmp_path.glob("broken/checkpoints/*.ckpt"))) == 2), said(tmp_path)
    process.kill()
    assert process.wait() != 0 and not (tmp_path / "broken" / "evaluation.json").exists()
    TRAIN.finish(tmp_path, "--resume", "broken")
    for name in FINISHED:
        assert (tmp_path / "broken" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes(), name
