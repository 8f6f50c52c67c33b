"""What a model can be: every value of a configuration, checked before anything is made."""

from tsdsae_keras.errors import InputError

CHOICES = {
    "local_encoder": ("factorised", "full"),
    "global_encoder": ("frame", "sequence"),
    "decoder": ("frame", "sequence"),
    "v_condition": ("none", "after", "before"),
    "reduction": ("mean", "sum"),
    "initial_weights": ("keras", "pytorch"),
}
UNITS = ("global_units", "local_units", "transition_units", "decoder_units")


def checked_config(config, model_class):
    """The configuration with defaults filled in; InputError names the first value that cannot be."""
    config = dict(config)
    if config["v_condition"] is None:
        config["v_condition"] = "after" if config["local_encoder"] == "full" else "none"
    for name in ("features", "z_dim", "v_dim"):
        _check_count(name, config[name])
    for name, choices in CHOICES.items():
        _check_choice(name, config[name], choices)
    for name in UNITS:
        config[name] = _checked_units(name, config[name])
    _check_choice("stage", config["stage"], tuple(range(1, model_class.stages + 1)))
    config["term_weights"] = _checked_weights(config["term_weights"], model_class.all_terms)
    return config


def _check_count(name, value):
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise InputError(f"{name} is {value!r}; it must be a whole number of at least 1")


def _check_choice(name, value, choices):
    if value not in choices:
        raise InputError(f"{name} is {value!r}; it must be {' or '.join(repr(choice) for choice in choices)}")


def _checked_units(name, units):
    units = tuple(units) if isinstance(units, list | tuple) else (units,)
    if not units:
        raise InputError(f"{name} is empty; give the width of at least one layer, such as (64, 64)")
    for width in units:
        _check_count(name, width)
    return units


def _checked_weights(weights, names):
    weights = dict(weights or {})
    for name, value in weights.items():
        _check_choice("a name in term_weights", name, names)
        if not isinstance(value, int | float) or not 0 <= value < float("inf"):
            raise InputError(f"the weight of {name} is {value!r}; it must be a number of at least 0")
    return {name: float(weights.get(name, 1.0)) for name in names}
