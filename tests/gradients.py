"""Loss terms of a model and their gradients on the backend in use, with nothing frozen."""

import keras
import numpy as np


def terms_and_gradients(model, terms):
    """The scalars of `terms()` and the gradients of its "loss" by path of a weight, None where it plays no part."""
    variables = [variable for variable in model.variables if "float" in variable.dtype]
    kind = {"tensorflow": _tensorflow, "jax": _jax, "torch": _torch}[keras.backend.backend()]
    values, gradients = kind(variables, terms)
    arrays = [None if value is None else np.asarray(keras.ops.convert_to_numpy(value)) for value in gradients]
    named = {variable.path: array for variable, array in zip(variables, arrays, strict=True)}
    return {name: float(keras.ops.convert_to_numpy(value)) for name, value in values.items()}, named


def _tensorflow(variables, terms):
    import tensorflow as tf

    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch([variable.value for variable in variables])
        values = terms()
    return values, tape.gradient(values["loss"], [variable.value for variable in variables])


def _jax(variables, terms):
    import jax

    def stateless(weights):
        with keras.StatelessScope(state_mapping=zip(variables, weights, strict=True)):
            values = terms()
            return values["loss"], values

    weights = [variable.value for variable in variables]
    (_, values), gradients = jax.jit(jax.value_and_grad(stateless, has_aux=True))(weights)
    return values, gradients


def _torch(variables, terms):
    for variable in variables:
        variable.value.requires_grad_(True)
        variable.value.grad = None
    values = terms()
    values["loss"].backward()
    return values, [variable.value.grad for variable in variables]
