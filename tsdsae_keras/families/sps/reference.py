"""The authors' PyTorch states as models of this library.

Names and layouts: convolutions (out, in, rows, columns), transposed ones (in, out, rows, columns), linear (out, in);
PyTorch's two biases of a recurrent layer add up to one.
"""

import numpy as np
from keras import ops

from tsdsae_keras.errors import InputError
from tsdsae_keras.families.sps.domains import DOMAINS
from tsdsae_keras.families.sps.model import SPS


def from_reference(name, state, *, domain="music", symmetry=True, **config):
    """A model with the weights of a state of the authors' code.

    Args:
        name: "sps".
        state: {torch name: array in torch layout}; the widths are read off it.
        domain: "music" or "video".
        symmetry: False leaves the symmetry terms out.
        config: further arguments of `SPS`.

    Raises:
        InputError: weights are unknown or missing (they are listed), or a shape does not fit.
    """
    if domain not in DOMAINS:
        raise InputError(f"domain is {domain!r}; it must be {' or '.join(DOMAINS)}")
    state = {key: np.asarray(value, "float32") for key, value in state.items()}
    check_names(state, domain)
    config |= {} if symmetry else {"copies": 0}
    given = {"initial_weights": "pytorch", "reduction": "sum", **widths_of(state, domain), **config}
    model = SPS(domain, **given)
    for variable, sources, change in weights_of(model):
        _assign(variable, sources, change, state)
    return model


def check_names(state, domain):
    """InputError that lists names of weights that are unknown or missing."""
    expected = {
        f"{layer}.{part}"
        for layer in (
            *(f"encoder.{2 * i}" for i in range(len(DOMAINS[domain].kernels))),
            *(f"decoder.{2 * i}" for i in range(len(DOMAINS[domain].kernels))),
            *(f"fc3.{2 * i}" for i in range(len(DOMAINS[domain].decoder_units) + 1)),
            *("fc11", "fc12", "fc2"),
        )
        for part in ("weight", "bias")
    }
    depth = max(1, sum(name.startswith("rnn.weight_ih_l") for name in state))
    expected |= {f"rnn.{part}_l{i}" for i in range(depth) for part in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")}
    unknown, missing = sorted(state.keys() - expected), sorted(expected - state.keys())
    if unknown or missing:
        parts = [f"{what}: {', '.join(names)}" for what, names in (("unknown", unknown), ("missing", missing)) if names]
        raise InputError(f"the state is not one of the {domain} model; {'; '.join(parts)}")


def widths_of(state, domain):
    """The widths that the shapes of the weights tell."""
    kernels = DOMAINS[domain].kernels
    hidden = state["rnn.weight_hh_l0"].shape[1]
    return {
        "latents": state["fc11.bias"].shape[0],
        "dynamic": state["fc2.bias"].shape[0],
        "channels": tuple(state[f"encoder.{2 * i}.bias"].shape[0] for i in range(len(kernels))),
        "decoder_units": tuple(state[f"fc3.{2 * i}.bias"].shape[0] for i in range(len(DOMAINS[domain].decoder_units))),
        "prior_units": hidden,
        "prior_layers": sum(name.startswith("rnn.weight_ih_l") for name in state),
        "prior_cell": "gru" if state["rnn.weight_hh_l0"].shape[0] == 3 * hidden else "rnn",
    }


def weights_of(model):
    """(variable, torch names, function of their arrays that gives the variable's value) of every weight."""
    found = []
    for i, layer in enumerate(model.encoder.convolutions):
        found += _both(layer, f"encoder.{2 * i}", _first_kernel if model.domain == "music" and not i else _kernel)
    for name, head in (("fc11", model.encoder.mean), ("fc12", model.encoder.log_var)):
        found += _both(head, name, np.transpose)
    dense = [*model.decoder.hidden, model.decoder.last_dense]
    for i, layer in enumerate(dense):
        found += _both(layer, f"fc3.{2 * i}", np.transpose)
    for i, layer in enumerate(model.decoder.convolutions):
        found += _both(layer, f"decoder.{2 * i}", _transposed_kernel)
    last = f"decoder.{2 * len(model.decoder.convolutions)}"
    whole = _last_kernel if model.domain == "music" else _transposed_kernel
    found += [(model.decoder.output_layer.kernel, [f"{last}.weight"], whole)]
    found += [(model.decoder.output_bias, [f"{last}.bias"], _same)]
    return found + (_recurrent(model) if model.prior else [])


def _recurrent(model):
    found = _both(model.transition.head, "fc2", np.transpose)
    order = _gru_gates if model.prior_cell == "gru" else _same
    for i, cell in enumerate(model.transition.cells):
        found += [
            (cell.kernel, [f"rnn.weight_ih_l{i}"], lambda w: order(w).T),
            (cell.recurrent_kernel, [f"rnn.weight_hh_l{i}"], lambda w: order(w).T),
        ]
        join = (lambda a, b: np.stack([order(a), order(b)])) if model.prior_cell == "gru" else np.add
        found.append((cell.bias, [f"rnn.bias_ih_l{i}", f"rnn.bias_hh_l{i}"], join))
    return found


def _both(layer, name, kernel):
    return [(layer.kernel, [f"{name}.weight"], kernel), (layer.bias, [f"{name}.bias"], _same)]


def _same(w):
    return w


def _gru_gates(w):
    """Gates r, z, n, as PyTorch has them, in Keras's order z, r, n."""
    r, z, n = np.split(w, 3)
    return np.concatenate([z, r, n])


def _kernel(w):
    """(out, in, rows, columns) -> (rows, columns, in, out), or without columns where there is one."""
    w = w.transpose(2, 3, 1, 0)
    return w[:, 0] if w.shape[1] == 1 else w


def _first_kernel(w):
    """(out, 1, rows, 5) -> (rows, 5, out): the columns are the channels."""
    return w[:, 0].transpose(1, 2, 0)


def _transposed_kernel(w):
    """(in, out, rows, columns) -> (rows, columns, out, in), or without columns where there is one."""
    w = w.transpose(2, 3, 1, 0)
    return w[:, 0] if w.shape[1] == 1 else w


def _last_kernel(w):
    """(in, 1, rows, 5) -> (rows, 5, in): the columns are the output's channels."""
    return w[:, 0].transpose(1, 2, 0)


def _assign(variable, sources, change, state):
    try:
        value = change(*(state[source] for source in sources))
    except (ValueError, IndexError):
        value = None
    if value is None or tuple(value.shape) != tuple(variable.shape):
        raise InputError(f"{sources[0]} has shape {state[sources[0]].shape}, which does not fit the rest of the state")
    variable.assign(ops.convert_to_tensor(np.ascontiguousarray(value)))
