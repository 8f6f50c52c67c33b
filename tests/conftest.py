"""One backend a run: KERAS_BACKEND, TensorFlow where it is not set.

Tests marked `no_backend` prove what does not depend on the backend: they run once, with TensorFlow, and not on the
others. The files that take longest come first, so that both processes of a run end at about the same time.
"""

import os
import tempfile
from importlib.metadata import version

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("JAX_DISABLE_MOST_OPTIMIZATIONS", "1")  # tests compile much and compute little
FAST_TO_COMPILE = "--xla_cpu_use_fusion_emitters=false"  # a third of the time, of a jitted function a quarter
if os.environ["KERAS_BACKEND"] == "jax" and version("jaxlib").startswith("0.10."):  # XLA stops at a flag it lacks
    flags = os.environ.get("XLA_FLAGS", "")
    os.environ["XLA_FLAGS"] = flags if FAST_TO_COMPILE in flags else f"{flags} {FAST_TO_COMPILE}".strip()
if os.environ["KERAS_BACKEND"] == "jax":
    # Many tests train the same small models: what one has compiled, the others and their processes take from here.
    if "JAX_COMPILATION_CACHE_DIR" not in os.environ:
        COMPILED = tempfile.TemporaryDirectory(prefix="compiled-")
        os.environ["JAX_COMPILATION_CACHE_DIR"] = COMPILED.name
    # Single operations are left out: to write and load them takes as long as compiling them.
    os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0.2")

# What numba compiles for librosa. Processes that store it in one place at once can load halves of each other's results,
# and crash; so each of pytest's has a folder of its own.
COMPILED_BY_NUMBA = tempfile.TemporaryDirectory(prefix="numba-")
os.environ["NUMBA_CACHE_DIR"] = COMPILED_BY_NUMBA.name

# By how long they take; of the first four that is their longer proofs.
LONGEST = (
    *("training/test_killed.py", "tsdsae/test_study.py", "search/test_killed.py", "test_your_own_sound.py"),
    *("training/test_train.py", "evaluation/test_evaluate_command.py", "sps/test_reference.py", "cpd/test_models.py"),
    *("tsdsae/test_models.py", "prepared/test_lengths.py", "interop/test_checkpoint.py", "base/test_saving.py"),
)


def rank(item):
    """The place of a test's file among the longest, behind all of them for any other."""
    path = item.path.as_posix()
    return next((place for place, end in enumerate(LONGEST) if path.endswith(end)), len(LONGEST))


def pytest_collection_modifyitems(config, items):
    items.sort(key=rank)
    if os.environ["KERAS_BACKEND"] == "tensorflow":
        return
    left_out = [item for item in items if item.get_closest_marker("no_backend")]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if not item.get_closest_marker("no_backend")]
