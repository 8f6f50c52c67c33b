"""The public methods on codes: encode, decode, reconstruct, swap, generate."""

import functools

import numpy as np
from keras import ops, random

from tsdsae_keras.errors import InputError


def arrays_for_arrays(method):
    """Numpy out when numpy came in; tensors, through which gradients flow, when a tensor came in."""

    @functools.wraps(method)
    def wrapped(self, *args, **kwargs):
        result = method(self, *args, **kwargs)
        if any(ops.is_tensor(value) for value in (*args, *kwargs.values())):
            return result
        if isinstance(result, dict):
            return {name: ops.convert_to_numpy(value) for name, value in result.items()}
        return ops.convert_to_numpy(result)

    return wrapped


class Codes:
    """Encoding, decoding and recombining with latents at their means; mixed into the base.

    Every method takes numpy arrays and gives numpy arrays, or takes tensors of the backend and gives tensors.
    """

    @arrays_for_arrays
    def encode(self, x, mask=None):
        """The posteriors of x (batch, time, features): v_mean, v_log_var (batch, v_dim), z_mean, z_log_var
        (batch, time, z_dim)."""
        x, mask = self._checked(x), None if mask is None else ops.cast(mask, "bool")
        x = self.standardized(x, mask)
        v, (v_mean, v_log_var) = self.infer_v(x, mask)
        _, (z_mean, z_log_var) = self.infer_z(x, v, mask)
        return {"v_mean": v_mean, "v_log_var": v_log_var, "z_mean": z_mean, "z_log_var": z_log_var}

    @arrays_for_arrays
    def decode(self, z, v, mask=None):
        """x (batch, time, features) from z (batch, time, z_dim) and v (batch, v_dim)."""
        mask = None if mask is None else ops.cast(mask, "bool")
        return self.rendered(ops.convert_to_tensor(z), ops.convert_to_tensor(v), mask)

    @arrays_for_arrays
    def reconstruct(self, x, mask=None):
        """x encoded and decoded."""
        codes = self.encode(ops.convert_to_tensor(x), mask)
        return self.decode(codes["z_mean"], codes["v_mean"], mask)

    @arrays_for_arrays
    def swap(self, melody, timbre):
        """x with the z of `melody` (batch, time, features) and the v of `timbre`, of equal batch or a batch of 1."""
        z = self.encode(ops.convert_to_tensor(melody))["z_mean"]
        v = self.encode(ops.convert_to_tensor(timbre))["v_mean"]
        if v.shape[0] not in (1, z.shape[0]):
            raise InputError(f"timbre has {v.shape[0]} sequences; it must have 1 or as many as melody, {z.shape[0]}")
        return self.decode(z, ops.broadcast_to(v, (z.shape[0], v.shape[-1])))

    def generate(self, n, frames, *, v=None, noise=None, seed=None):
        """n new sequences of so many frames: v from N(0, I), z from the transition; (n, frames, features), numpy.

        Args:
            n: how many.
            frames: length of each.
            v: (n, v_dim), codes to use instead. After stage 2 the posterior is tied to the informed prior, not to
                N(0, I), so codes of real sequences give better sound.
            noise: (n, frames, z_dim), draws from N(0, I) to use instead for z. With v and noise given, every backend
                makes the same sequences.
            seed: of the draws; None goes on with the model's own generator.

        Raises:
            InputError: v or noise has another shape.
        """
        seed = self.sampling.generator if seed is None else random.SeedGenerator(seed)
        v = self._drawn("v", v, (n, self.v_dim), seed)
        z = rolled_out(self.p_z, self._drawn("noise", noise, (n, frames, self.z_dim), seed)).astype("float32")
        return ops.convert_to_numpy(self.rendered(ops.convert_to_tensor(z), ops.convert_to_tensor(v)))

    def _drawn(self, name, given, shape, seed):
        drawn = ops.convert_to_numpy(random.normal(shape, seed=seed)) if given is None else np.asarray(given, "float32")
        if drawn.shape != shape:
            raise InputError(f"{name} has shape {drawn.shape}; it must be {shape}")
        return drawn

    def _checked(self, x):
        x = ops.convert_to_tensor(x)
        if len(x.shape) != 3 or x.shape[-1] != self.features:
            raise InputError(f"x has shape {tuple(x.shape)}; it must be (batch, time, {self.features})")
        return x


def rolled_out(transition, noise):
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
    entry, forget, new, exit_ = np.split(x @ kernel + output @ recurrent + bias, 4, axis=1)
    memory = _sigmoid(forget) * memory + _sigmoid(entry) * np.tanh(new)
    return _sigmoid(exit_) * np.tanh(memory), memory


def _sigmoid(x):
    return 0.5 * (1 + np.tanh(0.5 * x))


def _array(variable):
    return ops.convert_to_numpy(variable).astype("float64")
