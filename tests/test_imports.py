"""The import rules of docs/design.md, read off the sources."""

import ast
import graphlib
import subprocess
import sys
from pathlib import Path

import pytest

import tsdsae_keras

PACKAGE = Path(__file__).parents[1] / "tsdsae_keras"
ANYWHERE = {"errors", "files", "untrusted"}
REGISTRIES = {"=families", "=data.sets"}  # "=": the light module itself, not what is in its folder
LIGHT = {"options", "settings", "process", "backend", "arguments", "progress", *REGISTRIES}
SHARED = {"base", "networks", "ops", "groups", "data", "metrics", "training", "search", "report", "interop", *LIGHT}
TENSORS = {"keras", "numpy"}
SOUND = {"fluidsynth", "librosa", "pyloudnorm", "soundfile", "soxr"}
# room: (other packages, rooms of this package); a module has the rule of the nearest room around it.
RULES = {
    "errors": (set(), set()),
    "files": (set(), set()),
    "untrusted": (set(), set()),
    "process": (set(), set()),
    "progress": ({"rich"}, set()),
    "options": (set(), set()),
    "settings": (set(), {"options", *REGISTRIES}),
    "arguments": (set(), {"options", "settings", *REGISTRIES}),
    "backend": ({"keras"}, {"process", "settings", "data.prepared.pipeline"}),
    "ops": ({"keras"}, set()),
    "groups": (TENSORS, {"groups", "ops"}),
    "networks": (TENSORS, {"ops", "networks"}),
    "networks.native.tensorflow": ({"keras", "tensorflow"}, {"networks"}),
    "networks.native.jax": ({"jax", "keras"}, {"networks"}),
    "networks.native.torch": ({"torch"}, {"networks"}),
    "networks.replicas.tensorflow": ({"tensorflow"}, {"networks"}),
    "networks.replicas.torch": ({"torch"}, {"networks"}),
    "base": (TENSORS | {"h5py"}, {"base", "networks", "ops", "=families"}),
    "base.family": (set(), set()),
    "base.model_class": (set(), {"=families"}),
    "base.safety": ({"h5py", "keras"}, {"base.model_class"}),
    "base.steps.tensorflow": ({"keras", "tensorflow"}, {"base.steps.logs", "networks"}),
    "base.steps.jax": ({"keras", "jax"}, {"base.steps.logs"}),
    "base.steps.torch": ({"keras", "torch"}, {"base.steps.logs", "networks"}),
    "data": (
        TENSORS | SOUND | {"PIL", "h5py", "joblib", "scipy", "sklearn", "tensorflow"},
        {"data", "interop.pickles", "process", "options", "progress"},
    ),
    "data.audio.pitch_confidence": ({"numpy", "soxr"}, {"metrics.pitch"}),  # pYIN's one home
    "data.prepared.jobs": ({"dask", "distributed", "joblib", "ray"}, {"data"}),
    "data.sets.cards": (set(), {"data.sets.cards", "options", "=data.sets"}),
    "data.sets.triples": (TENSORS | {"scipy"}, {"data", "groups"}),  # which actions are elements of the group
    "data.sets.triple_files": (TENSORS | {"tensorflow"}, {"data", "interop.pickles"}),
    "metrics": ({"joblib", "librosa", "mir_eval", "numpy", "scipy", "sklearn"}, {"metrics"}),
    "training": (TENSORS, {"training", "base", "data", "metrics", *LIGHT}),
    "training.vmap_seeds": (TENSORS | {"jax"}, {"training", *LIGHT}),
    "training.devices.jax": (TENSORS | {"jax"}, {"training"}),
    "training.devices.launch": ({"torch"}, {"training"}),
    "training.devices.parts": (TENSORS | {"tensorflow"}, {"data", "training"}),
    "training.devices.tensorflow": ({"tensorflow"}, {"training"}),
    "training.devices.torch": ({"torch"}, {"training"}),
    "training.events": (TENSORS | {"soundfile", "tensorflow", "torch"}, {"training"}),
    "training.hparams": ({"tensorboard", "tensorflow"}, {"training"}),
    "search": (
        TENSORS | {"keras_tuner", "scipy", "matplotlib"},
        {"search", "training", "base", "data", "report", *LIGHT},
    ),
    "report": ({"jinja2", "matplotlib", "numpy", "soundfile"}, {"report"}),
    "interop": (TENSORS | {"librosa", "tensorflow"}, {"interop", "=families"}),
    "families": (set(), set()),
    "commands": (TENSORS | SOUND | {"jax", "packaging", "tensorflow", "torch"}, {"commands", *SHARED}),
    "cli": (set(), {"commands", *SHARED}),
    "": (set(), set()),
}
OF_A_FAMILY = TENSORS | SOUND | {"PIL", "joblib", "matplotlib", "mir_eval", "scipy", "sklearn"}


@pytest.mark.no_backend
def test_importing_the_package_loads_nothing_heavy():
    heavy = ["keras", "tensorflow", "jax", "torch", "librosa", "sklearn", "matplotlib"]
    command = f"import sys, tsdsae_keras.cli; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", command], capture_output=True, text=True)
    assert done.stdout.strip() == "[]", done.stderr


def test_every_public_name_is_there():
    for name in tsdsae_keras.__all__:
        assert getattr(tsdsae_keras, name) is not None


def test_any_module_can_be_imported_first():
    """In one process, which forgets this package between two modules but keeps Keras."""
    script = """
import importlib, sys
for name in sys.argv[1:]:
    importlib.import_module(f"tsdsae_keras.{name}")
    for each in [each for each in sys.modules if each.startswith("tsdsae_keras")]:
        del sys.modules[each]
"""
    modules = ("networks.dense", "networks.native", "ops", "base.steps")
    done = subprocess.run([sys.executable, "-c", script, *modules], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-500:]


@pytest.mark.no_backend
def test_loading_registers_every_class_that_can_be_saved():
    script = """
import keras, pathlib, re
from tsdsae_keras.base.loading import register_models
register_models()
known = {name for name in keras.saving.get_custom_objects() if name.startswith("tsdsae_keras>")}
pattern = r'register_keras_serializable\\(package="tsdsae_keras"\\)\\nclass (\\w+)'
texts = [path.read_text(encoding="utf-8") for path in pathlib.Path("tsdsae_keras").rglob("*.py")]
assert known == {f"tsdsae_keras>{name}" for text in texts for name in re.findall(pattern, text)} and known, known
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=PACKAGE.parent)
    assert done.returncode == 0, done.stderr[-500:]


def name_of(path):
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(part for part in parts if part != "__init__")


def rule_of(name):
    """The rule of the nearest room around a module; a family may import shared rooms and itself."""
    if name.startswith("families."):
        own = ".".join(name.split(".")[:2])
        return OF_A_FAMILY, {own, *SHARED}
    while name and name not in RULES:
        name = name.rpartition(".")[0]
    return RULES[name]


def imports_of(path):
    """Names of the modules that a file imports, wherever in it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module == "tsdsae_keras":
            yield from (f"tsdsae_keras.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            yield node.module


def is_allowed(name, rooms):
    """Whether a module of this package is in one of some rooms."""
    within = any(name == room or name.startswith(f"{room}.") for room in rooms | ANYWHERE)
    return within or any(name == room[1:] or is_name_in(name, room[1:]) for room in rooms if room[0] == "=")


def is_name_in(name, module):
    """Whether a dotted name means something that a module defines, rather than a module in its folder."""
    parent, _, last = name.rpartition(".")
    folder = PACKAGE.joinpath(*module.split("."))
    return parent == module and not (folder / last).is_dir() and not (folder / f"{last}.py").is_file()


@pytest.mark.no_backend
@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=name_of)
def test_rooms_import_only_what_they_may(path):
    packages, rooms = rule_of(name_of(path))
    for name in imports_of(path):
        top, _, rest = name.partition(".")
        if top in sys.stdlib_module_names:
            continue
        fine = is_allowed(rest, rooms) if top == "tsdsae_keras" else top in packages
        assert fine, f"{path.relative_to(PACKAGE)} may not import {name}"


def room_of(name):
    """The room of a module: its first name, of a family its first two; registries are rooms of their own."""
    parts = name.split(".")
    if parts[:2] == ["data", "sets"]:
        return "=data.sets" if len(parts) == 2 else "data"
    if parts[0] == "families":
        return "=families" if len(parts) == 1 else ".".join(parts[:2])
    return parts[0]


@pytest.mark.no_backend
def test_rooms_have_no_circle():
    arrows = {}
    for path in PACKAGE.rglob("*.py"):
        home = room_of(name_of(path) or "package")
        for name in imports_of(path):
            _, _, rest = name.partition("tsdsae_keras.")
            registry = next((each for each in ("families", "data.sets") if is_name_in(rest, each)), rest)
            if rest and home != "package" and room_of(registry) != home:
                arrows.setdefault(home, set()).add(room_of(registry))
    list(graphlib.TopologicalSorter(arrows).static_order())  # raises CycleError, which names the circle


@pytest.mark.no_backend
def test_the_tree_of_the_design_page_is_that_of_the_files():
    page = (PACKAGE.parent / "docs" / "design.md").read_text(encoding="utf-8")
    tree, folder = {}, None
    for line in page.partition("```tree\n")[2].partition("```")[0].splitlines():
        if not line.startswith(" "):
            folder = tree.setdefault(line, set())
        elif not line.lstrip().startswith("#"):
            folder |= set(line.split())
    files = {}
    for path in PACKAGE.rglob("*.py"):
        folder = files.setdefault(f"{path.parent.relative_to(PACKAGE.parent).as_posix()}/", set())
        folder |= {path.stem} - {"__init__"}
    assert tree == files
