"""Public methods of models: arrays in, arrays out; tensors in, tensors out."""

import functools

from keras import ops


def arrays_for_arrays(method):
    """Numpy out when numpy came in; tensors, through which gradients flow, when a tensor came in."""

    @functools.wraps(method)
    def wrapped(self, *args, **kwargs):
        result = method(self, *args, **kwargs)
        if any(ops.is_tensor(value) for value in (*args, *kwargs.values())):
            return result
        if isinstance(result, dict):
            return {name: ops.convert_to_numpy(value) for name, value in result.items()}
        return ops.convert_to_numpy(result)

    return wrapped
