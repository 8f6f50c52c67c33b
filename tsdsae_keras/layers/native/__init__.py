"""A stack of LSTM layers by what the backend itself is quickest at: one file a backend.

Each has `serves(x)`, whether it can and should take x on this machine, and `run_natively(stack, x)`.
"""

import importlib

import keras


def of_backend():
    """The module of the backend in use."""
    return importlib.import_module(f"tsdsae_keras.layers.native.{keras.backend.backend()}")
