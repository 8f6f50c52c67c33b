"""Gradients of a model's loss terms on the backend in use, with nothing frozen."""

import keras
import numpy as np


def gradients_of(model, loss):
    """Gradients of `loss()` with regard to all weights of the model, None where it does not depend on one."""
    variables = list(model.variables)
    variables = [variable for variable in variables if "float" in variable.dtype]
    kind = {"tensorflow": _tensorflow, "jax": _jax, "torch": _torch}[keras.backend.backend()]
    values = kind(variables, loss)
    arrays = [None if value is None else np.asarray(keras.ops.convert_to_numpy(value)) for value in values]
    return {variable.path: array for variable, array in zip(variables, arrays, strict=True)}


def _tensorflow(variables, loss):
    import tensorflow as tf

    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch([variable.value for variable in variables])
        value = loss()
    return tape.gradient(value, [variable.value for variable in variables])


def _jax(variables, loss):
    import jax

    def stateless(values):
        with keras.StatelessScope(state_mapping=zip(variables, values, strict=True)):
            return loss()

    return jax.jit(jax.grad(stateless))([variable.value for variable in variables])


def _torch(variables, loss):
    for variable in variables:
        variable.value.requires_grad_(True)
        variable.value.grad = None
    loss().backward()
    return [variable.value.grad for variable in variables]
