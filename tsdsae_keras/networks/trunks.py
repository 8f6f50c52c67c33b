"""Features of every frame, from the frame alone or from the whole sequence: the trunk of encoders and decoders."""

from keras import layers, ops
from keras.saving import register_keras_serializable

from tsdsae_keras.networks.dense import Dense, dense_of_frames_and_code, fuse
from tsdsae_keras.networks.masked import MaskedLayer
from tsdsae_keras.networks.stacked_lstm import stacked_lstm
from tsdsae_keras.ops import apply_to_rows, concat_to_frames


class _Trunk(MaskedLayer):
    """What both kinds share: the widths, the configuration and building a stack in order.

    Called with `condition`, a code (batch, v_dim), they take it as further inputs of every frame, after x.
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

    def call(self, x, mask=None, condition=None):
        if condition is None:
            return apply_to_rows(lambda rows: self._run(self.stack, rows), x)
        x = dense_of_frames_and_code(self.stack[0], x, condition)
        return apply_to_rows(lambda rows: self._run(self.stack[1:], rows), x)

    def of_rendered(self, hidden, output_layer, mask=None, condition=None):
        """The features of output_layer(hidden), whose own product with the first layer is taken once: the values in
        between are never computed, nor their gradients."""
        if condition is not None:
            return self(apply_to_rows(output_layer, hidden), condition=condition)
        first = fuse(output_layer, self.stack[0])
        return apply_to_rows(lambda rows: self._run(self.stack[1:], first(rows)), hidden)

    def _run(self, stack, rows):
        for layer in stack:
            rows = layer(rows)
        return rows


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
        self.back = [_lstm(units, f"backward_{i}") for i, units in enumerate(self.units)]
        for fan_in, *pair in zip(fans, self.ahead, self.back, strict=False):
            for layer in pair:
                layer.build((*input_shape[:-1], fan_in))

    def of_rendered(self, hidden, output_layer, mask=None, condition=None):
        """The features of output_layer(hidden)."""
        return self(apply_to_rows(output_layer, hidden), mask=mask, condition=condition)

    def call(self, x, mask=None, condition=None):
        x = x if condition is None else concat_to_frames(x, condition)
        turned = _from_the_end(mask)
        for ahead, back in zip(self.ahead, self.back, strict=True):
            directions = stacked_lstm([ahead], x), turned(stacked_lstm([back], turned(x)))
            x = ops.concatenate(directions, axis=-1)
        return 0.5 * (directions[0] + directions[1])


def _from_the_end(mask):
    """A function that puts the valid frames of (batch, time, n) into the opposite order; padding stays at the end."""
    if mask is None:
        return lambda x: ops.flip(x, axis=1)
    count, frame = ops.sum(ops.cast(mask, "int32"), axis=1, keepdims=True), ops.arange(ops.shape(mask)[1])[None]
    order = ops.where(frame < count, count - 1 - frame, frame)[..., None]
    return lambda x: ops.take_along_axis(x, order, axis=1)


def _lstm(units, name):
    return layers.LSTM(units, return_sequences=True, name=name)


KINDS = {"frame": FrameFeatures, "sequence": RecurrentFeatures}
