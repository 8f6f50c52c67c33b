"""What the backend itself is quickest at: one file a backend.

Each has `serves(x)`, whether a stack of LSTM layers can and should take x on this machine, and `run_natively(stack, x)`
for them. It may have, where Keras's operations are slower or less exact:

- `linear(x, kernel, bias)`, bias perhaps None; `rounded_linear`, the same with factors rounded to bfloat16, or None;
  `tanh(x)`, `squared_error(x, y)`, `binary_cross_entropy(x, logits)`, `summed_cross_entropy(x, logits)`,
  `split_rows(x, sizes)`;
- `conv(x, kernel, bias, strides, same)`, `doubling_conv(x, kernel, bias)`, `row_conv(x, kernel, bias, stride, rows)`,
  `row_conv_transpose`, and `slow_convolutions()`, whether matrix products should do the work of strided convolutions;
- `batch_norm(x, gamma, beta, epsilon, relu)`, giving outputs, mean and unbiased variance, `average_by_axis(x)`, and
  `follow(variable, values, share)`, which moves a variable by a share of the way to values, where they are finite.
"""

import importlib

import keras
from keras import ops


def of_backend():
    """The module of the backend in use."""
    return importlib.import_module(f"tsdsae_keras.networks.native.{keras.backend.backend()}")


def squared_error(x, y):
    """The sum of (x - y)^2 over all elements."""
    quick = getattr(of_backend(), "squared_error", None)
    return quick(x, y) if quick else ops.sum(ops.square(x - y))


def binary_cross_entropy(x, logits):
    """log(1 + e^l) - x l, elementwise, written so that no exp overflows; x between 0 and 1."""
    quick = getattr(of_backend(), "binary_cross_entropy", None)
    if quick:
        return quick(x, logits)
    return ops.maximum(logits, 0.0) - x * logits + ops.log1p(ops.exp(-ops.abs(logits)))


def summed_cross_entropy(x, logits):
    """The sum of `binary_cross_entropy` over all elements; x may have fewer axes, and is the same along the others."""
    quick = getattr(of_backend(), "summed_cross_entropy", None)
    return quick(x, logits) if quick else ops.sum(ops.softplus(logits)) - ops.sum(x * logits)


def split_rows(x, sizes):
    """x (sum of sizes, ...) in parts of so many rows."""
    quick = getattr(of_backend(), "split_rows", None)
    if quick:
        return quick(x, sizes)
    ends = [sum(sizes[: i + 1]) for i in range(len(sizes))]
    return [x[end - size : end] for size, end in zip(sizes, ends, strict=True)]
