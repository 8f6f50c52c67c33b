"""Trained models that come with the library, each with a card: what it learned from, under which licences, its scores.

families/FAMILY/weights/NAME.keras    the model, without the optimizer
families/FAMILY/weights/NAME.json     its card
"""

import json

from tsdsae_keras.base.loading import load_model
from tsdsae_keras.base.model_class import pretrained_files
from tsdsae_keras.errors import InputError
from tsdsae_keras.files import sha256_of


def pretrained_names():
    """The names of the trained models, sorted."""
    return sorted(pretrained_files())


def load_pretrained(name):
    """A trained model of this library, from the installed files; nothing is downloaded.

    Args:
        name: one of `pretrained_names()`, such as "dmelodies-z16".

    Returns:
        The model in its last stage, not compiled.

    Raises:
        InputError: no such name, or its file is not the one of its card.
    """
    return load_model(pretrained_file(name))


def pretrained_card(name):
    """What is known of a trained model: a dict with

    "name", "sha256" and "bytes" of the file, "parameters";
    "data": what it was trained on, with licence, synthesiser and the hash of the SoundFont; "licence" of the weights;
    "recipe": the settings of the run, seed included; "training": epochs, the one kept and its validation terms,
    seconds, backend and machine; "versions"; "scores": of `tsdsae-keras evaluate` on the test split.

    Raises:
        InputError: no such name.
    """
    if name not in pretrained_names():
        raise InputError(f"there is no trained model {name!r}; there are {', '.join(pretrained_names()) or 'none'}")
    return json.loads(pretrained_files()[name].with_suffix(".json").read_text(encoding="utf-8"))


def pretrained_file(name):
    """The path of a trained model's `.keras` file, its SHA-256 compared with that of the card.

    Raises:
        InputError: no such name, or the file is another one.
    """
    expected, path = pretrained_card(name)["sha256"], pretrained_files()[name]
    if sha256_of(path) != expected:
        raise InputError(f"{path} is not the file its card describes (SHA-256); install the library again")
    return path
