"""Unsupervised separation of what stays from what moves in a sequence, on Keras 3.

Names are imported when they are first used, so that the command line can answer, and a backend can be chosen, before
Keras is loaded. The models are registered with Keras as soon as Keras itself is imported.
"""

import importlib

import wrapt

__version__ = "0.1.0"

_HOME = {
    "DSAE": "models.dsae",
    "DSAEf": "models.dsae",
    "TSDSAE": "models.tsdsae",
    "SequentialVAE": "models.base",
    "EnterStageTwo": "training.callbacks",
    "InputError": "errors",
    "from_reference_state": "interop.reference",
    "PreparedData": "data.store",
    "FrontEnd": "data.features",
    "evaluate": "evaluation.evaluate",
}
_ROOMS = ("data", "evaluation", "interop", "layers", "models", "ops", "report", "training")

__all__ = ["__version__", *sorted(_HOME)]


def __getattr__(name):
    if name in _ROOMS:
        return importlib.import_module(f"{__name__}.{name}")
    if name in _HOME:
        return getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


@wrapt.when_imported("keras")
def _register_models(_):
    """`keras.saving.load_model` finds a class by its registered name only."""
    for home in ("models.dsae", "models.tsdsae"):
        importlib.import_module(f"{__name__}.{home}")
