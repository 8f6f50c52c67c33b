"""What the library needs or can use, and whether this machine has it: a check returns what it found, or raises."""

import importlib.metadata
import importlib.util
import os
import platform
import shutil
import sys
from pathlib import Path
from typing import NamedTuple

from tsdsae_keras.errors import InputError
from tsdsae_keras.training.devices.place import cores

OK, MISSING, FAILED = "ok", "missing", "FAILED"
PACKAGE = "tsdsae-keras"
BACKENDS = ("tensorflow", "jax", "torch")
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
LEAST = 1.0  # GiB of disk and of memory; dMelodies as prepared by default takes a quarter of it on disk
REINSTALL = "reinstall what it needs: pip install --force-reinstall -e ."


class Missing(Exception):
    """Something that is not needed is not there; the message says what it adds and how to install it."""


class Finding(NamedTuple):
    """A line of the table: how it is marked, what was looked at, what was found."""

    mark: str
    name: str
    text: str

    def __str__(self):
        return f"{self.mark:<9}{self.name:<13}{self.text}"


def look(name, check, remedy=REINSTALL):
    """The `Finding` of a check, whatever it raises; an `InputError` names its own remedy."""
    try:
        return Finding(OK, name, check())
    except Missing as missing:
        return Finding(MISSING, name, str(missing))
    except InputError as error:
        return Finding(FAILED, name, str(error))
    except Exception as error:  # a broken installation raises anything
        lines = str(error).strip().splitlines()
        return Finding(FAILED, name, f"{type(error).__name__}: {lines[0] if lines else 'no reason given'}; {remedy}")


def findings(load_backend):
    """The findings on this machine, one after the other.

    Args:
        load_backend: makes Keras run on the backend that was asked for.
    """
    yield look("Python", python)
    yield look("system", system)
    found = look("backend", lambda: backend(load_backend))
    yield found
    if found.mark == OK:
        yield look("devices", devices)
    yield look("packages", packages)
    yield look("FluidSynth", fluidsynth)
    yield look("SoundFont", soundfont)
    for name in BACKENDS:
        if not _in_use(name):
            yield look(name, lambda name=name: other_backend(name))
    yield look("Chromium", chromium)
    yield look("disk", disk)
    yield look("memory", memory)


def python():
    """The version, and which of those installed it is."""
    return f"{platform.python_version()} ({sys.executable})"


def system():
    """The operating system and its processors."""
    return f"{platform.platform()}, {os.cpu_count()} processors"


def backend(load):
    """The backend that Keras runs on, and its devices."""
    load()
    import keras

    name = keras.backend.backend()
    return f"{name} {sys.modules[name].__version__} on {', '.join(_devices(name))}"


def _devices(name):
    if name != "torch":
        import keras

        return keras.distribution.list_devices()
    import torch

    return [f"cuda:{i} {torch.cuda.get_device_name(i)}" for i in range(torch.cuda.device_count())] or ["cpu"]


def devices():
    """What `train --devices` can share a run between."""
    import keras

    name = keras.backend.backend()
    found = [each for each in _devices(name) if not each.startswith("cpu")]
    if found:
        return f"{len(found)} for train --devices: {', '.join(found)}"
    return f"no accelerator; train --devices shares the processor's {cores()} cores"


def packages():
    """Every required package with its version; InputError lists what is missing or too old."""
    from packaging.requirements import Requirement

    try:
        required = [Requirement(line) for line in importlib.metadata.requires(PACKAGE) or ()]
    except importlib.metadata.PackageNotFoundError:
        raise Missing("the library is not installed, so its requirements are unknown: pip install -e .") from None
    found = {each: _version(each.name) for each in required if not each.marker or each.marker.evaluate({"extra": ""})}
    wrong = [f"{each} ({version or 'missing'})" for each, version in found.items() if not _fits(each, version)]
    if wrong:
        raise InputError(f"needed: {', '.join(wrong)}: pip install -e .")
    return ", ".join(f"{each.name} {version}" for each, version in found.items())


def fluidsynth():
    """The C library."""
    from tsdsae_keras.data.audio.fluid_library import NotInstalled, load_module

    try:
        return str(load_module()._fl._name)
    except NotInstalled as error:
        raise Missing(f"{error} (adds real instruments; without it notes are rendered additively)") from None


def soundfont():
    """The font that FluidSynth would play."""
    from tsdsae_keras.data.audio.fluid_library import NotInstalled
    from tsdsae_keras.data.audio.soundfonts import find_font

    try:
        font = find_font()
    except NotInstalled as error:
        raise Missing(f"{error} (adds real instruments; without it notes are rendered additively)") from None
    return f"{font.name} ({font})"


def other_backend(name):
    """A backend that is not in use."""
    if importlib.util.find_spec(name) is None:
        raise Missing(f"pip install -e '.[{name}]' (adds --backend {name})")
    return f"{_version(name)} (use it by --backend {name})"


def chromium():
    """A browser without a window."""
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        raise Missing("apt-get install chromium (needed only by the tests of the report page)")
    return found


def disk():
    """Free space in the working folder, which must be writable."""
    free = shutil.disk_usage(".").free / 2**30
    if not os.access(".", os.W_OK):
        raise InputError(f"{Path.cwd()} cannot be written to: change to another folder")
    if free < LEAST:
        raise InputError(f"{free:.1f} GiB free in {Path.cwd()}: free at least {LEAST:.0f} GiB")
    return f"{free:.1f} GiB free in {Path.cwd()}"


def memory():
    """Memory in all and not in use."""
    total, free = _memory()
    if free < LEAST:
        raise InputError(f"{free:.1f} of {total:.1f} GiB available: close other programs until {LEAST:.0f} GiB is")
    return f"{free:.1f} of {total:.1f} GiB available"


def _memory():
    """(in all, available) in GiB."""
    table = Path("/proc/meminfo")
    if not table.is_file():
        raise Missing("unknown on this system")
    lines = dict(line.split(":") for line in table.read_text(encoding="ascii").splitlines())
    return tuple(int(lines[name].split()[0]) / 2**20 for name in ("MemTotal", "MemAvailable"))


def _in_use(name):
    return "keras" in sys.modules and sys.modules["keras"].backend.backend() == name


def _version(name):
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def _fits(requirement, version):
    return version is not None and requirement.specifier.contains(version, prereleases=True)
