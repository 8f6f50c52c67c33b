"""Compiling a model again in the middle of training, without forgetting what the optimizer knows.

Keras compiles the set of trainable weights into the training function: flipping `trainable` alone is ignored on
TensorFlow, an error on JAX and half of each on PyTorch.
"""

from keras import ops

BACKEND_OPTIMIZERS = "keras.src.backend."


def recompile(model):
    """Compiles with the same settings for the weights that now train; equal optimizer variables keep their values."""
    known = {variable.path: ops.convert_to_numpy(variable) for variable in model.optimizer.variables}
    model.compile_from_config(model.get_compile_config() | {"jit_compile": model.jit_compile})
    for variable in model.optimizer.variables:
        if variable.path in known:
            variable.assign(known[variable.path])
    model.make_train_function(force=True)
    model.make_test_function(force=True)


def portable(config):
    """A compile config that every backend can use: `jit_compile` left to the backend, optimizers by public names.

    Keras saves what "auto" came to on the backend that saved (XLA slows TensorFlow here, JAX crawls without it), and
    on PyTorch `keras.optimizers.Adam` as a class that works on PyTorch alone.
    """
    if not config:
        return config
    optimizer = config.get("optimizer")
    if isinstance(optimizer, dict) and str(optimizer.get("module")).startswith(BACKEND_OPTIMIZERS):
        optimizer = optimizer | {"module": "keras.optimizers", "registered_name": None}
    return config | {"optimizer": optimizer, "jit_compile": "auto"}
