"""`tsdsae-keras import-checkpoint --family slowvae`: a checkpoint of the authors' PyTorch code becomes a `.keras` file.

Their solver saves {"iter", "model_states": {"net": state}, "optim_states"}, in files without an ending ("last").
"""

import logging
from pathlib import Path

from tsdsae_keras.errors import InputError
from tsdsae_keras.families.slowvae.reference import from_reference
from tsdsae_keras.interop.new_files import check_new_model, save_new_model
from tsdsae_keras.interop.torch_files import read_checkpoint

log = logging.getLogger(__name__)

NESTED = ("model_states", "net", "state_dict")
REMEDY = "give a checkpoint of the authors' code, such as checkpoints/NAME/last, whole"


def import_checkpoint(file, model_file, model=None):
    """Converts a checkpoint and returns the model; what was found is logged.

    The file does not hold the weights of the loss, so that these are those of the paper. They matter to training alone.

    Args:
        file: of the authors' code, or a bare `state_dict`; PyTorch is not needed, and nothing in it is executed.
        model_file: a new `.keras` file.
        model: "slowvae" or "beta-vae", by default "slowvae".

    Raises:
        InputError: for files that cannot be read or written, or a state that makes no model.
    """
    model_file = Path(model_file)
    check_new_model(model_file)
    checkpoint = read_checkpoint(file, REMEDY, NESTED)
    try:
        built = from_reference(model or "slowvae", checkpoint.state)
    except InputError as error:
        raise InputError(f"{file}: {error}") from error
    save_new_model(built, model_file)
    source = "as --model says" if model else "assumed; for a beta-VAE give --model beta-vae"
    log.info(f"found: {model or 'slowvae'} ({source}); z_dim {built.z_dim}, channels {built.x_shape[-1]}")
    log.info(f"saved: {model_file} (takes frames (n, 64, 64, {built.x_shape[-1]}) between 0 and 1)")
    return built
