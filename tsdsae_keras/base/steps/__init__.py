"""The custom train step of the backend in use: one thin file each.

Each step does the same: forward pass, `compute_loss`, gradients, their global norm, the guard (a step whose loss or
gradient is not finite changes no weight and no slot, and is counted), apply, logs.
"""

import importlib

import keras

from tsdsae_keras.errors import InputError

BACKENDS = ("tensorflow", "jax", "torch")


def _step_of(backend):
    if backend not in BACKENDS:
        raise InputError(f"the Keras backend is {backend!r}; set KERAS_BACKEND to one of {', '.join(BACKENDS)}")
    return importlib.import_module(f"tsdsae_keras.base.steps.{backend}").TrainStep


TrainStep = _step_of(keras.backend.backend())
