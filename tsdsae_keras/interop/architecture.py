"""What a state of the authors' PyTorch code says of its architecture, read off names and shapes."""

import re

from tsdsae_keras.errors import InputError

SNAPSHOT = "net_v_prior."
BUFFERS = ("z_prior_mu_0", "z_prior_logvar_0", "z_pos_0")  # zeros: N(0, I) at the first frame


def architecture_of(state):
    """The constructor arguments of a model that can hold the state: widths, kinds, dimensions.

    Args:
        state: arrays by torch name.
    """
    local_kind, local_units = _trunk(state, "net_feature")
    global_kind, global_units = _trunk(state, "net_v_encoder")
    decoder_kind, decoder_units = _trunk(state, "net_decoder")
    _, transition_units = _trunk(state, "net_z_prior")
    features, v_dim = _rows(state, "net_decoder_mu.0.weight"), _rows(state, "net_v_mu.weight")
    return {
        "features": features,
        "z_dim": _rows(state, "net_z_mu.weight"),
        "v_dim": v_dim,
        "local_encoder": "full" if local_kind == "sequence" else "factorised",
        "global_encoder": global_kind,
        "decoder": decoder_kind,
        "v_condition": _v_condition(state, features, v_dim, local_units[-1]),
        "global_units": global_units,
        "local_units": local_units,
        "transition_units": transition_units,
        "decoder_units": decoder_units,
    }


def _rows(state, name):
    return int(_shape(state, name)[0])


def _shape(state, name):
    if name not in state:
        raise InputError(f"the state lacks {name}; is it a state_dict of the authors' DSAE, DSAE-f or TS-DSAE?")
    if len(state[name].shape) not in (1, 2):
        raise InputError(f"{name} has shape {tuple(state[name].shape)}; a weight has two dimensions, a bias one")
    return state[name].shape


def _trunk(state, prefix):
    """("frame" or "sequence", widths) of a part: layers.0, layers.2, ... are linear; rnn.weight_hh_l0, ... an LSTM."""
    linear = _numbers(state, rf"{prefix}\.layers\.(\d+)\.weight")
    if linear:
        return "frame", tuple(_rows(state, f"{prefix}.layers.{i}.weight") for i in linear)
    recurrent = _numbers(state, rf"{prefix}\.rnn\.weight_hh_l(\d+)")
    if recurrent:
        return "sequence", tuple(int(_shape(state, f"{prefix}.rnn.weight_hh_l{i}")[-1]) for i in recurrent)
    raise InputError(f"the state lacks {prefix}; it needs {prefix}.layers.* or {prefix}.rnn.*")


def _numbers(state, pattern):
    return sorted(int(match[1]) for match in (re.fullmatch(pattern, name) for name in state) if match)


def _v_condition(state, features, v_dim, width):
    """Where v joins the local encoder: it widens the input of the posterior's heads or of the first layer."""
    first = next(name for name in state if re.fullmatch(r"net_feature\.(layers\.0\.weight|rnn\.weight_ih_l0)", name))
    extra = (_shape(state, first)[-1] - features, _shape(state, "net_z_mu.weight")[-1] - width)
    known = {(0, 0): "none", (0, v_dim): "after", (v_dim, 0): "before"}
    if extra not in known:
        raise InputError(f"net_feature and net_z_mu take {extra} values more than expected; v has {v_dim} dimensions")
    return known[extra]
