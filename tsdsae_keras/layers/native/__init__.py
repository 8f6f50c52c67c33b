"""What the backend itself is quickest at: one file a backend.

Each has `serves(x)`, whether a stack of LSTM layers can and should take x on this machine, and `run_natively(stack, x)`
for them. It may have `linear(x, kernel, bias)` and `tanh(x)`, where Keras's operations are slower.
"""

import importlib

import keras


def of_backend():
    """The module of the backend in use."""
    return importlib.import_module(f"tsdsae_keras.layers.native.{keras.backend.backend()}")
