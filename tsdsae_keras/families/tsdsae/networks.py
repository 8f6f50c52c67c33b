"""The parts of a sequential autoencoder: q(v | x), q(z_t | .), p(z_t | z_<t) and p(x | z, v)."""

from keras import layers, ops
from keras.saving import register_keras_serializable

from tsdsae_keras.networks.dense import Dense
from tsdsae_keras.networks.heads import GaussianHead
from tsdsae_keras.networks.masked import MaskedLayer
from tsdsae_keras.networks.stacked_lstm import stacked_lstm
from tsdsae_keras.networks.trunks import KINDS
from tsdsae_keras.ops import apply_to_rows, concat_to_frames, masked_mean


@register_keras_serializable(package="tsdsae_keras")
class GlobalEncoder(MaskedLayer):
    """q(v | x): features of every frame, their mean over valid frames, mean and log-variance of v.

    (batch, time, in) -> two of (batch, dim). Luo et al. 2022, section 4.

    Args:
        dim: dimensions of v.
        kind: "frame" (Dense, each frame alone) or "sequence" (bidirectional LSTM).
        units: widths of the layers.
        precision: of the features' products, see `dense.Dense`.
    """

    def __init__(self, dim, kind="frame", units=(64, 64), precision="float32", **kwargs):
        super().__init__(**kwargs)
        self.dim, self.kind, self.units, self.precision = dim, kind, tuple(units), precision
        self.features = KINDS[kind](units, precision, name="features")
        self.head = GaussianHead(dim, name="head")

    def build(self, input_shape):
        self.features.build(input_shape)
        self.head.build((input_shape[0], self.features.width))

    def call(self, x, mask=None):
        return self.head(masked_mean(self.features(x, mask=mask), mask))

    def encode_rendered(self, hidden, output_layer, mask=None):
        """q(v | output_layer(hidden)), where x does not have to be rendered."""
        return self.head(masked_mean(self.features.of_rendered(hidden, output_layer, mask), mask))

    def get_config(self):
        names = ("dim", "kind", "units", "precision")
        return super().get_config() | {name: getattr(self, name) for name in names}


@register_keras_serializable(package="tsdsae_keras")
class LocalEncoder(MaskedLayer):
    """q(z_t | x_t) or q(z_t | x_1:T, v): (batch, time, in) and (batch, v_dim) -> two of (batch, time, dim).

    Args:
        dim: dimensions of z.
        v_dim: dimensions of v, used where v is concatenated.
        kind: "frame" (Dense, each frame alone) or "sequence" (bidirectional LSTM).
        v_condition: where v joins every frame: "none", "after" the features (the authors' code) or "before"
            them (their paper).
        units: widths of the layers.
        precision: of the features' products, see `dense.Dense`.
    """

    def __init__(self, dim, v_dim, kind="frame", v_condition="none", units=(64, 64), precision="float32", **kwargs):
        super().__init__(**kwargs)
        self.dim, self.v_dim, self.kind, self.v_condition = dim, v_dim, kind, v_condition
        self.units, self.precision = tuple(units), precision
        self.features = KINDS[kind](units, precision, name="features")
        self.head = GaussianHead(dim, name="head")

    def build(self, input_shape):
        *frames, width = input_shape
        self.features.build((*frames, width + self.v_dim * (self.v_condition == "before")))
        self.head.build((*frames, self.features.width + self.v_dim * (self.v_condition == "after")))

    def call(self, x, v, mask=None):
        return self._posterior(self.features(x, mask=mask, condition=self._condition(v)), v)

    def encode_rendered(self, hidden, output_layer, v, mask=None):
        """q(z | output_layer(hidden), v), where x does not have to be rendered."""
        return self._posterior(self.features.of_rendered(hidden, output_layer, mask, self._condition(v)), v)

    def _condition(self, v):
        return v if self.v_condition == "before" else None

    def _posterior(self, features, v):
        return self.head(concat_to_frames(features, v) if self.v_condition == "after" else features)

    def get_config(self):
        names = ("dim", "v_dim", "kind", "v_condition", "units", "precision")
        return super().get_config() | {name: getattr(self, name) for name in names}


@register_keras_serializable(package="tsdsae_keras")
class Decoder(MaskedLayer):
    """The mean of p(x | z, v): (batch, time, z_dim) and (batch, v_dim) -> (batch, time, features).

    Args:
        features: values of a frame.
        kind: "frame" (Dense, each frame from its own z) or "sequence" (bidirectional LSTM, the enriched decoder).
        units: widths of the layers.
        precision: of the products, see `dense.Dense`.
    """

    def __init__(self, features, kind="frame", units=(64, 64), precision="float32", **kwargs):
        super().__init__(**kwargs)
        self.features, self.kind, self.units, self.precision = features, kind, tuple(units), precision
        self.trunk = KINDS[kind](units, precision, name="trunk")
        self.output_layer = Dense(features, precision=precision, name="output")

    def build(self, input_shape):
        self.trunk.build(input_shape)
        self.output_layer.build((*input_shape[:-1], self.trunk.width))

    def call(self, z, v, mask=None):
        return apply_to_rows(self.output_layer, self.hidden(z, v, mask))

    def hidden(self, z, v, mask=None):
        """What the linear output layer takes: (batch, time, units[-1])."""
        return self.trunk(z, mask=mask, condition=v)

    def get_config(self):
        names = ("features", "kind", "units", "precision")
        return super().get_config() | {name: getattr(self, name) for name in names}


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
        parameters = self.head(stacked_lstm(self.stack, z))
        return tuple(_after_standard_normal(parameter) for parameter in parameters)

    def get_config(self):
        return super().get_config() | {"dim": self.dim, "units": self.units}


def _after_standard_normal(parameter):
    """Shift by a frame: zero (mean, log-variance) first, the prediction made from the last frame left out."""
    return ops.concatenate([ops.zeros_like(parameter[:, :1]), parameter[:, :-1]], axis=1)
