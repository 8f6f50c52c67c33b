"""States of the authors' PyTorch code as models of this family.

Names and layouts: github bethgelab/slow_disentanglement, commit 26eef45. There, convolutions are (out, in, h, w),
transposed ones (in, out, h, w), linear layers (out, in), and frames are channels first.
"""

import numpy as np
from keras import ops

from tsdsae_keras.errors import InputError
from tsdsae_keras.families.slowvae.model import SlowVAE

ENCODER = {f"encoder.{2 * i}": f"conv_{i}" for i in range(4)} | {"encoder.8": "dense", "encoder.11": "outputs"}
DECODER = {"decoder.0": "dense", "decoder.3": "map"} | {f"decoder.{5 + 2 * i}": f"conv_{i}" for i in range(4)}
SLOW = {"slowvae": {}, "beta-vae": {"beta": 8.0, "gamma": 0.0}}


def from_reference(name, state, *, channels=None, z_dim=None, side=64, **config):
    """A model with the weights of a state of the authors' code.

    Args:
        name: "slowvae" or "beta-vae".
        state: arrays by torch name ("encoder.0.weight", ...), in torch's layouts.
        channels, z_dim: by default read off the state.
        side: height and width of the images.
        config: other arguments of `SlowVAE`.

    Raises:
        InputError: unknown or missing names, which are listed, or a shape that does not fit.
    """
    if name not in SLOW:
        raise InputError(f"the model is {name!r}; states of the authors' code are {' or '.join(map(repr, SLOW))}")
    state = {key: np.asarray(value) for key, value in state.items()}
    _check_names(state)
    channels = _size(state, "encoder.0.weight", 4, 1) if channels is None else channels
    z_dim = _size(state, "encoder.11.weight", 2, 0) // 2 if z_dim is None else z_dim
    model = SlowVAE((side, side, channels), z_dim, **(SLOW[name] | config))
    for key, variable in reference_names(model).items():
        _assign(variable, key, state[key])
    return model


def reference_names(model):
    """{torch name: variable} of a model for images, in the order of the authors' parameters."""
    parts = ((model.encoder, ENCODER), (model.decoder, DECODER))
    found = {}
    for part, names in parts:
        for key, layer in names.items():
            layer = part.get_layer(layer)
            found |= {f"{key}.weight": layer.kernel, f"{key}.bias": layer.bias}
    return found


def _check_names(state):
    expected = [f"{name}.{part}" for name in (*ENCODER, *DECODER) for part in ("weight", "bias")]
    for what, names in (
        ("unknown", [name for name in state if name not in expected]),
        ("missing", [name for name in expected if name not in state]),
    ):
        if names:
            raise InputError(f"{what} in the state: {', '.join(map(str, names))[:400]}")


def _size(state, name, axes, axis):
    """The size of one axis of an array."""
    if state[name].ndim != axes:
        raise InputError(f"{name} has shape {state[name].shape}; it should have {axes} axes")
    return state[name].shape[axis]


def _assign(variable, name, value):
    fits = value.ndim in (1, 2, 4)
    array = from_torch(name, value.astype("float32")) if fits else value
    if tuple(array.shape) != tuple(variable.shape):
        raise InputError(f"{name} has shape {value.shape}, which does not fit the model; are channels and z_dim right?")
    variable.assign(ops.convert_to_tensor(array))


def from_torch(name, value):
    """An array in torch's layout as the model has it."""
    if name == "encoder.8.weight" and value.ndim == 4:  # a dense layer here: (h, w, in) in one
        return value.transpose(2, 3, 1, 0).reshape(-1, len(value))
    return value.transpose(2, 3, 1, 0) if value.ndim == 4 else value.T
