"""Which class, and so which family, a model file holds: read off its configuration. Light: no backend is loaded."""

import importlib.util
import json
import zipfile
from pathlib import Path

from tsdsae_keras.errors import InputError
from tsdsae_keras.families import all_families
from tsdsae_keras.untrusted import one_line, reason

CONFIG, LONGEST_CONFIG = "config.json", 1 << 20  # bytes, unpacked


def model_class(path):
    """The name of the class that a `.keras` file says it holds; InputError where the file cannot be read."""
    try:
        with zipfile.ZipFile(path) as archive:
            if archive.getinfo(CONFIG).file_size > LONGEST_CONFIG:
                raise ValueError(f"more than {LONGEST_CONFIG} bytes in {CONFIG}")
            return one_line(json.loads(archive.read(CONFIG))["class_name"], 60)
    except Exception as error:  # zipfile and json raise whatever damaged bytes happen to mean
        raise InputError(f"{path} is not a .keras file, or it is damaged ({reason(error)})") from None


def card_of(path):
    """The card of the family whose model a `.keras` file holds."""
    name = model_class(path)
    for card in all_families():
        if any(where.endswith(f":{name}") for where in card.classes):
            return card
    raise InputError(f"{path} holds a {name}, which is not a model of this library")


def pretrained_files():
    """{name: path of its `.keras` file} of the trained models of all families."""
    cards = [card for card in all_families() if card.weights]
    folders = [Path(importlib.util.find_spec(card.package).origin).parent / card.weights for card in cards]
    return {path.stem: path for folder in folders for path in folder.glob("*.keras")}
