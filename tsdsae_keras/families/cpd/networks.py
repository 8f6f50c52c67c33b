"""Encoders and decoders of 64 x 64 images (batch, 64, 64, channels), initialised as PyTorch does.

"cnn" has five convolutions; "resnet" is ResNet-18 without its max-pool. A width of 64 is the published one; all other
widths scale with it.
"""

import keras
from keras import layers, ops
from keras.saving import register_keras_serializable

from tsdsae_keras.networks.batch_norm import BatchNorm
from tsdsae_keras.networks.conv import Conv, DoublingConv, HalvingConv, WholeConv, WholeConvTranspose

SIZE = 64


class _Network(layers.Layer):
    """Layers by name, built in order; arguments are kept for the configuration.

    Args:
        outputs: numbers (encoders) or channels (decoders) that come out.
        width: of the narrowest layer.
    """

    def __init__(self, outputs, width=64, **kwargs):
        super().__init__(**kwargs)
        self.outputs, self.width = outputs, width

    def get_config(self):
        return super().get_config() | {"outputs": self.outputs, "width": self.width}


@register_keras_serializable(package="tsdsae_keras")
class ConvEncoder(_Network):
    """Four convolutions 4 x 4 of stride 2, one over the remaining 4 x 4, a linear layer: -> (batch, outputs).

    Args:
        outputs, width: see `_Network`; widths are 1, 1, 2, 2, 4 times `width`.
        batch_norm: after each convolution. Uniform rotations are not learned without it.
    """

    def __init__(self, outputs, width=64, batch_norm=False, **kwargs):
        super().__init__(outputs, width, **kwargs)
        self.batch_norm = batch_norm

    def build(self, input_shape):
        fan, self.convs, self.norms = input_shape[-1], [], []
        for i, factor in enumerate((1, 1, 2, 2, 4)):
            width, how = factor * self.width, _initial(fan * 16) | {"use_bias": not self.batch_norm}
            how["name"] = f"conv_{i}"
            conv = HalvingConv(width, **how) if i < 4 else WholeConv(width, 4, **how)
            conv.build((None, None, None, fan))
            fan = width
            self.convs.append(conv)
            if self.batch_norm:
                self.norms.append(normalization(fan, f"norm_{i}", relu=True))
        self.linear = linear(fan, self.outputs)

    def call(self, x, training=False):
        # `call`: what Keras does around a layer takes PyTorch as long as some of these layers.
        for i, conv in enumerate(self.convs):
            x = conv.call(x)
            x = self.norms[i].call(x, training=training) if self.batch_norm else ops.relu(x)
        return self.linear(ops.reshape(x, (-1, x.shape[-1])))

    def get_config(self):
        return super().get_config() | {"batch_norm": self.batch_norm}


@register_keras_serializable(package="tsdsae_keras")
class ConvDecoder(_Network):
    """The mirror of `ConvEncoder`, without batch norm: (batch, code) -> probabilities (batch, 64, 64, outputs)."""

    def build(self, input_shape):
        self.linear = linear(input_shape[-1], 4 * self.width)
        fan, self.convs = 4 * self.width, []
        for i, width in enumerate((2 * self.width, 2 * self.width, self.width, self.width, self.outputs)):
            # PyTorch's initial weights; the fan of a transposed convolution is that of its output.
            how = {"name": f"conv_{i}"} | _initial(width * 16)
            conv = DoublingConv(width, **how) if i else WholeConvTranspose(width, (4, 4), **how)
            conv.build((None, None, None, fan))
            self.convs.append(conv)
            fan = width

    def call(self, code, training=False):
        x = ops.relu(self.linear(code))[:, None, None, :]
        for conv in self.convs[:-1]:
            x = ops.relu(conv(x))
        return ops.sigmoid(self.convs[-1](x))


@register_keras_serializable(package="tsdsae_keras")
class ResNetEncoder(_Network):
    """Four stages of two basic blocks, widths 1, 2, 4, 8 times `width`, mean over places: -> (batch, outputs)."""

    def build(self, input_shape):
        self.pad = layers.ZeroPadding2D(1)  # "same" would pad a stride of 2 on one side only
        self.conv = convolution(input_shape[-1], self.width, 3, strides=2, name="conv")
        self.conv.build((None, None, None, input_shape[-1]))
        self.norm = normalization(self.width, "norm", relu=True)
        fan, self.blocks = self.width, []
        for stage in range(4):
            for block in range(2):
                width = self.width * 2**stage
                stride = 2 if stage and not block else 1
                self.blocks.append(_Block(width, stride, name=f"block_{stage + 1}_{block}"))
                self.blocks[-1].build((None, None, None, fan))
                fan = width
        self.linear = linear(fan, self.outputs)

    def call(self, x, training=False):
        x = self.norm(self.conv(self.pad(x)), training=training)
        for block in self.blocks:
            x = block(x, training=training)
        return self.linear(ops.mean(x, axis=(1, 2)))


@register_keras_serializable(package="tsdsae_keras")
class ResNetDecoder(_Network):
    """The mirror of `ResNetEncoder`: (batch, code) -> probabilities (batch, 64, 64, outputs)."""

    def build(self, input_shape):
        fan, self.blocks = 8 * self.width, []
        self.linear = linear(input_shape[-1], fan)
        for stage in (4, 3, 2, 1):
            for block in range(2):
                stride = 2 if stage > 1 and block else 1
                self.blocks.append(_DecoderBlock(fan // stride, stride, name=f"block_{stage}_{block}"))
                self.blocks[-1].build((None, None, None, fan))
                fan //= stride
        self.conv = convolution(fan, self.outputs, 3, padding="same", bias=True, name="conv")
        self.conv.build((None, None, None, fan))

    def call(self, code, training=False):
        x = enlarge(self.linear(code)[:, None, None, :], 4)
        for block in self.blocks:
            x = block(x, training=training)
        return ops.sigmoid(self.conv(enlarge(x, 2)))


class _Block(layers.Layer):
    """Conv, norm, ReLU, conv, norm, plus the input (or its projection where the size changes), ReLU."""

    def __init__(self, width, stride, **kwargs):
        super().__init__(**kwargs)
        self.width, self.stride = width, stride

    def build(self, input_shape):
        fan = input_shape[-1]
        self.pad = layers.ZeroPadding2D(1)
        self.conv1 = convolution(fan, self.width, 3, strides=self.stride, name="conv1")
        self.conv2 = convolution(self.width, self.width, 3, padding="same", name="conv2")
        self.norm1, self.norm2 = normalization(self.width, "norm1", relu=True), normalization(self.width, "norm2")
        self.conv1.build((None, None, None, fan))
        self.conv2.build((None, None, None, self.width))
        self.shortcut = None
        if self.stride > 1:
            self.shortcut = convolution(fan, self.width, 1, strides=self.stride, name="shortcut")
            self.shortcut.build((None, None, None, fan))
            self.shortcut_norm = normalization(self.width, "shortcut_norm")

    def call(self, x, training=False):
        y = self.norm1(self.conv1(self.pad(x)), training=training)
        y = self.norm2(self.conv2(y), training=training)
        if self.shortcut is not None:
            x = self.shortcut_norm(self.shortcut(x), training=training)
        return ops.relu(x + y)


class _DecoderBlock(layers.Layer):
    """Conv at the old width, norm, ReLU, conv to the new width (enlarged first where the stride is 2), norm, plus the
    input or its projection, ReLU."""

    def __init__(self, width, stride, **kwargs):
        super().__init__(**kwargs)
        self.width, self.stride = width, stride

    def build(self, input_shape):
        fan, enlarges = input_shape[-1], self.stride > 1
        self.conv2 = convolution(fan, fan, 3, padding="same", name="conv2")
        self.conv1 = convolution(fan, self.width, 3, padding="same", bias=enlarges, name="conv1")
        self.norm2, self.norm1 = normalization(fan, "norm2", relu=True), normalization(self.width, "norm1")
        self.shortcut = None
        if enlarges:
            self.shortcut = convolution(fan, self.width, 3, padding="same", bias=True, name="shortcut")
            self.shortcut.build((None, None, None, fan))
            self.shortcut_norm = normalization(self.width, "shortcut_norm")
        self.conv1.build((None, None, None, fan))
        self.conv2.build((None, None, None, fan))

    def call(self, x, training=False):
        y = self.norm2(self.conv2(x), training=training)
        y = self.norm1(self.conv1(enlarge(y, self.stride)), training=training)
        if self.shortcut is not None:
            x = self.shortcut_norm(self.shortcut(enlarge(x, self.stride)), training=training)
        return ops.relu(x + y)


def enlarge(x, factor):
    """Every pixel `factor` times along rows and columns."""
    return x if factor == 1 else ops.repeat(ops.repeat(x, factor, axis=1), factor, axis=2)


def linear(fan, units, activation=None, name="linear"):
    """A built Dense layer with PyTorch's initial weights."""
    layer = layers.Dense(units, activation, name=name, **_initial(fan))
    layer.build((None, fan))
    return layer


def convolution(fan, width, size, *, bias=False, **how):
    """A convolution from `fan` channels with PyTorch's initial weights."""
    return Conv(width, size, use_bias=bias, **_initial(fan * size**2), **how)


def _initial(fan):
    limit = fan**-0.5

    def uniform():
        return keras.initializers.RandomUniform(-limit, limit)

    return {"kernel_initializer": uniform(), "bias_initializer": uniform()}


def normalization(width, name, *, relu=False):
    """A built batch norm."""
    layer = BatchNorm(relu=relu, name=name)
    layer.build((None, None, None, width))
    return layer


ENCODERS = {"cnn": ConvEncoder, "resnet": ResNetEncoder}
DECODERS = {"cnn": ConvDecoder, "resnet": ResNetDecoder}
