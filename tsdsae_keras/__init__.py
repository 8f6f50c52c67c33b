"""Representations whose parts mean something, learned without labels, on Keras 3.

Names are imported when they are first used, so that the command line can answer, and a backend can be chosen, before
Keras is loaded.
"""

import importlib
import logging

__version__ = "0.1.0"

logging.getLogger(__name__).addHandler(logging.NullHandler())  # a library prints nothing unless asked to

_HOME = {
    "families.tsdsae.dsae": ("DSAE", "DSAEf"),
    "families.tsdsae.model": ("TSDSAE",),
    "families.tsdsae.sequential": ("SequentialVAE",),
    "base.loading": ("load_model",),
    "base.model": ("RepresentationModel",),
    "families.tsdsae.building": ("make_model",),
    "base.pretrained": ("load_pretrained", "pretrained_card", "pretrained_names"),
    "training.callbacks": ("EnterStageTwo", "KeepBest", "SeedEpochs"),
    "families.tsdsae.interop.reference": ("from_reference_state",),
    "interop": ("from_reference",),
    "data.audio.logmel": ("FrontEnd",),
    "data.prepared.store": ("PreparedData",),
    "data.prepared.pipeline": ("SequenceStream",),
    "families.tsdsae.evaluation.evaluate": ("evaluate",),
    "errors": ("InputError",),
}
_NAMES = {name: home for home, names in _HOME.items() for name in names}
_ROOMS = ("base", "commands", "data", "families", "groups", "interop", "metrics", "networks", "ops", "report", "search")
_ROOMS += ("training",)

__all__ = ["__version__", *sorted(_NAMES)]


def __getattr__(name):
    if name in _ROOMS:
        return importlib.import_module(f"{__name__}.{name}")
    if name in _NAMES:
        return getattr(importlib.import_module(f"{__name__}.{_NAMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
