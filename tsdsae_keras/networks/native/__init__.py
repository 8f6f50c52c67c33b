"""What the backend itself is quickest at: one file a backend.

Each has `serves(x)`, whether a stack of LSTM layers can and should take x on this machine, and `run_natively(stack, x)`
for them. It may have `linear(x, kernel, bias)`, bias perhaps None, `tanh(x)` and `squared_error(x, y)`, where Keras's
operations are slower, `halving_conv(x, kernel, bias)` and `doubling_conv(x, kernel, bias)` in place of Keras's strided
convolutions, and `slow_convolutions()`, whether matrix products should do the work of those.
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
