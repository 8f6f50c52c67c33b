"""`tsdsae-keras import-checkpoint`: a checkpoint of the authors' PyTorch code becomes a `.keras` file."""

import logging
from pathlib import Path

from tsdsae_keras.errors import InputError, quote
from tsdsae_keras.families.tsdsae.interop.architecture import is_informed
from tsdsae_keras.families.tsdsae.interop.reference import from_reference_state
from tsdsae_keras.families.tsdsae.model import SWAP_TERMS
from tsdsae_keras.interop.new_files import check_new_model, save_new_model
from tsdsae_keras.interop.torch_files import read_checkpoint

log = logging.getLogger(__name__)

CLASSES = {"TsDsae": "tsdsae", "FreezeDsae": "dsae-f", "Dsae": "dsae"}
SHOWN = ("features", "z_dim", "v_dim", "local_encoder", "global_encoder", "decoder")


def import_checkpoint(file, model_file, model=None):
    """Converts a checkpoint and returns the model, which continues in the stage the checkpoint was in.

    What was found is logged (see `tsdsae_keras.process`).

    Args:
        file: a Lightning checkpoint; PyTorch is not needed, and nothing in the file is executed.
        model_file: a new `.keras` file.
        model: "tsdsae", "dsae-f" or "dsae"; by default what the file itself says, else "tsdsae".

    Raises:
        InputError: for files that cannot be read or written, or a state that fits no model.
    """
    model_file = Path(model_file)
    check_new_model(model_file)
    checkpoint = read_checkpoint(file)
    name, source = _kind(checkpoint, model)
    try:
        built = _build(checkpoint, name)
    except InputError as error:
        raise InputError(f"{file}: {error}") from error
    save_new_model(built, model_file)
    epoch = "" if checkpoint.epoch is None else f", epoch {checkpoint.epoch}"
    log.info(f"found: {name} ({source}), stage {built.stage}{epoch}; {_architecture(built)}")
    log.info(f"saved: {model_file} (takes log-mel as the authors made it: what `tsdsae-keras prepare` makes)")
    return built


def _kind(checkpoint, model):
    """(name of the model, where that is known from)."""
    if model is not None:
        return model, "as --model says"
    if is_informed(checkpoint.state):
        return "tsdsae", "it has the snapshot"
    target = checkpoint.setting("model", "_target_")
    name = CLASSES.get(str(target).split(".")[-1])
    return (name, f"the file names {target}") if name else ("tsdsae", "assumed; if it is another, give --model")


def _build(checkpoint, name):
    nonlin = checkpoint.setting("nonlin", default="tanh")
    if nonlin != "tanh":
        raise InputError(f"the checkpoint was trained with nonlin={quote(nonlin)}; only 'tanh' can be imported")
    model = from_reference_state(checkpoint.state, model=name, stage=_stage(checkpoint, name))
    weights = checkpoint.setting("reg_weights")
    return model if name != "tsdsae" or weights is None else _with_swap_weights(model, weights)


def _stage(checkpoint, name):
    """The stage of DSAE-f, which only the epochs tell: 2 from epoch C on."""
    switch = checkpoint.setting("C")
    known = name == "dsae-f" and type(switch) is int and checkpoint.epoch is not None
    return 1 + (checkpoint.epoch >= switch) if known else None


def _with_swap_weights(model, weights):
    """The same model with the weights of the swap terms it was trained with."""
    if not isinstance(weights, list) or len(weights) != len(SWAP_TERMS):
        raise InputError(f"the checkpoint has reg_weights {quote(weights)}; {len(SWAP_TERMS)} numbers are expected")
    config = model.get_config()
    config["term_weights"] = config["term_weights"] | dict(zip(SWAP_TERMS, weights, strict=True))
    weighted = type(model).from_config(config)
    weighted.set_weights(model.get_weights())
    return weighted


def _architecture(model):
    return ", ".join(f"{name} {getattr(model, name)}" for name in SHOWN)
