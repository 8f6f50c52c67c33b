"""The methods, a folder each: which family a model belongs to. Light: no backend is loaded.

A new family is a folder with a card, `FAMILY` in its `__init__.py`, and a line here for each of its models. A program
can add a family of its own to `MODELS` before it calls the library: {"name of a model": "package.of.its.family"}.
"""

import importlib

from tsdsae_keras.errors import InputError

MODELS = {
    "tsdsae": "tsdsae_keras.families.tsdsae",
    "tsdsae-noreg": "tsdsae_keras.families.tsdsae",
    "dsae-f": "tsdsae_keras.families.tsdsae",
    "dsae": "tsdsae_keras.families.tsdsae",
    "slowvae": "tsdsae_keras.families.slowvae",
    "beta-vae": "tsdsae_keras.families.slowvae",
    "ada-gvae": "tsdsae_keras.families.slowvae",
    "ada-ml-vae": "tsdsae_keras.families.slowvae",
    "pcl": "tsdsae_keras.families.slowvae",
    "cpd": "tsdsae_keras.families.cpd",
    "mdp-homomorphism": "tsdsae_keras.families.cpd",
    "linear": "tsdsae_keras.families.cpd",
    "sps": "tsdsae_keras.families.sps",
    "sps-ae": "tsdsae_keras.families.sps",
    "sps-vae-nosymmetry": "tsdsae_keras.families.sps",
    "beta-vae-frames": "tsdsae_keras.families.sps",
    "selfie-style": "tsdsae_keras.families.selfie",
    "vicreg": "tsdsae_keras.families.selfie",
    "barlow": "tsdsae_keras.families.selfie",
    "align-uniform": "tsdsae_keras.families.selfie",
}


def find_family(model):
    """The card of the family of a model.

    Raises:
        InputError: no model has this name.
    """
    if model not in MODELS:
        raise InputError(f"--model is {model!r}; it must be {' or '.join(MODELS)}")
    return importlib.import_module(MODELS[model]).FAMILY


def all_families():
    """The cards of all families, in the order of `MODELS`."""
    return [importlib.import_module(package).FAMILY for package in dict.fromkeys(MODELS.values())]
