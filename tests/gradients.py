"""Loss terms of a model and their gradients on the backend in use, with nothing frozen."""

import keras
import numpy as np
from keras import ops


def terms_and_gradients(model, terms):
    """The scalars of `terms()` and the gradients of its "loss" by path of a weight, None where it plays no part."""
    variables = [variable for variable in model.variables if "float" in variable.dtype]
    kind = {"tensorflow": _tensorflow, "jax": _jax, "torch": _torch}[keras.backend.backend()]
    values, gradients = kind(variables, terms)
    arrays = [None if value is None else np.asarray(keras.ops.convert_to_numpy(value)) for value in gradients]
    named = {variable.path: array for variable, array in zip(variables, arrays, strict=True)}
    return {name: float(keras.ops.convert_to_numpy(value)) for name, value in values.items()}, named


def check_same(layers, run, reference):
    """Two functions of a tensor give the same, and the same gradients.

    Args:
        layers: with "x", an input that is a variable too, so that its gradient is asked for; "variables", x and all
            weights; "weights", the shape of the output, that of the sum whose gradient is taken.
    """
    outputs, gradients = _outputs_and_gradients(layers, run)
    expected, slopes = _outputs_and_gradients(layers, reference)
    np.testing.assert_allclose(outputs, expected, rtol=1e-5, atol=1e-6)
    for path, slope in slopes.items():
        np.testing.assert_allclose(gradients[path], slope, rtol=1e-4, atol=1e-5, err_msg=path)


def _outputs_and_gradients(layers, run):
    def terms():
        return {"loss": ops.sum(ops.multiply(run(ops.convert_to_tensor(layers.x)), layers.weights))}

    return ops.convert_to_numpy(run(ops.convert_to_tensor(layers.x))), terms_and_gradients(layers, terms)[1]


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
