"""New codes from the transition, one frame after the other, in NumPy at double precision."""

import numpy as np
from keras import ops, random

from tsdsae_keras.errors import InputError


def roll_out(transition, noise):
    """z (n, time, z_dim) from a `Transition`: z_t = mean + e^(log_var / 2) noise_t, with N(0, I) at t = 1.

    In NumPy at double precision, for the way may be chaotic: what two backends round otherwise in the seventh digit
    is another melody after a hundred frames.
    """
    cells = [
        [_array(part) for part in (layer.cell.kernel, layer.cell.recurrent_kernel, layer.cell.bias)]
        for layer in transition.stack
    ]
    heads = [(_array(head.kernel), _array(head.bias)) for head in (transition.head.mean, transition.head.log_var)]
    noise = np.asarray(noise, "float64")
    states = [(np.zeros((len(noise), len(recurrent))),) * 2 for _, recurrent, _ in cells]
    codes = [noise[:, 0]]
    for drawn in np.moveaxis(noise[:, 1:], 1, 0):
        features = codes[-1]
        for layer, weights in enumerate(cells):
            states[layer] = _lstm_step(features, *states[layer], *weights)
            features = states[layer][0]
        mean, log_var = (features @ kernel + bias for kernel, bias in heads)
        codes.append(mean + np.exp(0.5 * log_var) * drawn)
    return np.stack(codes, axis=1)


def _lstm_step(x, output, memory, kernel, recurrent, bias):
    """The next output and memory (n, units) of an LSTM cell with its gates in Keras's order."""
    i, f, g, o = np.split(x @ kernel + output @ recurrent + bias, 4, axis=1)
    memory = _sigmoid(f) * memory + _sigmoid(i) * np.tanh(g)
    return _sigmoid(o) * np.tanh(memory), memory


def _sigmoid(x):
    return 0.5 * (1 + np.tanh(0.5 * x))


def _array(variable):
    return ops.convert_to_numpy(variable).astype("float64")


def draw_codes(model, n, frames, v, noise, seed):
    """z (n, frames, z_dim) and v (n, v_dim) of new sequences, tensors; the arguments are those of `generate`."""
    seed = model.sampling.generator if seed is None else random.SeedGenerator(seed)
    v = _draw_unless_given("v", v, (n, model.v_dim), seed)
    noise = _draw_unless_given("noise", noise, (n, frames, model.z_dim), seed)
    z = roll_out(model.p_z, noise).astype("float32")
    return ops.convert_to_tensor(z), ops.convert_to_tensor(v)


def _draw_unless_given(name, given, shape, seed):
    """Standard normal numbers of a shape, or those given; InputError where they have another shape."""
    drawn = ops.convert_to_numpy(random.normal(shape, seed=seed)) if given is None else np.asarray(given, "float32")
    if drawn.shape != shape:
        raise InputError(f"{name} has shape {drawn.shape}; it must be {shape}")
    return drawn
