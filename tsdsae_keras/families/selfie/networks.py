"""The encoder, shared by both views, and the projector, which is used in training only.

The encoder is that of BYOL-A v2 (Niizumi et al. 2023), written from its published description, and a smaller one.
"""

from dataclasses import dataclass

from keras import layers, ops

from tsdsae_keras.networks.batch_norm import BatchNorm
from tsdsae_keras.networks.conv import Conv, HalvingPool


@dataclass(frozen=True)
class Sizes:
    """Channels of both convolutions, width of the frame layers and of the projector, and how the first one strides."""

    channels: int
    units: int
    projector_units: int
    strided: bool


SIZES = {"small": Sizes(16, 256, 512, True), "paper": Sizes(64, 2048, 4096, False)}


class Encoder(layers.Layer):
    """Log-mel frames (n, T, F) to embeddings (n, units + channels * F / 4): mean + maximum over time.

    Two convolutions, each with batch normalisation, quarter both axes. Two Dense layers then see each frame, and their
    output is concatenated with their input. `valid` (n, T) leaves padded frames out of mean and maximum; the
    convolutions see across its edge.

    Args:
        sizes: `Sizes`.
    """

    def __init__(self, sizes, **kwargs):
        super().__init__(**kwargs)
        first = {"kernel_size": 5, "strides": 2} if sizes.strided else {"kernel_size": 3}
        how = {"padding": "same", "use_bias": False}  # batch normalisation has a bias of its own
        self.first = Conv(sizes.channels, **first, **how, name="first")
        self.second = Conv(sizes.channels, 3, **how, name="second")
        self.first_norm, self.second_norm = (BatchNorm(relu=True, name=f"{name}_norm") for name in ("first", "second"))
        self.pool = HalvingPool(name="pool")
        self.hidden = layers.Dense(sizes.units, activation="relu", name="hidden")
        self.output_layer = layers.Dense(sizes.units, activation="relu", name="output")
        self.sizes = sizes

    def build(self, input_shape):
        bands, channels = input_shape[-1], self.sizes.channels
        self.first.build((None, None, bands, 1))
        self.first_norm.build((None, None, None, channels))
        self.second.build((None, None, None, channels))
        self.second_norm.build((None, None, None, channels))
        self.frame_dim = (bands + 3) // 4 * channels  # each half rounds up
        self.hidden.build((None, self.frame_dim))
        self.output_layer.build((None, self.sizes.units))
        self.dim = self.frame_dim + self.sizes.units

    def call(self, x, valid=None, keep=None, training=False):
        """Embeddings.

        Args:
            x: (n, T, F).
            valid: (n, T), true where a frame is valid, or None. Not called mask, which Keras would attach and lose.
            keep: a function of the shape of the hidden values: what they are multiplied by (dropout), or None.
            training: whether the statistics of the batch are used.
        """
        frames = self._frames(ops.expand_dims(x, -1), training)
        hidden = self.hidden(frames)
        if keep is not None:
            hidden = hidden * keep(ops.shape(hidden))
        frames = ops.concatenate([frames, self.output_layer(hidden)], axis=-1)
        if valid is None:
            return ops.mean(frames, axis=1) + ops.max(frames, axis=1)
        # A frame after the pools is valid where the first of its four is.
        valid = ops.expand_dims(ops.cast(valid[:, ::4], frames.dtype), -1)
        mean = ops.sum(frames * valid, axis=1) / ops.maximum(ops.sum(valid, axis=1), 1.0)
        return mean + ops.max(frames * valid, axis=1)  # no value is below 0

    def _frames(self, x, training):
        """(n, T, F, 1) -> (n, T / 4, F / 4 * channels)."""
        x = self.first_norm(self.first(x), training=training)
        x = x if self.sizes.strided else self.pool(x)
        x = self.pool(self.second_norm(self.second(x), training=training))
        return ops.reshape(x, (ops.shape(x)[0], -1, self.frame_dim))


class Projector(layers.Layer):
    """Embeddings (n, k) to projections (n, dim): Dense, batch normalisation, ReLU, Dense.

    Args:
        units: width of the hidden layer.
        dim: d.
        use_bias: whether the last layer has a bias; a loss of standardised projections does not see it.
    """

    def __init__(self, units, dim, use_bias, **kwargs):
        super().__init__(**kwargs)
        self.hidden = layers.Dense(units, use_bias=False, name="hidden")
        self.norm = BatchNorm(relu=True, name="norm")
        self.last = layers.Dense(dim, use_bias=use_bias, name="last")

    def build(self, input_shape):
        self.hidden.build(input_shape)
        self.norm.build((None, self.hidden.units))
        self.last.build((None, self.hidden.units))

    def call(self, embedding, training=False):
        return self.last(self.norm(self.hidden(embedding), training=training))
