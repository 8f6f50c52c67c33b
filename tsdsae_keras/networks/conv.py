"""Convolutions which are fast on every backend, above all those of 4 x 4 and stride 2, plain and transposed.

XLA on a CPU takes some ten times as long as other backends for the gradients of strided convolutions. There, both are
written as one matrix product on blocks of 2 x 2 pixels. On PyTorch, Keras computes a larger transposed convolution and
crops it; there, PyTorch's own are called. Everywhere else Keras's are used. The weights are the same.
"""

import math

from keras import layers, ops

from tsdsae_keras.networks.native import of_backend


def prefers_products():
    """Whether the backend's own strided convolutions are slow on this machine."""
    slow = getattr(of_backend(), "slow_convolutions", None)
    return slow is not None and slow()


def call_natively(layer, name, inputs, *how):
    """What the backend's own function of a name gives for a layer's weights; None where it has none."""
    own = getattr(of_backend(), name, None)
    if own is None:
        return None
    bias = None if layer.bias is None else ops.convert_to_tensor(layer.bias)
    return layer.activation(own(ops.convert_to_tensor(inputs), ops.convert_to_tensor(layer.kernel), bias, *how))


def call_quickly(layer, name, inputs, *how):
    """By the layer's product where the backend prefers products, else by `call_natively`."""
    if prefers_products():
        return layer.activation(add_bias(layer.by_product(inputs), layer.bias))
    return call_natively(layer, name, inputs, *how)


class Conv(layers.Conv2D):
    """Keras's, without its changes of the memory's layout on PyTorch, there and back at every layer."""

    def call(self, inputs):
        outputs = call_natively(self, "conv", inputs, self.strides, self.padding == "same")
        return super().call(inputs) if outputs is None else outputs


class HalvingConv(layers.Conv2D):
    """Convolution 4 x 4, stride 2, one pixel of padding: (batch, h, w, in) -> (batch, h / 2, w / 2, filters).

    Args:
        filters: channels out.
        options: others of `keras.layers.Conv2D`.
    """

    def __init__(self, filters, **options):
        super().__init__(filters, 4, 2, padding="same", **options)

    def call(self, inputs):
        outputs = call_quickly(self, "conv", inputs, self.strides, True)  # padding "same"
        return super().call(inputs) if outputs is None else outputs

    def by_product(self, x):
        """The convolution as one matrix product, without bias and activation."""
        # Padded and cut into blocks of 2 x 2, a window of 4 x 4 at stride 2 is 2 x 2 neighbouring blocks.
        x = to_blocks(ops.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0))))
        kernel = ops.reshape(self.kernel, (2, 2, 2, 2, -1, self.filters))  # row 2a + c, column 2b + d
        kernel = ops.reshape(ops.transpose(kernel, (0, 2, 1, 3, 4, 5)), (4, x.shape[-1], self.filters))
        return shifted_products(x, kernel, [(a, b) for a in (0, 1) for b in (0, 1)])


class DoublingConv(layers.Conv2DTranspose):
    """Transposed convolution 4 x 4, stride 2, one pixel cropped: (batch, h, w, in) -> (batch, 2 h, 2 w, filters).

    Args:
        filters: channels out.
        options: others of `keras.layers.Conv2DTranspose`.
    """

    def __init__(self, filters, **options):
        super().__init__(filters, 4, 2, padding="same", **options)

    def call(self, inputs):
        outputs = call_quickly(self, "doubling_conv", inputs)
        return super().call(inputs) if outputs is None else outputs

    def by_product(self, x):
        """The transposed convolution as one matrix product, without bias and activation."""
        # Every pixel adds to 2 x 2 blocks of 2 x 2 pixels, so a block is a sum over 2 x 2 neighbouring pixels.
        kernel = ops.reshape(self.kernel, (2, 2, 2, 2, self.filters, -1))
        kernel = ops.reshape(ops.transpose(kernel, (0, 2, 5, 1, 3, 4)), (4, x.shape[-1], 4 * self.filters))
        padded = ops.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)))
        blocks = shifted_products(padded, kernel, [(1 - a, 1 - b) for a in (0, 1) for b in (0, 1)])
        return from_blocks(blocks, self.filters)[:, 1:-1, 1:-1]


def add_bias(x, bias):
    """x + bias; x where there is none."""
    return x if bias is None else x + bias


class HalvingPool(layers.MaxPooling2D):
    """The maxima of blocks of 2 x 2: (batch, h, w, channels) -> (batch, ceil(h / 2), ceil(w / 2), channels).

    XLA's own takes twenty times as long for the gradient on a processor; where maxima are equal, they share it here.
    """

    def __init__(self, **options):
        super().__init__(2, padding="same", **options)

    def call(self, inputs):
        height, width = inputs.shape[1:3]
        if not prefers_products() or height is None or height % 2 or width % 2:
            return super().call(inputs)
        blocks = ops.reshape(inputs, (-1, height // 2, 2, width // 2, 2, inputs.shape[-1]))
        rows = ops.maximum(blocks[:, :, 0], blocks[:, :, 1])
        return ops.maximum(rows[:, :, :, 0], rows[:, :, :, 1])


def shifted_products(x, kernels, shifts):
    """The sum over k of x, shifted by the k-th of `shifts`, times the k-th kernel.

    Args:
        x: (batch, h, w, in).
        kernels: (shifts, in, out).
        shifts: (rows, columns), from 0 on.

    Returns:
        (batch, h - most rows, w - most columns, out).
    """
    _, height, width, fan_in = x.shape
    count, _, out = kernels.shape
    height, width = (size - max(each) for size, each in zip((height, width), zip(*shifts, strict=True), strict=True))

    def move(values, a, b):
        return values[:, a : height + a, b : width + b]

    # Either the inputs are laid side by side or the products are added up, whichever moves fewer numbers.
    if fan_in <= out:
        windows = ops.concatenate([move(x, *shift) for shift in shifts], axis=-1)
        return flat_product(windows, ops.reshape(kernels, (count * fan_in, out)))
    products = flat_product(x, ops.reshape(ops.transpose(kernels, (1, 0, 2)), (fan_in, count * out)))
    parts = ops.split(products, count, axis=-1)
    return sum(move(part, *shift) for part, shift in zip(parts, shifts, strict=True))


def flat_product(x, kernel):
    """(..., in) times (in, out): (..., out).

    As a product of two matrices: XLA takes twice as long for the kernel's gradient where it is a sum over several axes.
    """
    product = ops.matmul(ops.reshape(x, (-1, x.shape[-1])), kernel)
    return ops.reshape(product, (-1, *x.shape[1:-1], kernel.shape[-1]))


def to_blocks(x):
    """(batch, 2 h, 2 w, channels) -> (batch, h, w, 4 channels): each block of 2 x 2 pixels as one."""
    _, height, width, channels = x.shape
    x = ops.reshape(x, (-1, height // 2, 2, width // 2, 2, channels))
    return ops.reshape(ops.transpose(x, (0, 1, 3, 2, 4, 5)), (-1, height // 2, width // 2, 4 * channels))


def from_blocks(x, channels):
    """The inverse of `to_blocks`."""
    _, height, width, _ = x.shape
    x = ops.transpose(ops.reshape(x, (-1, height, width, 2, 2, channels)), (0, 1, 3, 2, 4, 5))
    return ops.reshape(x, (-1, 2 * height, 2 * width, channels))


class WholeConv(layers.Conv2D):
    """Convolution over a whole map: (batch, *kernel_size, in) -> (batch, 1, 1, filters), one matrix product.

    Args:
        filters: channels out.
        kernel_size: height and width of the map.
        options: others of `keras.layers.Conv2D`.
    """

    def call(self, inputs):
        rows = ops.reshape(inputs, (-1, 1, 1, math.prod(self.kernel.shape[:-1])))
        values = flat_product(rows, ops.reshape(self.kernel, (-1, self.filters)))
        return self.activation(add_bias(values, self.bias))


class WholeConvTranspose(layers.Conv2DTranspose):
    """Transposed convolution of one pixel to a whole map: (batch, 1, 1, in) -> (batch, *kernel_size, filters).

    Args:
        filters: channels out.
        kernel_size: height and width of the map.
        options: others of `keras.layers.Conv2DTranspose`.
    """

    def call(self, inputs):
        height, width, filters, fan_in = self.kernel.shape
        kernel = ops.transpose(ops.reshape(self.kernel, (-1, fan_in)))
        maps = ops.reshape(flat_product(inputs, kernel), (-1, height, width, filters))
        return self.activation(add_bias(maps, self.bias))
