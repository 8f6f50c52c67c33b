"""Unsupervised separation of what stays from what moves in a sequence, on Keras 3.

Names are imported when they are first used, so that the command line can answer, and a backend can be chosen, before
Keras is loaded. The models are registered with Keras as soon as Keras itself is imported.
"""

import importlib

import wrapt

__version__ = "0.1.0"

_HOME = {
    "models": ("DSAE", "DSAEf", "SequentialVAE", "TSDSAE", "load_model", "make_model"),
    "models.pretrained": ("load_pretrained", "pretrained_card", "pretrained_names"),
    "training.callbacks": ("EnterStageTwo", "KeepBest", "SeedEpochs"),
    "interop": ("from_reference_state",),
    "data.features": ("FrontEnd",),
    "data.store": ("PreparedData",),
    "data.pipeline": ("SequenceStream",),
    "evaluation.evaluate": ("evaluate",),
    "errors": ("InputError",),
}
_NAMES = {name: home for home, names in _HOME.items() for name in names}
_ROOMS = ("commands", "data", "evaluation", "interop", "layers", "models", "ops", "report", "training")

__all__ = ["__version__", *sorted(_NAMES)]


def __getattr__(name):
    if name in _ROOMS:
        return importlib.import_module(f"{__name__}.{name}")
    if name in _NAMES:
        return getattr(importlib.import_module(f"{__name__}.{_NAMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


@wrapt.when_imported("keras")
def _register_models(_):
    """`keras.saving.load_model` finds a class by its registered name only."""
    importlib.import_module(f"{__name__}.models")
