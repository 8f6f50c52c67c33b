"""The doctor says what is there and what is not, a line each, and never ends in a traceback."""

import logging
import os

import pytest

from tsdsae_keras import cli
from tsdsae_keras.commands import checks
from tsdsae_keras.commands.doctor import doctor
from tsdsae_keras.data.audio.soundfonts import FONT_VARIABLE
from tsdsae_keras.errors import InputError

BACKEND = os.environ["KERAS_BACKEND"]


def test_all_is_well_here(capsys):
    assert cli.main(["doctor"]) == 0
    lines = capsys.readouterr().out.splitlines()
    found = {line.split()[1]: line for line in lines if line.startswith(("ok", "missing"))}
    assert f"{BACKEND} " in found["backend"] and f" {os.cpu_count()} processors" in found["system"]
    assert "keras 3" in found["packages"] and "numpy" in found["packages"]
    assert "train --devices" in found["devices"]
    others = {"tensorflow", "jax", "torch"} - {BACKEND}
    parts = ("Python", "FluidSynth", "SoundFont", "Chromium", "disk", "memory", "data", "training", "saving")
    assert set(found) == {"backend", "devices", "system", "packages", *parts, *others}
    assert "has the loss of the saved one" in found["saving"] and lines[-1] == "everything needed works"


def test_a_broken_font_is_said(monkeypatch, capsys):
    monkeypatch.setenv(FONT_VARIABLE, "/nonexistent")
    assert cli.main(["doctor"]) == 1
    failed = [line for line in capsys.readouterr().out.splitlines() if line.startswith("FAILED")]
    assert [line.split()[1] for line in failed] == ["SoundFont", "data"]
    assert all("SoundFont /nonexistent (from TSDSAE_SOUNDFONT) does not exist: give" in line for line in failed)


@pytest.mark.parametrize("error", (InputError("needs x: pip install x"), ImportError("bad x\nand more"), OSError()))
def test_a_backend_that_does_not_load_is_a_line(error, caplog):
    caplog.set_level(logging.INFO, logger="tsdsae_keras")

    def load():
        raise error

    assert doctor(load) == 1
    said = caplog.messages
    (line,) = [line for line in said if line.startswith("FAILED")]
    text = {"InputError": "needs x: pip install x", "ImportError": "ImportError: bad x; reinstall"}
    assert text.get(type(error).__name__, "OSError: no reason given; reinstall") in line and "\n" not in line
    assert "no self-test" in said[-2] and said[-1] == "\nproblems: backend"


def test_what_is_not_needed_is_missing_and_named_with_its_remedy(monkeypatch):
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(checks.importlib.util, "find_spec", lambda name: None)
    assert checks.look("Chromium", checks.chromium)[0] == "missing"
    finding = checks.look("jax", lambda: checks.other_backend("jax"))
    assert finding.mark == "missing" and "pip install -e '.[jax]'" in finding.text


def test_packages_that_are_needed_are_compared(monkeypatch):
    required = ["numpy>=99", "not-there-at-all", "keras>=3", "pytest; extra == 'test'"]
    monkeypatch.setattr(checks.importlib.metadata, "requires", lambda name: required)
    finding = checks.look("packages", checks.packages)
    assert finding.mark == "FAILED" and "numpy>=99 (2" in finding.text and "not-there-at-all (missing)" in finding.text
    assert "keras" not in finding.text and "pytest" not in finding.text


def test_an_unknown_backend_in_the_environment_is_a_line(monkeypatch, capsys):
    monkeypatch.setenv("KERAS_BACKEND", "foo")
    assert cli.main(["doctor"]) == 2
    assert capsys.readouterr().err == "error: KERAS_BACKEND is 'foo'; it must be tensorflow or jax or torch\n"
