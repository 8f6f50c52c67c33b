"""Features of every frame, from the frame alone or from the whole sequence: the trunk of encoders and decoders."""

import functools

from keras import layers, ops
from keras.saving import register_keras_serializable

from tsdsae_keras.networks.dense import Dense, joined, merged
from tsdsae_keras.networks.masked import MaskedLayer
from tsdsae_keras.ops import beside_every_frame, flat


class _Trunk(MaskedLayer):
    """What both kinds share: the widths, the configuration and building a stack in order.

    Called with `behind`, a linear layer, they take its inputs and give the features of its outputs. Called with
    `beside`, a code (batch, v_dim), they take it as further inputs of every frame, after x.
    """

    def __init__(self, units=(64, 64), precision="float32", **kwargs):
        super().__init__(**kwargs)
        self.units, self.precision = tuple(units), precision

    @property
    def width(self):
        """Features of a frame."""
        return self.units[-1]

    def get_config(self):
        return super().get_config() | {"units": self.units, "precision": self.precision}


@register_keras_serializable(package="tsdsae_keras")
class FrameFeatures(_Trunk):
    """Each frame through the same Dense layers with tanh: (batch, time, in) -> (batch, time, units[-1]).

    Args:
        units: widths of the layers.
        precision: of their products, see `dense.Dense`.
    """

    def build(self, input_shape):
        widths = (input_shape[-1], *self.units)
        self.stack = [Dense(units, "tanh", self.precision, name=f"dense_{i}") for i, units in enumerate(self.units)]
        for layer, width in zip(self.stack, widths, strict=False):
            layer.build((*input_shape[:-1], width))

    def call(self, x, mask=None, behind=None, beside=None):
        stack = self.stack
        if beside is not None:
            x, stack = joined(stack[0], x if behind is None else flat(behind, x), beside), stack[1:]
        elif behind is not None:
            stack = [merged(behind, stack[0]), *stack[1:]]
        return flat(lambda frames: functools.reduce(lambda inner, layer: layer(inner), stack, frames), x)


@register_keras_serializable(package="tsdsae_keras")
class RecurrentFeatures(_Trunk):
    """Bidirectional LSTM layers: (batch, time, in) -> (batch, time, units[-1]).

    The directions are concatenated between layers and averaged after the last. With a mask (padding at the end of a
    sequence), the backward direction starts at the last valid frame, so padding changes nothing.

    Args:
        units: widths of one direction of the layers.
        precision: not looked at; the recurrence is float32.
    """

    def build(self, input_shape):
        fans = (input_shape[-1], *(2 * units for units in self.units))
        self.ahead = [_lstm(units, f"forward_{i}") for i, units in enumerate(self.units)]
        self.back = [_lstm(units, f"backward_{i}", go_backwards=True) for i, units in enumerate(self.units)]
        for fan_in, *pair in zip(fans, self.ahead, self.back, strict=False):
            for layer in pair:
                layer.build((*input_shape[:-1], fan_in))

    def call(self, x, mask=None, behind=None, beside=None):
        x = x if behind is None else flat(behind, x)
        x = x if beside is None else beside_every_frame(beside, x)
        for ahead, back in zip(self.ahead, self.back, strict=True):
            directions = ahead(x, mask=mask), ops.flip(back(x, mask=mask), axis=1)
            x = ops.concatenate(directions, axis=-1)
        return 0.5 * (directions[0] + directions[1])


def _lstm(units, name, **options):
    return layers.LSTM(units, return_sequences=True, name=name, **options)


KINDS = {"frame": FrameFeatures, "sequence": RecurrentFeatures}
