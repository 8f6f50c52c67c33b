"""The authors' PyTorch states as models of this library.

Source of names and layouts: github equivariant-ml/equivariant-representation-learning, commit 193c0c6. Convolutions are
(out, in, h, w), here (h, w, in, out); transposed ones (in, out, h, w), here (h, w, out, in): the same transposition.
"""

import math

import numpy as np

from tsdsae_keras.errors import InputError
from tsdsae_keras.families.cpd.baselines import VECTOR, Linear, MDPHomomorphism
from tsdsae_keras.families.cpd.checks import check_choice
from tsdsae_keras.families.cpd.model import CPD
from tsdsae_keras.groups import find_group

NORM = {"weight": "gamma", "bias": "beta", "running_mean": "moving_mean", "running_var": "moving_variance"}
EXTRA = {"cpd": 8, "linear": 3}  # numbers of the class in the published commands, where the weights cannot tell
SHOWN = 12


def from_reference(name, state, *, group="translate", encoder="cnn", class_loss="info_nce", decoder=False, **config):
    """A model with the weights of a state of the authors' code.

    Args:
        name: "cpd", "mdp-homomorphism" or "linear".
        state: arrays by torch name, as in a `state_dict` ("encoder.0.weight", ...). Counts of batches are not looked
            at, nor the weights of a decoder that is not asked for.
        group: of the actions, a name in `tsdsae_keras.groups.POSES`.
        encoder: "cnn" or "resnet".
        class_loss: of "cpd"; the baselines have the hinge.
        decoder: whether the state's decoder is wanted.
        config: further arguments of the model's class. "extra_dim" decides how many of the encoder's outputs are the
            class where the group is "translate"; 8 by default ("linear": 3).

    Raises:
        InputError: names are unknown or missing (they are listed), or a shape does not fit.
    """
    check_choice("the model", name, ("cpd", "mdp-homomorphism", "linear"))
    check_choice("encoder", encoder, ("cnn", "resnet"))
    state = _plain(state, decoder)
    first, last = ("encoder.0", "encoder.11") if encoder == "cnn" else ("encoder.conv1", "encoder.linear")
    _check_names({f"{first}.weight", f"{last}.weight"}, state, unknown=False)
    kernel, outputs = state[f"{first}.weight"], len(state[f"{last}.weight"])
    how = {"group": group, "encoder": encoder, "channels": kernel.shape[1], "width": kernel.shape[0]}
    if encoder == "cnn":
        how["batch_norm"] = False
    if name == "mdp-homomorphism":
        model = _mdp(state, how | config)
    else:
        # The authors' ResNet puts out twice as many numbers as it uses.
        numbers = outputs if encoder == "cnn" else outputs // 2
        how |= _split_outputs(name, group, numbers, config)
        model = Linear(**how) if name == "linear" else CPD(**how, class_loss=class_loss, decoder=decoder)
    _assign(model, state)
    return model


def _plain(state, decoder):
    """The arrays by their names in a model of one encoder."""
    state = {name: np.asarray(value) for name, value in state.items() if not name.endswith("num_batches_tracked")}
    if any(name.startswith("encoder.encoder.") for name in state):
        state = {name.removeprefix("encoder.") if name.count("encoder.") > 1 else name: state[name] for name in state}
    return {name: value for name, value in state.items() if decoder or not name.startswith("decoder.")}


def _split_outputs(name, group, numbers, config):
    """dims and extra_dim from the encoder's outputs."""
    kind = VECTOR if name == "linear" and str(group).startswith("rotate") else group
    if kind == "translate":
        extra = config.get("extra_dim", EXTRA[name])
        return config | {"dims": numbers - extra, "extra_dim": extra}
    return {"extra_dim": numbers - find_group(kind).action_dim} | config


def _mdp(state, how):
    _check_names({"f_out.0.weight", "f_out.4.weight"}, state, unknown=False)
    units, fan = state["f_out.0.weight"].shape
    latent = len(state["f_out.4.weight"])
    if how["group"] == "translate":
        how["dims"] = fan - latent
    elif fan - latent != math.prod(find_group(how["group"]).action_shape):
        raise InputError(f"f_out.0.weight takes actions of {fan - latent} numbers, which group {how['group']} has not")
    return MDPHomomorphism(**how, latent_dim=latent, units=units)


def reference_names(model):
    """{torch name: variable} of a model."""
    names = _of_encoder(model) | (_of_decoder(model) if getattr(model, "image_decoder", None) is not None else {})
    for i, layer in enumerate(getattr(model, "action_layers", ())):
        names |= _plain_layer(f"f_out.{2 * i}", layer)
    return names


def _of_encoder(model):
    encoder = model.image_encoder
    if model.encoder == "cnn":
        layers = {f"encoder.{2 * i}": conv for i, conv in enumerate(encoder.convs)} | {"encoder.11": encoder.linear}
        return _join(_plain_layer(name, layer) for name, layer in layers.items())
    parts = [_plain_layer("encoder.conv1", encoder.conv), _norm("encoder.bn1", encoder.norm)]
    parts += [_block(f"encoder.{_place(block)}", block) for block in encoder.blocks]
    return _join([*parts, _plain_layer("encoder.linear", encoder.linear)])


def _of_decoder(model):
    decoder = model.image_decoder
    if model.encoder == "cnn":
        layers = {"decoder.0": decoder.linear} | {f"decoder.{2 * i + 3}": conv for i, conv in enumerate(decoder.convs)}
        return _join(_plain_layer(name, layer) for name, layer in layers.items())
    parts = [_plain_layer("decoder.linear", decoder.linear), _plain_layer("decoder.conv1.conv", decoder.conv)]
    return _join([*parts, *(_block(f"decoder.{_place(block)}", block, ".conv") for block in decoder.blocks)])


def _place(block):
    """ "layer2.0" of "block_2_0"."""
    _, stage, number = block.name.split("_")
    return f"layer{stage}.{number}"


def _block(name, block, resized=""):
    """A block of either network; `resized` is what the decoder's names of convolutions that enlarge end in."""
    resized = resized if block.stride > 1 else ""
    parts = [_plain_layer(f"{name}.conv1{resized}", block.conv1), _plain_layer(f"{name}.conv2", block.conv2)]
    parts += [_norm(f"{name}.bn1", block.norm1), _norm(f"{name}.bn2", block.norm2)]
    if block.shortcut is not None:
        parts += [_plain_layer(f"{name}.shortcut.0{resized}", block.shortcut)]
        parts += [_norm(f"{name}.shortcut.1", block.shortcut_norm)]
    return _join(parts)


def _plain_layer(name, layer):
    bias = {f"{name}.bias": layer.bias} if layer.bias is not None else {}
    return {f"{name}.weight": layer.kernel} | bias


def _norm(name, layer):
    return {f"{name}.{torch}": getattr(layer, own) for torch, own in NORM.items()}


def _join(dicts):
    return {name: value for each in dicts for name, value in each.items()}


def _assign(model, state):
    names = reference_names(model)
    _check_names(set(names), state)
    for name, variable in names.items():
        value = state[name]
        if name.startswith("encoder.linear") and len(value) == 2 * variable.shape[-1]:
            value = value[: variable.shape[-1]]
        value = value.transpose((2, 3, 1, 0)) if value.ndim == 4 else value.T
        if value.shape != tuple(variable.shape):
            raise InputError(f"{name} has shape {state[name].shape}, which does not fit a model with {variable.shape}")
        variable.assign(value)


def _check_names(expected, state, unknown=True):
    for what, names in (
        ("lacks", expected - set(state)),
        ("has unknown names", set(state) - expected if unknown else set()),
    ):
        if names:
            shown = ", ".join(sorted(names)[:SHOWN]) + (f" and {len(names) - SHOWN} more" if len(names) > SHOWN else "")
            raise InputError(f"the state {what}: {shown}")
