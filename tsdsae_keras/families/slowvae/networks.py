"""Encoders and decoders: convolutions for images, dense layers for vectors. Either can be given to either model.

Images are (height, width, channels), both sides multiples of 16; four convolutions of stride 2 halve them to a map of
1/16, which one more layer sees as a whole. At 64 x 64 these are the layers of Klindt et al. 2021 and of the beta-VAE
before it. Every encoder gives (batch, outputs), every decoder (batch, *shape) without an activation.
"""

import itertools
import math

import keras
from keras import layers
from keras.initializers import RandomUniform, VarianceScaling

from tsdsae_keras.networks.conv import DoublingConv, HalvingConv, WholeConvTranspose

FILTERS = (32, 32, 64, 64)  # of the encoder; the decoder has them in reverse
WIDTH = 256  # of the layer between the map and the code
SLOPE = 0.2  # of the LeakyReLU in dense layers


def make_encoder(shape, outputs, units):
    """The encoder for data of a shape: convolutions for (height, width, channels), dense layers for (n,).

    Args:
        shape: of one example.
        outputs: numbers it gives.
        units: widths of the dense layers; images do not use them.
    """
    return conv_encoder(shape, outputs) if len(shape) == 3 else dense_encoder(shape, outputs, units)


def make_decoder(shape, z_dim, units):
    """The decoder from z (batch, z_dim) to (batch, *shape); arguments as in `make_encoder`."""
    return conv_decoder(shape, z_dim) if len(shape) == 3 else dense_decoder(shape, z_dim, units)


def conv_encoder(shape, outputs):
    """Convolutions 4 x 4 of stride 2, then a dense layer over the whole map, then the outputs."""
    stack = [layers.Input(shape)]
    for index, filters in enumerate(FILTERS):
        stack.append(HalvingConv(filters, activation="relu", kernel_initializer=normal(), name=f"conv_{index}"))
    # A convolution that covers the map is a dense layer, which is faster on every backend.
    stack += [layers.Flatten(name="flatten"), dense(WIDTH, "relu", "dense"), dense(outputs, None, "outputs")]
    return keras.Sequential(stack, name="encoder")


def conv_decoder(shape, z_dim):
    """A dense layer, a transposed convolution to the whole map, then transposed convolutions 4 x 4 of stride 2."""
    height, width, channels = shape
    stack = [layers.Input((z_dim,)), dense(WIDTH, "relu", "dense"), layers.Reshape((1, 1, WIDTH), name="reshape")]
    whole = height // 16, width // 16
    how = {"activation": "relu", "name": "map", **uniform(FILTERS[-1] * math.prod(whole))}
    stack.append(WholeConvTranspose(FILTERS[-1], whole, **how))
    for index, filters in enumerate((*FILTERS[-2::-1], channels)):
        activation = "relu" if index < len(FILTERS) - 1 else None
        stack.append(DoublingConv(filters, activation=activation, name=f"conv_{index}", **uniform(16 * filters)))
    return keras.Sequential(stack, name="decoder")


def dense_encoder(shape, outputs, units):
    """Dense layers with LeakyReLU 0.2."""
    return keras.Sequential(
        [layers.Input(shape), *_leaky(shape[0], units), layers.Dense(outputs, **uniform(units[-1]), name="outputs")],
        name="encoder",
    )


def dense_decoder(shape, z_dim, units):
    """Dense layers with LeakyReLU 0.2, then the shape of the data."""
    outputs = layers.Dense(math.prod(shape), **uniform(units[0]), name="outputs")
    return keras.Sequential([layers.Input((z_dim,)), *_leaky(z_dim, units[::-1]), outputs], name="decoder")


def _leaky(inputs, units):
    for index, (fan, width) in enumerate(zip((inputs, *units), units, strict=False)):
        yield layers.Dense(width, **uniform(fan), name=f"dense_{index}")
        yield layers.LeakyReLU(SLOPE, name=f"leaky_{index}")


def dense(units, activation, name):
    """A dense layer with the authors' initial weights."""
    return layers.Dense(units, activation, kernel_initializer=normal(), name=name)


def uniform(fan):
    """PyTorch's initial weights, kernel and bias uniform within 1 / sqrt(fan).

    PyTorch counts the OUTPUT channels of a transposed convolution as its fan, and the inputs of a dense layer. On mixed
    vectors two of five seeds of the exact form need more than 3,000 steps from Keras's own initial weights.
    """
    return {f"{part}_initializer": RandomUniform(-(fan**-0.5), fan**-0.5) for part in ("kernel", "bias")}


def normal():
    """Normal with standard deviation sqrt(2 / fan_in), not truncated as Keras's "he_normal" is."""
    return VarianceScaling(2.0, "fan_in", "untruncated_normal")


def kernel_numbers(config):
    """How many numbers the matrices of a model hold, from its checked configuration."""
    shape, z_dim, outputs = config["x_shape"], config["z_dim"], 2 * config["z_dim"]
    if len(shape) == 3:
        whole = math.prod(shape[:2]) // 256 * FILTERS[-1] * WIDTH
        pairs = zip((shape[2], *FILTERS), FILTERS, strict=False)
        return 2 * (sum(16 * a * b for a, b in pairs) + whole) + (z_dim + outputs) * WIDTH
    sizes = (shape[0], *config["units"])
    trunk = sum(a * b for a, b in itertools.pairwise(sizes))
    return 2 * trunk + (outputs + z_dim) * config["units"][-1]
