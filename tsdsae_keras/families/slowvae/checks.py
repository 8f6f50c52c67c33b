"""What a model can be: every value of a configuration, checked before anything is made."""

import math

from tsdsae_keras.errors import InputError, quote
from tsdsae_keras.families.slowvae.likelihoods import LIKELIHOODS
from tsdsae_keras.families.slowvae.networks import kernel_numbers

FORMS = ("official", "exact")
SHARINGS = ("gvae", "ml-vae")
WIDEST, DEEPEST = 1 << 16, 64  # far beyond what can be trained; a slip or a hostile file is told from a choice
MOST_WEIGHTS = 1 << 26
MOST = 1e30


def validate_config(config):
    """The configuration of a model with tuples for lists; InputError names the first value that is invalid."""
    config = dict(config)
    config["x_shape"] = _validate_shape(config["x_shape"])
    config["units"] = _validate_sizes("units", config["units"], DEEPEST)
    _check_count("z_dim", config["z_dim"])
    for name, choices in (("form", FORMS), ("likelihood", tuple(LIKELIHOODS)), ("sharing", SHARINGS)):
        if name in config:
            _check_choice(name, config[name], choices)
    for name in ("beta", "gamma", "rate_prior", "scale"):
        if name in config:
            config[name] = _validate_number(name, config[name], above=name in ("rate_prior", "scale"))
    seed = config["seed"]
    if seed is not None and (type(seed) is not int or not 0 <= seed < 1 << 32):
        raise InputError(f"seed is {quote(seed)}; it must be None or an integer from 0 to {(1 << 32) - 1}")
    if kernel_numbers(config) > MOST_WEIGHTS:
        raise InputError(
            f"a model of x_shape {config['x_shape']} is too large; at most {MOST_WEIGHTS} weights are made"
        )
    return config


def _validate_shape(shape):
    shape = _validate_sizes("x_shape", shape, 3)
    if len(shape) == 2 or (len(shape) == 3 and (shape[0] % 16 or shape[1] % 16)):
        raise InputError(
            f"x_shape is {shape}; give (height, width, channels) for images, both sides multiples of 16, or (n,) for "
            "vectors"
        )
    return shape


def _validate_sizes(name, sizes, most):
    sizes = tuple(sizes) if isinstance(sizes, list | tuple) else (sizes,)
    if not 0 < len(sizes) <= most:
        raise InputError(f"{name} has {len(sizes)} numbers; it must have at least one and at most {most}")
    for size in sizes:
        _check_count(f"a number in {name}", size)
    return sizes


def _check_count(name, value):
    if type(value) is not int or not 1 <= value <= WIDEST:
        raise InputError(f"{name} is {quote(value)}; it must be an integer of at least 1 and at most {WIDEST}")


def _check_choice(name, value, choices):
    if not isinstance(value, str) or value not in choices:
        raise InputError(f"{name} is {quote(value)}; it must be {' or '.join(map(repr, choices))}")


def _validate_number(name, value, above):
    number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    if not number or not 0 <= value <= MOST or (above and value == 0):
        raise InputError(f"{name} is {quote(value)}; it must be a number {'above' if above else 'of at least'} 0")
    return float(value)
