"""Loading models from files."""

import zipfile
from pathlib import Path

import keras

from tsdsae_keras.base.safety import check_model_file
from tsdsae_keras.errors import InputError
from tsdsae_keras.families import all_families
from tsdsae_keras.untrusted import reason


def register_models():
    """Tells Keras the classes of all models that the library, and the program that uses it, have named."""
    for card in all_families():
        card.register()


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
