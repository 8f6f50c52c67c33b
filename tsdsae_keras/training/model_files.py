"""Which file a user means by a model: a run folder, a `.keras` file, or the name of a trained model of the library."""

from pathlib import Path

from tsdsae_keras.base.loading import load_model
from tsdsae_keras.base.pretrained import pretrained_file, pretrained_names
from tsdsae_keras.errors import InputError
from tsdsae_keras.training.run import RunFolder


def model_file(given):
    """The path of the `.keras` file; a file or folder of the user's comes before a trained model of the same name.

    Raises:
        InputError: as `pretrained_file`.
    """
    path = Path(given)
    if path.is_dir():
        return RunFolder(path).model
    return pretrained_file(str(given)) if is_pretrained(given) else path


def is_pretrained(given):
    """Whether a trained model of the library is meant."""
    return not Path(given).exists() and str(given) in pretrained_names()


def open_model(given, model_class, wanted):
    """A model of one family: `given` itself, or what `model_file` finds under it.

    Args:
        given: a model, a run folder, a `.keras` file, or the name of a trained model of the library.
        model_class: what it must be an instance of.
        wanted: a description of that for the message.

    Raises:
        InputError: it is a model of another class, or it cannot be loaded.
    """
    model = load_model(model_file(given)) if isinstance(given, str | Path) else given
    if not isinstance(model, model_class):
        raise InputError(f"the model is a {type(model).__name__}; give {wanted}")
    return model
