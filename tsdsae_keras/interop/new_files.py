"""Model files that are made of others' checkpoints: new ones, nothing is overwritten."""

from tsdsae_keras.errors import InputError
from tsdsae_keras.files import replacing


def check_new_model(path):
    """InputError where a `.keras` file cannot be made at a path, before any work is done for it."""
    if path.suffix != ".keras":
        raise InputError(f"{path} must end in .keras, such as {path.with_suffix('.keras').name}")
    if path.exists() or path.is_symlink():
        raise InputError(f"{path} exists; give another name, nothing is overwritten")
    if not path.parent.is_dir():
        raise InputError(f"{path.parent} is not a folder; make it first: mkdir -p {path.parent}")


def save_new_model(model, path):
    """Writes a model whole or not at all; InputError where the disk refuses it."""
    try:
        with replacing(path) as temporary:
            model.save(temporary)
    except OSError as error:
        raise InputError(f"{path} cannot be written ({error.strerror or error}); give another place") from error
