"""Loading and naming models."""

import importlib
import zipfile
from pathlib import Path

import keras

from tsdsae_keras.base.safety import check_model_file
from tsdsae_keras.errors import InputError
from tsdsae_keras.families.tsdsae.dsae import DSAE, DSAEf
from tsdsae_keras.families.tsdsae.model import SWAP_TERMS, TSDSAE
from tsdsae_keras.untrusted import reason

MODEL_MODULES = ("tsdsae_keras.families.tsdsae.dsae", "tsdsae_keras.families.tsdsae.model")
NAMES = {"tsdsae": TSDSAE, "tsdsae-noreg": TSDSAE, "dsae-f": DSAEf, "dsae": DSAE}


def make_model(name, *, swap_weights=(1.0, 1.0, 1.0, 1.0), **config):
    """A new model by its name: "tsdsae", "tsdsae-noreg" (all swap weights 0), "dsae-f" or "dsae".

    Args:
        name: of the model.
        swap_weights: of kl_v_gswap, kl_z_gswap, kl_v_lswap and kl_z_lswap, for "tsdsae".
        config: arguments of the model's class.
    """
    if name not in NAMES:
        raise InputError(f"the model is {name!r}; it must be {' or '.join(NAMES)}")
    if NAMES[name] is TSDSAE:
        weights = swap_weights if name == "tsdsae" else (0.0,) * len(SWAP_TERMS)
        config["term_weights"] = dict(zip(SWAP_TERMS, weights, strict=True))
    return NAMES[name](**config)


def register_models():
    """Imports every module that defines a model, which registers its classes with Keras."""
    for module in MODEL_MODULES:
        importlib.import_module(module)


def load_model(path):
    """A model of this library from a `.keras` file, in the stage it was saved in.

    The file may be untrusted: what it is, what it names and how large it is are checked before Keras reads it in safe
    mode (`safety.py`). It can also hold a subclass that the process itself has registered. `keras.saving.load_model`
    reads the same files once the class of the model was imported, without these checks.

    Args:
        path: such as "runs/NAME/model.keras".

    Raises:
        InputError: the file is missing, damaged, or holds something else.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(f"{path} is not a file; a saved model is a .keras file such as runs/NAME/model.keras")
    if path.suffix != ".keras" or not zipfile.is_zipfile(path):
        raise InputError(f"{path} is not a .keras file, or it is damaged")
    register_models()
    try:
        check_model_file(path)
    except InputError as error:
        raise InputError(f"{path} {error}") from None
    try:
        return keras.saving.load_model(path, safe_mode=True)
    except Exception as error:  # Keras raises whatever its parts raise
        raise InputError(f"{path} cannot be loaded as a model of this library: {reason(error)}") from error
