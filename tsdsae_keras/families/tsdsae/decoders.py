"""Decoders: p(x_t | z_t, v) and p(x_t | z_1:T, v), of unit variance."""

from keras.saving import register_keras_serializable

from tsdsae_keras.networks.dense import Dense
from tsdsae_keras.networks.masked import MaskedLayer
from tsdsae_keras.networks.trunks import KINDS
from tsdsae_keras.ops import flat


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
        return flat(self.output_layer, self.hidden(z, v, mask))

    def hidden(self, z, v, mask=None):
        """What the linear output layer takes: (batch, time, units[-1])."""
        return self.trunk(z, mask=mask, beside=v)

    def get_config(self):
        names = ("features", "kind", "units", "precision")
        return super().get_config() | {name: getattr(self, name) for name in names}
