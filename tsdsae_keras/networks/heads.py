"""Heads: the parameters of a distribution from features."""

from keras import layers, ops
from keras.saving import register_keras_serializable

from tsdsae_keras.networks.dense import linear
from tsdsae_keras.networks.masked import MaskedLayer
from tsdsae_keras.ops import apply_to_rows


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
        both = apply_to_rows(lambda rows: linear(rows, kernel, bias), features)
        return tuple(ops.split(both, 2, axis=-1))

    def get_config(self):
        return super().get_config() | {"dim": self.dim}
