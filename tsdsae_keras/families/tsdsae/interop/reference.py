"""The authors' PyTorch states as models of this library.

Source of names and layouts: github yjlolo/dSEQ-VAE, commit 7d86958. Linear weights are (out, in), here (in, out). LSTM
gates come in the same order; PyTorch's two biases add up to the one of Keras.
"""

import numpy as np
from keras import ops

from tsdsae_keras.errors import InputError
from tsdsae_keras.families.tsdsae.checks import kernel_numbers
from tsdsae_keras.families.tsdsae.dsae import DSAE, DSAEf
from tsdsae_keras.families.tsdsae.interop.architecture import (
    BUFFERS,
    MEL_INVERSION,
    architecture_of,
    check_names,
    is_informed,
)
from tsdsae_keras.families.tsdsae.model import TSDSAE

MODELS = {"tsdsae": TSDSAE, "dsae-f": DSAEf, "dsae": DSAE}


def from_reference_state(state, *, model="tsdsae", stage=None):
    """A model with the weights of a state of the authors' code; it takes raw log-mel (`standardize=False`).

    Args:
        state: arrays by torch name, as in a `state_dict` ("net_v_encoder.layers.0.weight", ...).
        model: "tsdsae", "dsae-f" or "dsae". A state without a snapshot does not tell which of them it is.
        stage: of the model; by default 2 where the snapshot of the global encoder is there and 1 where not.

    Returns:
        The model, its architecture read off names and shapes; a TS-DSAE is in stage 2 where the snapshot is there.

    Raises:
        InputError: for unknown or missing names (they are listed), or a shape that does not fit.
    """
    if model not in MODELS:
        raise InputError(f"model is {model!r}; it must be {' or '.join(repr(name) for name in MODELS)}")
    surplus = {name for name in state if name in BUFFERS or name.startswith(MEL_INVERSION)}
    state = {name: np.asarray(value) for name, value in state.items() if name not in surplus}
    check_names(state)
    informed = is_informed(state)
    if informed and model != "tsdsae":
        raise InputError(f"the state has a snapshot (net_v_prior.*), which only TS-DSAE has; model is {model!r}")
    if stage is None:
        stage = 2 if informed else 1
    architecture = architecture_of(state) | {"standardize": False, "stage": stage}
    _check_size(architecture, state)
    built = MODELS[model](**architecture)
    for variable, sources in reference_names(built, informed):
        _assign(variable, sources, state)
    return built


def from_reference(name, state, **options):
    """`from_reference_state` as the library asks every family for it: the model comes first."""
    return from_reference_state(state, model=name, **options)


def reference_names(model, informed=None):
    """Pairs of a variable of the model and the torch names it corresponds to (two for the bias of an LSTM).

    Args:
        model: a model of this library.
        informed: whether to name the snapshot too; by default in stage 2 of a TS-DSAE.
    """
    parts = {
        "net_v_encoder": model.q_v.features,
        "net_v_mu": model.q_v.head.mean,
        "net_v_logvar": model.q_v.head.log_var,
        "net_feature": model.q_z.features,
        "net_z_mu": model.q_z.head.mean,
        "net_z_logvar": model.q_z.head.log_var,
        "net_z_prior": model.p_z,
        "net_z_prior_mu": model.p_z.head.mean,
        "net_z_prior_logvar": model.p_z.head.log_var,
        "net_decoder": model.p_x.trunk,
        "net_decoder_mu.0": model.p_x.output_layer,
    }
    prior = getattr(model, "informed_prior", None)
    if prior is not None and (model.stage == 2 if informed is None else informed):
        parts |= {
            "net_v_prior": prior.features,
            "net_v_mu_prior": prior.head.mean,
            "net_v_logvar_prior": prior.head.log_var,
        }
    return [pair for name, part in parts.items() for pair in _names_of_part(name, part)]


def _names_of_part(name, part):
    if hasattr(part, "ahead"):
        directions = ((part.ahead, ""), (part.back, "_reverse"))
        return [pair for stack, suffix in directions for pair in _names_of_lstms(name, stack, suffix)]
    if not hasattr(part, "stack"):
        return _names_of_linear(name, part)
    if hasattr(part.stack[0], "cell"):
        return _names_of_lstms(name, part.stack, "")
    return [pair for i, layer in enumerate(part.stack) for pair in _names_of_linear(f"{name}.layers.{2 * i}", layer)]


def _names_of_linear(name, layer):
    return [(layer.kernel, [f"{name}.weight"]), (layer.bias, [f"{name}.bias"])]


def _names_of_lstms(name, stack, suffix):
    pairs = []
    for i, layer in enumerate(stack):
        end = f"l{i}{suffix}"
        pairs += [
            (layer.cell.kernel, [f"{name}.rnn.weight_ih_{end}"]),
            (layer.cell.recurrent_kernel, [f"{name}.rnn.weight_hh_{end}"]),
            (layer.cell.bias, [f"{name}.rnn.bias_ih_{end}", f"{name}.rnn.bias_hh_{end}"]),
        ]
    return pairs


def _check_size(architecture, state):
    """Refuses shapes that cannot fit each other before a model is made, which could be far larger than the state."""
    needed, given = kernel_numbers(architecture), sum(value.size for value in state.values())
    if needed > given:
        raise InputError(f"the shapes do not fit each other: such a model has {needed} weights, the state {given}")


def _assign(variable, sources, state):
    value = sum(state[source].astype("float32") for source in sources)
    value = value.T if value.ndim == 2 else value
    if tuple(value.shape) != tuple(variable.shape):
        raise InputError(f"{sources[0]} has shape {state[sources[0]].shape}; {tuple(variable.shape[::-1])} would fit")
    variable.assign(ops.convert_to_tensor(value))
