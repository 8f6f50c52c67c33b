"""PyTorch's own LSTM in place of a loop over time in Python, and products and tanh in the forms it is quick at.

The loop costs more than the arithmetic in it. On a processor a product whose second factor is stored by columns never
takes longer than x @ kernel, and two thirds of it on some. tanh by way of the sigmoid takes a third of torch.tanh where
that does not come from Intel's library, and thrice as long where it does.
"""

import contextlib
import functools
from pathlib import Path

import torch
from torch.autograd.function import once_differentiable

_NEVER_ROUNDED = 16**3  # multiplications, up to which products are never rounded


def serves(x):
    """Always."""
    return True


def run_natively(stack, x):
    """Outputs of the last of a stack of `keras.layers.LSTM`: (batch, time, in) -> (batch, time, units).

    Equal to calling the layers one after the other (default activations, no mask).

    Args:
        stack: built layers, each fed by the one before.
        x: (batch, time, in).
    """
    for layer in stack:
        start = x.new_zeros(1, x.shape[0], layer.units)
        x, _, _ = torch.lstm(x, (start, start), _weights(layer.cell), True, 1, 0.0, False, False, True)
    return x


class _Linear(torch.autograd.Function):
    """x kernel + bias; where `rounded`, the factors of all products are rounded to bfloat16 and sums are float32."""

    @staticmethod
    def forward(ctx, x, kernel, bias, rounded):
        ctx.save_for_backward(x, kernel)
        ctx.rounded = rounded
        with _rounding() if rounded else contextlib.nullcontext():
            return torch.nn.functional.linear(x, kernel.T.contiguous(), bias)

    @staticmethod
    @once_differentiable
    def backward(ctx, d_y):
        (x, kernel), wanted = ctx.saved_tensors, ctx.needs_input_grad
        with _rounding() if ctx.rounded else contextlib.nullcontext():
            d_x = torch.nn.functional.linear(d_y, kernel) if wanted[0] else None
            d_kernel = x.T @ d_y if wanted[1] else None
        return d_x, d_kernel, d_y.sum(0) if wanted[2] else None, None


@contextlib.contextmanager
def _rounding():
    """Within it, the processor's products of float32 round their factors to bfloat16."""
    products = torch.backends.mkldnn.matmul
    before, products.fp32_precision = products.fp32_precision, "bf16"
    try:
        yield
    finally:
        products.fp32_precision = before


def linear(x, kernel, bias):
    """(n, in), (in, out), (out,) or None -> (n, out): x kernel + bias."""
    return _Linear.apply(x, kernel, bias, False)


def rounded_linear(x, kernel, bias):
    """`linear` with factors rounded to bfloat16 within the product; None where PyTorch would not round them."""
    can = x.is_cpu and torch.backends.cpu.get_cpu_capability() == "AVX512" and len(x) * kernel.numel() > _NEVER_ROUNDED
    return _Linear.apply(x, kernel, bias, True) if can else None


class _Tanh(torch.autograd.Function):
    """tanh(x) = 2 sigmoid(2 x) - 1, right to 1e-7."""

    @staticmethod
    def forward(ctx, x):
        y = (2.0 * x).sigmoid_().mul_(2.0).sub_(1.0)
        ctx.save_for_backward(y)
        return y

    @staticmethod
    @once_differentiable
    def backward(ctx, d_y):
        return torch.ops.aten.tanh_backward(d_y, *ctx.saved_tensors)


def tanh(x):
    """tanh, elementwise."""
    return torch.tanh(x) if not x.is_cpu or _is_intel() else _Tanh.apply(x)


@functools.cache
def _is_intel():
    about = Path("/proc/cpuinfo")
    return about.exists() and "GenuineIntel" in about.read_text()


def squared_error(x, y):
    """The sum of (x - y)^2, and its gradient, in one pass each."""
    return torch.nn.functional.mse_loss(x, y, reduction="sum")


def binary_cross_entropy(x, logits):
    """log(1 + e^l) - x l, elementwise, in one pass, and its gradient in another."""
    return torch.nn.functional.binary_cross_entropy_with_logits(logits, x, reduction="none")


def summed_cross_entropy(x, logits):
    """The sum of `binary_cross_entropy`; x may have fewer axes."""
    return torch.nn.functional.binary_cross_entropy_with_logits(logits, x.expand_as(logits), reduction="sum")


def split_rows(x, sizes):
    """x (sum of sizes, ...) in parts, whose gradients are put together once."""
    return x.split(sizes)


def follow(variable, values, share):
    """Moves a variable by a share of the way to values, where they are finite."""
    with torch.no_grad():
        moved = torch.lerp(variable.value, values, share)
        variable.value.copy_(torch.where(torch.isfinite(moved), moved, variable.value))


def batch_norm(x, gamma, beta, epsilon, relu):
    """x (..., channels) normalised over all axes but the last, with its mean and unbiased variance, in one pass.

    PyTorch's sums are off in their fourth digit where channels come last in memory, so they are moved before the rest;
    its convolutions leave them there.
    """
    first = x.movedim(-1, 1).contiguous() if x.ndim > 2 else x
    y, mean, scale = torch.native_batch_norm(first, gamma, beta, None, None, True, 0.0, epsilon)
    y = torch.relu(y) if relu else y
    rows = x.numel() // x.shape[-1]
    with torch.no_grad():
        variance = (scale.pow(-2) - epsilon) * (rows / max(rows - 1, 1))
    return (y.movedim(1, -1) if x.ndim > 2 else y), mean, variance


def _weights(cell):
    """What PyTorch multiplies and adds; its gates come in Keras's order, and it has a second bias, here zero."""
    bias = cell.bias.value
    return [cell.kernel.value.T, cell.recurrent_kernel.value.T, bias, bias.new_zeros(bias.shape)]


def conv(x, kernel, bias, strides, same):
    """Convolution (batch, h, w, in) -> (batch, ., ., out), padded as Keras does where `same`.

    In memory channels come first between layers, as `batch_norm` needs them.
    """
    x, padding = _channels_first(x), (0, 0)
    if same:
        ends = [_ends(*sizes) for sizes in zip(x.shape[2:], kernel.shape[:2], strides, strict=True)]
        if all(before == after for before, after in ends):
            padding = tuple(before for before, _ in ends)
        else:
            x = torch.nn.functional.pad(x, (*ends[1], *ends[0]))
    y = torch.nn.functional.conv2d(x, kernel.permute(3, 2, 0, 1), bias, strides, padding)
    return y.permute(0, 2, 3, 1)


def _channels_first(x):
    """(batch, h, w, channels) -> (batch, channels, h, w), also in memory.

    Of one channel either order is the other; PyTorch goes by the strides, and would answer with channels last.
    """
    return x.reshape(len(x), 1, *x.shape[1:3]) if x.shape[-1] == 1 else x.permute(0, 3, 1, 2).contiguous()


def _ends(size, kernel, stride):
    """Rows of zeros before and after, so that every stride begins a window."""
    total = max((-(-size // stride) - 1) * stride + kernel - size, 0)
    return total // 2, total - total // 2


def doubling_conv(x, kernel, bias):
    """Transposed convolution 4 x 4 of stride 2, one pixel cropped: (batch, h, w, in) -> (batch, 2 h, 2 w, out)."""
    x, kernel = _channels_first(x), kernel.permute(3, 2, 0, 1)
    return torch.nn.functional.conv_transpose2d(x, kernel, bias, stride=2, padding=1).permute(0, 2, 3, 1)


def row_conv(x, kernel, bias, stride, rows):
    """Convolution (batch, n, in) -> (batch, ., out), with as many rows of zeros before as behind."""
    x = x.permute(0, 2, 1).contiguous()
    return torch.nn.functional.conv1d(x, kernel.permute(2, 1, 0), bias, stride, rows).permute(0, 2, 1)


def row_conv_transpose(x, kernel, bias, stride, rows):
    """The transpose of `row_conv`: (batch, n, in) -> (batch, ., out)."""
    x = x.permute(0, 2, 1).contiguous()
    return torch.nn.functional.conv_transpose1d(x, kernel.permute(2, 1, 0), bias, stride, rows).permute(0, 2, 1)
