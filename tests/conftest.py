"""One backend a run: KERAS_BACKEND, TensorFlow where it is not set.

Code that no backend runs in is tested once, with TensorFlow, and left out on the others.
"""

import os
import tempfile
from pathlib import Path

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("JAX_DISABLE_MOST_OPTIMIZATIONS", "1")  # tests compile much and compute little
if os.environ["KERAS_BACKEND"] == "jax" and "JAX_COMPILATION_CACHE_DIR" not in os.environ:
    # Many tests train the same small models: what one has compiled, the others and their processes take from here.
    COMPILED = tempfile.TemporaryDirectory(prefix="compiled-")
    os.environ["JAX_COMPILATION_CACHE_DIR"] = COMPILED.name
    os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0.2")

HERE = Path(__file__).parent
WITHOUT_BACKEND = (
    "families/tsdsae/evaluation/",
    "metrics/",
    "report/",
    "test_settings.py",
    "test_untrusted.py",
    "training/test_events.py",
    "training/test_hparams.py",
    *(f"search/test_{name}.py" for name in ("objective", "space", "results")),
    "training/test_untrusted.py",
    *(f"data/audio/test_{name}.py" for name in ("sound_files", "logmel", "inversion", "synthesis")),
    *(f"data/prepared/test_{name}.py" for name in ("store", "untrusted", "splits")),
    *(f"data/sets/test_{name}.py" for name in ("dmelodies", "melodies", "segments", "urmp", "nsynth", "adapters")),
    *(f"data/sets/test_{name}.py" for name in ("folder", "folder_faults")),
)


def pytest_collection_modifyitems(config, items):
    if os.environ["KERAS_BACKEND"] == "tensorflow":
        return
    left_out = [item for item in items if item.path.relative_to(HERE).as_posix().startswith(WITHOUT_BACKEND)]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if item not in set(left_out)]
