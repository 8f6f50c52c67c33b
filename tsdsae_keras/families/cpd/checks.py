"""What a model can be: every value of a configuration, checked before anything is made."""

import math

from tsdsae_keras.errors import InputError, quote
from tsdsae_keras.groups import POSES

COUNTS = {"dims": 64, "channels": 16, "width": 512, "extra_dim": 4096, "latent_dim": 4096, "units": 1 << 16}
CHOICES = {
    "group": tuple(POSES),
    "encoder": ("cnn", "resnet"),
    "class_loss": ("info_nce", "hinge"),
    "batch_norm": (True, False),
    "decoder": (True, False),
    "nuclear": (True, False),
}


def validate_config(config, terms, least_extra=1):
    """The configuration with defaults filled in; InputError names the first value that is invalid.

    Args:
        config: arguments of a model by name.
        terms: names of the model's terms.
        least_extra: fewest numbers of the class.
    """
    config = dict(config)
    if "batch_norm" in config and config["batch_norm"] is None:
        config["batch_norm"] = config["encoder"] == "cnn" and str(config["group"]).startswith("rotate")
    for name, value in config.items():
        if name in CHOICES:
            check_choice(name, value, CHOICES[name])
        elif name in COUNTS:
            _check_count(name, value, least_extra if name == "extra_dim" else 1, COUNTS[name])
    _check_positive("temperature", config.get("temperature", 1.0))
    if config.get("nuclear") and config["group"] not in ("rotate", "rotate_right"):
        raise InputError(f"nuclear is True and group is {config['group']!r}; only matrices have a nuclear norm")
    config["term_weights"] = _validate_weights(config["term_weights"], terms)
    seed = config["seed"]
    if seed is not None and (type(seed) is not int or not 0 <= seed < 1 << 32):
        raise InputError(f"seed is {quote(seed)}; it must be None or a whole number from 0 to {(1 << 32) - 1}")
    return config


def check_choice(name, value, choices):
    if not any(type(value) is type(choice) and value == choice for choice in choices):
        raise InputError(f"{name} is {quote(value)}; it must be {' or '.join(repr(choice) for choice in choices)}")


def _check_count(name, value, least, most):
    if type(value) is not int or not least <= value <= most:
        raise InputError(f"{name} is {quote(value)}; it must be a whole number of at least {least} and at most {most}")


def _check_positive(name, value):
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < math.inf:
        raise InputError(f"{name} is {quote(value)}; it must be a positive number")


def _validate_weights(weights, names):
    if not isinstance(weights, dict | None):
        raise InputError(f"term_weights is {quote(weights)}; it must be a dict of weights by the name of their term")
    weights = weights or {}
    for name, value in weights.items():
        check_choice("a name in term_weights", name, names)
        if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value <= 1e30:
            raise InputError(f"the weight of {name} is {quote(value)}; it must be a number from 0 to 1e30")
    return {name: float(weights.get(name, 1.0)) for name in names}
