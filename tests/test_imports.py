"""The import rules of docs/design.md, read off the sources."""

import ast
import importlib
import subprocess
import sys
from pathlib import Path

import pytest

import tsdsae_keras

PACKAGE = Path(__file__).parents[1] / "tsdsae_keras"
ANYWHERE = {"errors", "files"}
# room: (other packages, rooms of this package)
RULES = {
    "errors": (set(), set()),
    "files": (set(), set()),
    "settings": (set(), set()),
    "process": (set(), set()),
    "ops": ({"keras"}, set()),
    "groups": ({"keras", "numpy"}, {"groups", "ops"}),
    "networks": ({"keras", "numpy"}, {"ops", "networks"}),
    "networks.native.tensorflow": ({"keras", "tensorflow"}, {"networks"}),
    "networks.native.jax": ({"jax", "keras"}, {"networks"}),
    "networks.native.torch": ({"torch"}, {"networks"}),
    "base": ({"keras", "numpy"}, {"base", "networks", "ops"}),
    "base.loading": (None, None),
    "base.safety": (None, None),
    "base.pretrained": (None, None),
    "base.steps.tensorflow": ({"keras", "tensorflow"}, {"base.steps.logs"}),
    "base.steps.jax": ({"keras", "jax"}, {"base.steps.logs"}),
    "base.steps.torch": ({"keras", "torch"}, {"base.steps.logs"}),
    "base.steps": ({"keras"}, set()),
    "training": (None, None),
    "data": (
        {"fluidsynth", "joblib", "keras", "librosa", "numpy", "scipy", "sklearn", "soundfile", "soxr", "tensorflow"},
        {"data", "process"},
    ),
    "data.prepared.jobs": ({"dask", "distributed", "joblib", "ray"}, {"data"}),
    "data.prepared.progress": ({"rich"}, set()),
    "metrics": ({"joblib", "keras", "librosa", "mir_eval", "numpy", "scipy", "sklearn"}, {"metrics", "families"}),
    "report": ({"jinja2", "matplotlib", "numpy", "soundfile"}, {"report"}),
    "interop": ({"keras", "librosa", "numpy", "tensorflow"}, {"interop", "base"}),
    "families": (None, None),
    "search": (None, None),
    "commands": (None, None),
    "cli": (None, None),
    "": ({"wrapt"}, set()),
}


def test_importing_the_package_loads_nothing_heavy():
    heavy = ["keras", "tensorflow", "jax", "torch", "librosa", "sklearn", "matplotlib"]
    command = f"import sys, tsdsae_keras.cli; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", command], capture_output=True, text=True)
    assert done.stdout.strip() == "[]", done.stderr


def test_every_public_name_is_there():
    for name in tsdsae_keras.__all__:
        assert getattr(tsdsae_keras, name) is not None


FIRST = ("networks.dense", "networks.native", "ops", "base.steps")


@pytest.mark.parametrize("module", FIRST)
def test_any_module_can_be_imported_first(module):
    done = subprocess.run([sys.executable, "-c", f"import tsdsae_keras.{module}"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-500:]


def test_keras_is_told_of_all_that_can_be_saved():
    import keras

    importlib.import_module("tsdsae_keras.base.loading")
    known = keras.saving.get_custom_objects()
    kinds = {name.partition(">")[2]: kind for name, kind in known.items() if name.startswith("tsdsae_keras>")}
    assert set(kinds) == set(tsdsae_keras._SAVED)
    assert all(isinstance(kind, type) for kind in kinds.values())


def name_of(path):
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(part for part in parts if part != "__init__")


def rule_of(name):
    """The rule of the nearest room around a module."""
    while name and name not in RULES:
        name = name.rpartition(".")[0]
    return RULES[name]


def imported(path):
    """Names of the modules that a file imports, wherever in it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module == "tsdsae_keras":
            yield from (f"tsdsae_keras.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            yield node.module


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=name_of)
def test_rooms_import_only_what_they_may(path):
    packages, rooms = rule_of(name_of(path))
    if packages is None:
        return
    for name in imported(path):
        top, _, rest = name.partition(".")
        if top in sys.stdlib_module_names:
            continue
        if top != "tsdsae_keras":
            assert top in packages, f"{path.relative_to(PACKAGE)} may not import {name}"
        else:
            allowed = any(rest == room or rest.startswith(f"{room}.") for room in rooms | ANYWHERE)
            assert allowed, f"{path.relative_to(PACKAGE)} may not import {name}"
