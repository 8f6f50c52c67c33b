"""Which Keras backend a process uses: chosen once, before Keras is imported. Light."""

import contextlib
import hashlib
import importlib.util
import os
import platform
from pathlib import Path

from tsdsae_keras.errors import InputError
from tsdsae_keras.process import keep_memory, no_chatter
from tsdsae_keras.settings import BACKENDS


def choose_backend(name):
    """Tells Keras which backend to load when it is imported."""
    if importlib.util.find_spec(name) is None:
        raise InputError(f"--backend {name} needs {name}, which is not installed: pip install -e '.[{name}]'")
    os.environ["KERAS_BACKEND"] = name
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    if name == "jax" and "JAX_COMPILATION_CACHE_DIR" not in os.environ:
        # Without it every run compiles its programs again; RuntimeError: the user has no home.
        with contextlib.suppress(OSError, RuntimeError):
            folder = compiled_folder()
            folder.mkdir(parents=True, exist_ok=True)
            os.environ["JAX_COMPILATION_CACHE_DIR"] = str(folder)


def compiled_folder():
    """Where JAX keeps what it compiled: in the user's cache, by processor, since programs hold its instructions."""
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    about = Path("/proc/cpuinfo")
    flags = {line for line in about.read_text().splitlines() if line.startswith("flags")} if about.exists() else ()
    kind = hashlib.sha256(" ".join([platform.processor(), *sorted(flags)]).encode()).hexdigest()[:8]
    return Path(home) / "tsdsae_keras" / f"jax-{platform.machine()}-{kind}"


def use_backend(name):
    """Chooses the backend and imports Keras; possible only before anything else has imported it."""
    choose_backend(name)
    with no_chatter():
        import keras
    if keras.backend.backend() != name:
        raise InputError(f"Keras already runs on another backend; start a new process for --backend {name}")


def load_all(backend):
    """The backend, then the pipeline, which loads TensorFlow for its tf.data on every backend."""
    keep_memory()
    use_backend(backend)
    with no_chatter():
        import tsdsae_keras.data.prepared.pipeline  # noqa: F401


def asked_backend(options):
    """The backend of the option, else of the environment, else the usual one."""
    name = options.pop("backend", None) or os.environ.get("KERAS_BACKEND") or "tensorflow"
    if name not in BACKENDS:
        raise InputError(f"KERAS_BACKEND is {name!r}; it must be tensorflow or jax or torch")
    return name
