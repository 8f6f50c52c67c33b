"""Transitions: the prior of a frame given the frames before it."""

from keras import layers, ops
from keras.saving import register_keras_serializable

from tsdsae_keras.families.tsdsae.encoders import GaussianHead
from tsdsae_keras.networks.masked import MaskedLayer
from tsdsae_keras.networks.stacked_lstm import run_together


@register_keras_serializable(package="tsdsae_keras")
class Transition(MaskedLayer):
    """p(z_t | z_<t) by LSTM layers: (batch, time, dim) -> two of (batch, time, dim); at t = 1 it is N(0, I).

    Looking only backwards, it needs no mask: padding at the end reaches no valid frame.

    Args:
        dim: dimensions of z.
        units: widths of the LSTM layers.
    """

    def __init__(self, dim, units=(32, 32), **kwargs):
        super().__init__(**kwargs)
        self.dim, self.units = dim, tuple(units)
        self.stack = [layers.LSTM(width, return_sequences=True, name=f"lstm_{i}") for i, width in enumerate(self.units)]
        self.head = GaussianHead(dim, name="head")

    def build(self, input_shape):
        *frames, width = input_shape
        for layer, fan_in in zip(self.stack, (width, *self.units), strict=False):
            layer.build((*frames, fan_in))
        self.head.build((*frames, self.units[-1]))

    def call(self, z):
        parameters = self.head(run_together(self.stack, z))
        return tuple(_after_standard_normal(parameter) for parameter in parameters)

    def step(self, z_t, states=None):
        """p(z_t+1 | z_1:t) from z_t (batch, dim) and the states after z_1:t-1: (mean, log-variance, new states)."""
        states = states or [layer.get_initial_state(ops.shape(z_t)[0]) for layer in self.stack]
        features, new_states = z_t, []
        for layer, state in zip(self.stack, states, strict=True):
            features, state = layer.cell(features, state)
            new_states.append(state)
        return *self.head(features), new_states

    def get_config(self):
        return super().get_config() | {"dim": self.dim, "units": self.units}


def _after_standard_normal(parameter):
    """Shift by a frame: zero (mean, log-variance) first, the prediction made from the last frame left out."""
    return ops.concatenate([ops.zeros_like(parameter[:, :1]), parameter[:, :-1]], axis=1)
