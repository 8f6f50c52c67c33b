"""What comes into a sequential autoencoder, and Gaussians in its dict of outputs."""

from keras import ops

from tsdsae_keras.errors import InputError


def split_inputs(inputs):
    """x and mask (bool, or None) as tensors, from an array or a dict with "x" and "mask"."""
    x, mask = (inputs["x"], inputs.get("mask")) if isinstance(inputs, dict) else (inputs, None)
    return ops.convert_to_tensor(x), None if mask is None else ops.cast(mask, "bool")


def frames_of(x, features):
    """x (batch, time, features) as a tensor; InputError where it has another shape."""
    x = ops.convert_to_tensor(x)
    if len(x.shape) != 3 or x.shape[-1] != features:
        raise InputError(f"x has shape {tuple(x.shape)}; it must be (batch, time, {features})")
    return x


def valid_frames(x, mask):
    """Frames (n, features) without padding, as an array."""
    x = ops.convert_to_numpy(x)
    return x.reshape(-1, x.shape[-1]) if mask is None else x[ops.convert_to_numpy(mask)]


def name_gaussian(name, gaussian_parameters):
    """{name_mean, name_log_var}."""
    return dict(zip((f"{name}_mean", f"{name}_log_var"), gaussian_parameters, strict=True))


def gaussian(outputs, name):
    """(mean, log-variance) of a Gaussian in a dict of outputs."""
    return outputs[f"{name}_mean"], outputs[f"{name}_log_var"]
