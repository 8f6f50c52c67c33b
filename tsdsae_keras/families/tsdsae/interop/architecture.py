"""What a state of the authors' PyTorch code says of its architecture, read off names and shapes."""

import re

from tsdsae_keras.errors import InputError
from tsdsae_keras.untrusted import shown_names

BUFFERS = ("z_prior_mu_0", "z_prior_logvar_0", "z_pos_0")  # zeros: N(0, I) at the first frame
MEL_INVERSION = "audio_synth."  # constants of the authors' mel inversion, no weights
TRUNKS = {"net_v_encoder": ("", "_reverse"), "net_feature": ("", "_reverse"), "net_decoder": ("", "_reverse")}
HEADS = ("net_v_mu", "net_v_logvar", "net_z_mu", "net_z_logvar", "net_decoder_mu.0")
TRANSITION = {"net_z_prior": ("",)}
TRANSITION_HEADS = ("net_z_prior_mu", "net_z_prior_logvar")
SNAPSHOT = {"net_v_prior": ("", "_reverse")}
SNAPSHOT_HEADS = ("net_v_mu_prior", "net_v_logvar_prior")


def is_informed(state):
    """Whether the snapshot of the global encoder is there: the state of a TS-DSAE in stage 2."""
    parts = (*SNAPSHOT, *SNAPSHOT_HEADS)
    return any(name.startswith(f"{part}.") for name in state for part in parts)


def check_names(state):
    """InputError that lists the names that are unknown, or those that are missing, the first of them where many are."""
    expected = expected_names(state)
    for what, found in (("unknown", set(state) - expected), ("missing", expected - set(state))):
        if found:
            raise InputError(f"the state has {what} names: {shown_names(sorted(found), 30)}")


def expected_names(state):
    """All names of a state whose parts are of the kinds, and as deep, as the names that are there tell."""
    informed = is_informed(state)
    trunks = TRUNKS | TRANSITION | (SNAPSHOT if informed else {})
    heads = (*HEADS, *TRANSITION_HEADS, *(SNAPSHOT_HEADS if informed else ()))
    names = {f"{head}.{kind}" for head in heads for kind in ("weight", "bias")}
    return names.union(*(_trunk_names(state, part, directions) for part, directions in trunks.items()))


def _trunk_names(state, part, directions):
    kind, numbers = _layers(state, part)
    if kind == "frame":
        return {f"{part}.layers.{i}.{name}" for i in numbers for name in ("weight", "bias")}
    kinds = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
    return {f"{part}.rnn.{name}_l{i}{way}" for i in numbers for name in kinds for way in directions}


def _layers(state, part):
    """("frame" or "sequence", numbers of the layers): layers.0, layers.2, ... are linear, rnn.*_l0, ... an LSTM.

    A number of more than two digits makes a name unknown, not a hundred layers missing.
    """
    linear = _numbers(state, rf"{part}\.layers\.(\d{{1,2}})\.(weight|bias)")
    recurrent = _numbers(state, rf"{part}\.rnn\.\w+_l(\d{{1,2}})(_reverse)?")
    if recurrent and not linear:
        return "sequence", range(max(recurrent) + 1)
    return "frame", range(0, max(linear, default=0) + 1, 2)


def _numbers(state, pattern):
    return {int(match[1]) for match in (re.fullmatch(pattern, name, re.ASCII) for name in state) if match}


def architecture_of(state):
    """The constructor arguments of a model that can hold the state: widths, kinds, dimensions.

    Args:
        state: arrays by torch name, names checked.

    Raises:
        InputError: for shapes that make no model.
    """
    _check_dimensions(state)
    kinds = {part: _layers(state, part)[0] for part in TRUNKS}
    features, v_dim = _rows(state, "net_decoder_mu.0.weight"), _rows(state, "net_v_mu.weight")
    local_units = _widths(state, "net_feature")
    return {
        "features": features,
        "z_dim": _rows(state, "net_z_mu.weight"),
        "v_dim": v_dim,
        "local_encoder": "full" if kinds["net_feature"] == "sequence" else "factorised",
        "global_encoder": kinds["net_v_encoder"],
        "decoder": kinds["net_decoder"],
        "v_condition": _v_condition(state, features, v_dim, local_units[-1]),
        "global_units": _widths(state, "net_v_encoder"),
        "local_units": local_units,
        "transition_units": _widths(state, "net_z_prior"),
        "decoder_units": _widths(state, "net_decoder"),
    }


def _check_dimensions(state):
    for name, value in state.items():
        expected = 2 if "weight" in name else 1
        if value.ndim != expected:
            raise InputError(f"{name} has shape {value.shape}; it must have {expected} dimensions")
        if not value.size or value.dtype.kind not in "fiub":
            raise InputError(f"{name} has shape {value.shape} and type {value.dtype}; it must hold numbers")


def _rows(state, name):
    return int(state[name].shape[0])


def _widths(state, part):
    kind, numbers = _layers(state, part)
    if kind == "frame":
        return tuple(_rows(state, f"{part}.layers.{i}.weight") for i in numbers)
    return tuple(int(state[f"{part}.rnn.weight_hh_l{i}"].shape[1]) for i in numbers)


def _v_condition(state, features, v_dim, width):
    """Where v joins the local encoder: it widens the input of the posterior's heads or of the first layer."""
    linear = _layers(state, "net_feature")[0] == "frame"
    first = "net_feature.layers.0.weight" if linear else "net_feature.rnn.weight_ih_l0"
    extra = (state[first].shape[1] - features, state["net_z_mu.weight"].shape[1] - width)
    known = {(0, 0): "none", (0, v_dim): "after", (v_dim, 0): "before"}
    if extra not in known:
        raise InputError(
            f"{first} takes {state[first].shape[1]} values for {features} bands and net_z_mu.weight "
            f"{state['net_z_mu.weight'].shape[1]} for {width} features; only v ({v_dim}) can be added, to one of them"
        )
    return known[extra]
