"""On several devices a model learns what it learns on one: weights, slots of the optimizer, logs, the guard."""

import os
import subprocess
import sys

import keras
import numpy as np
import pytest

from tests.processes import PATIENCE, ROOT
from tests.training.devices.fits import CASES, FEW

# "devices x processes"; each device of PyTorch is a process.
LAYOUTS = {"jax": ("2x1", "4x1", "1x2"), "tensorflow": ("2x1",), "torch": ("1x2",)}[keras.backend.backend()]


def fit(folder, names, *layouts):
    """{layout: {name: array}} of what some models learn in ten steps, on one device and in these layouts."""
    command = [sys.executable, "-m", "tests.training.devices.fits", str(folder), ",".join(names), "1x1", *layouts]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == 0, done.stderr[-3000:]
    return {layout: dict(np.load(folder / f"{layout}.npz")) for layout in ("1x1", *layouts)}


def check(found, expected):
    """Weights, slots and logs of the whole batch to 1e-4."""
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        np.testing.assert_allclose(found[name], value, rtol=1e-4, atol=1e-4, err_msg=name)


def test_several_devices_learn_what_one_learns(tmp_path):
    found = fit(tmp_path, FEW, LAYOUTS[0])
    check(found[LAYOUTS[0]], found["1x1"])
    assert found["1x1"]["tsdsae/log/skipped_steps"].sum() > 0


@pytest.mark.slow
def test_every_family_learns_on_several_devices_what_it_learns_on_one(tmp_path):
    found = fit(tmp_path, [name for name in CASES if name not in FEW], *LAYOUTS)
    for layout in LAYOUTS:
        check(found[layout], found["1x1"])


@pytest.mark.slow
@pytest.mark.skipif(len(LAYOUTS) == 1, reason="this backend has one layout")
def test_every_layout_learns_the_same(tmp_path):
    found = fit(tmp_path, FEW, *LAYOUTS[1:])
    for layout in LAYOUTS[1:]:
        check(found[layout], found["1x1"])
