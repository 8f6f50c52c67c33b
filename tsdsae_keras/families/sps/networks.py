"""Encoder, decoder and prior; frames are encoded and decoded one by one, the prior runs over their codes.

ReLU after every hidden layer, no normalisation. After the first layer of the music encoder a note is one-dimensional,
so its convolutions run over rows of the spectrum, with the STFT frames of a note as channels.
"""

import functools
import math

from keras import layers, ops

from tsdsae_keras.networks.conv import DoublingConv, HalvingConv
from tsdsae_keras.networks.native import split_rows
from tsdsae_keras.networks.row_conv import Conv1D, Conv1DTranspose


class Conv2D(HalvingConv):
    """Under the name that files of earlier versions have it by."""


class Conv2DTranspose(DoublingConv):
    """Under the name that files of earlier versions have it by."""


def is_music(domain):
    """Whether a frame is one-dimensional after the first convolution."""
    return len(domain.smallest) == 1


def convolution(domain, kernel, transpose):
    """The layer of a kernel (size, stride), still without its channels; those of video are all 4 by 4 of stride 2."""
    if not is_music(domain):
        return Conv2DTranspose if transpose else Conv2D
    size, stride = kernel
    return functools.partial(
        Conv1DTranspose if transpose else Conv1D, size=size, stride=stride, rows=(size - stride) // 2
    )


CELLS = {"rnn": layers.SimpleRNNCell, "gru": layers.GRUCell}


class FrameEncoder(layers.Layer):
    """Frames (n, *frame) to mean and log-variance of their codes, (n, latents) each.

    Args:
        domain: `domains.Domain`.
        channels: of the convolutions.
        latents: d.
    """

    def __init__(self, domain, channels, latents, **kwargs):
        super().__init__(**kwargs)
        self.frame = domain.frame
        self.convolutions = [
            convolution(domain, kernel, transpose=False)(n, activation="relu", name=f"convolution_{i}")
            for i, (n, kernel) in enumerate(zip(channels, domain.kernels, strict=True))
        ]
        self.features = math.prod(domain.smallest) * channels[-1]
        self.mean = layers.Dense(latents, name="mean")
        self.log_var = layers.Dense(latents, name="log_var")

    def build(self, input_shape=None):
        channels = self.frame[-1]
        for layer in self.convolutions:
            layer.build((None,) * (len(layer.kernel_size) + 1) + (channels,))
            channels = layer.filters
        for head in (self.mean, self.log_var):
            head.build((None, self.features))
        self.built = True

    def call(self, x):
        for layer in self.convolutions:
            x = layer(x)
        return self._head(self.mean, x), self._head(self.log_var, x)

    def _head(self, head, x):
        """The linear head of features (n, *positions, channels), its kernel's rows channels first as published.

        Positions are added up one after the other: a single product of 2,048 numbers rounds so differently from backend
        to backend that ReLUs of the decoder switch.
        """
        channels = x.shape[-1]
        x = ops.reshape(x, (-1, self.features // channels, channels))
        kernel = ops.reshape(head.kernel, (channels, -1, head.units))
        return ops.sum(ops.einsum("npc,cpd->npd", x, kernel), axis=1) + head.bias


class FrameDecoder(layers.Layer):
    """Codes (n, latents) to the logits of frames (n, *frame): dense layers, then the encoder's convolutions reversed.

    Args:
        domain: `domains.Domain`.
        channels: of the encoder's convolutions.
        units: widths of the hidden dense layers.
        latents: d.
    """

    def __init__(self, domain, channels, units, latents, **kwargs):
        super().__init__(**kwargs)
        self.latents, self.start = latents, (channels[-1], *domain.smallest)
        self.output_channels = 1 if is_music(domain) else domain.frame[-1]
        self.hidden = [layers.Dense(n, activation="relu", name=f"hidden_{i}") for i, n in enumerate(units)]
        self.last_dense = layers.Dense(math.prod(self.start), name="last_dense")
        *before, last = domain.kernels[::-1]
        self.convolutions = [
            convolution(domain, kernel, transpose=True)(n, activation="relu", name=f"convolution_{i}")
            for i, (n, kernel) in enumerate(zip(channels[-2::-1], before, strict=True))
        ]
        # One bias for the whole spectrum, as the published layer has one output channel: it is added by hand.
        self.output_layer = convolution(domain, last, transpose=True)(domain.frame[-1], use_bias=False, name="output")

    def build(self, input_shape=None):
        width = self.latents
        for layer in (*self.hidden, self.last_dense):
            layer.build((None, width))
            width = layer.units
        channels = self.start[0]
        for layer in (*self.convolutions, self.output_layer):
            layer.build((None,) * len(self.start) + (channels,))
            channels = layer.filters
        self.output_bias = self.add_weight(shape=(self.output_channels,), initializer="zeros", name="output_bias")
        self.built = True

    def call(self, z, offset=0.0):
        """Logits (n, *frame) of codes (n, latents), plus an offset for each element of a frame."""
        for layer in (*self.hidden, self.last_dense):
            z = layer(z)
        x = ops.moveaxis(ops.reshape(z, (-1, *self.start)), 1, -1)
        for layer in (*self.convolutions, self.output_layer):
            x = layer(x)
        return x + (self.output_bias + offset)


class Prior(layers.Layer):
    """R: codes z_1:T to predictions of z_2:T, by a recurrent network that starts from h_0 = 0.

        u_t = o_{t-1} where fed back, else z_t;  h_t = cell(u_t, h_{t-1});  o_t = V h_t + c;  o_t predicts z_{t+1}

    Args:
        dims: p, of the codes it predicts.
        units: of a recurrent layer.
        depth: how many recurrent layers.
        cell: "rnn" (tanh) or "gru".
    """

    def __init__(self, dims, units, depth=1, cell="rnn", **kwargs):
        super().__init__(**kwargs)
        self.dims, self.units = dims, units
        self.cells = [CELLS[cell](units, name=f"cell_{i}") for i in range(depth)]
        self.head = layers.Dense(dims, name="head")

    def build(self, input_shape=None):
        for i, cell in enumerate(self.cells):
            cell.build((None, self.units if i else self.dims))
        self.head.build((None, self.units))
        self.built = True

    def call(self, z, feedback):
        """Predictions (n, time - 1, dims) of z_2:T.

        Args:
            z: (n, time, dims); time must be known.
            feedback: (n, time), 1 where the network's own prediction takes the place of the true code.
        """
        states = [ops.zeros((ops.shape(z)[0], self.units), z.dtype)] * len(self.cells)
        output, outputs = z[:, 0], []
        for t in range(z.shape[1] - 1):
            # At t = 0 nothing was predicted yet, so `output` is the true code whatever `feedback` says.
            output, states = self.step(ops.where(feedback[:, t, None], output, z[:, t]), states)
            outputs.append(output)
        return ops.stack(outputs, axis=1)

    def step(self, u, states):
        """One step: the prediction (n, dims) and the new states."""
        after = []
        for cell, state in zip(self.cells, states, strict=True):
            u, new = cell.call(u, [state])  # on PyTorch, the call around it takes longer than a step
            after.append(new[0] if isinstance(new, (list, tuple)) else new)
        return self.head.call(u), after


def call_at_once(layer, *inputs):
    """{name: output} of a layer whose arguments are {name: rows} each: one call on the rows of all names."""
    outputs = layer(*(ops.concatenate(list(each.values()), axis=0) for each in inputs))
    sizes = [ops.shape(rows)[0] for rows in inputs[0].values()]  # may be known only when it runs
    return dict(zip(inputs[0], split_rows(outputs, sizes), strict=True))
