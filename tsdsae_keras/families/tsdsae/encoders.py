"""Encoders: q(v | x) of a whole sequence and q(z_t | .) of every frame.

Called with `behind`, a linear layer such as a decoder's last, they take its inputs and encode its outputs.
"""

from keras import layers, ops
from keras.saving import register_keras_serializable

from tsdsae_keras.networks.dense import linear
from tsdsae_keras.networks.masked import MaskedLayer
from tsdsae_keras.networks.trunks import KINDS
from tsdsae_keras.ops import beside_every_frame, flat, masked_mean


@register_keras_serializable(package="tsdsae_keras")
class GaussianHead(MaskedLayer):
    """Mean and log-variance of a diagonal Gaussian, each a linear function of the features.

    Args:
        dim: dimensions of the Gaussian.
    """

    def __init__(self, dim, **kwargs):
        super().__init__(**kwargs)
        self.dim = dim

    def build(self, input_shape):
        self.mean = layers.Dense(self.dim, name="mean")
        self.log_var = layers.Dense(self.dim, name="log_var")
        self.mean.build(input_shape)
        self.log_var.build(input_shape)

    def call(self, features):
        # One product for both reads the features once, and so does its gradient.
        kernel = ops.concatenate([self.mean.kernel, self.log_var.kernel], axis=-1)
        bias = ops.concatenate([self.mean.bias, self.log_var.bias], axis=-1)
        both = flat(lambda rows: linear(rows, kernel, bias), features)
        return tuple(ops.split(both, 2, axis=-1))

    def get_config(self):
        return super().get_config() | {"dim": self.dim}


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

    def call(self, x, mask=None, behind=None):
        return self.head(masked_mean(self.features(x, mask=mask, behind=behind), mask))

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

    def call(self, x, v, mask=None, behind=None):
        beside = v if self.v_condition == "before" else None
        features = self.features(x, mask=mask, behind=behind, beside=beside)
        if self.v_condition == "after":
            features = beside_every_frame(v, features)
        return self.head(features)

    def get_config(self):
        names = ("dim", "v_dim", "kind", "v_condition", "units", "precision")
        return super().get_config() | {name: getattr(self, name) for name in names}
