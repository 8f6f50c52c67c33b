"""What a model can be: every value of a configuration, checked before anything is made."""

from tsdsae_keras.errors import InputError, quote

CHOICES = {
    "local_encoder": ("factorised", "full"),
    "global_encoder": ("frame", "sequence"),
    "decoder": ("frame", "sequence"),
    "v_condition": ("none", "after", "before"),
    "reduction": ("mean", "sum"),
    "swap_pairs": ("independent", "shared"),
    "v_source": ("sequence", "recording"),
    "stage_one_z": ("encoder", "noise"),
    "initial_weights": ("keras", "pytorch"),
    "standardize": (True, False),
    "precision": ("float32", "mixed_bfloat16"),
}
UNITS = ("global_units", "local_units", "transition_units", "decoder_units")
WIDEST, DEEPEST = 1 << 16, 64  # far beyond what can be trained; a slip or a hostile file is told from a choice
MOST_WEIGHTS = 1 << 26
LONGEST = 200  # letters of a name, entries of the front end


def validate_config(config, model_class):
    """The configuration with defaults filled in; InputError names the first invalid value."""
    config = dict(config)
    if config["v_condition"] is None:
        config["v_condition"] = "after" if config["local_encoder"] == "full" else "none"
    for name in ("features", "z_dim", "v_dim"):
        _check_count(name, config[name])
    for name, choices in CHOICES.items():
        _check_choice(name, config[name], choices)
    for name in UNITS:
        config[name] = _validate_units(name, config[name])
    for name in ("z_noise", "level_db", "v_transpose"):
        config[name] = _validate_size(name, config[name])
    _check_choice("stage", config["stage"], tuple(range(1, model_class.stages + 1)))
    config["term_weights"] = _validate_weights(config["term_weights"], model_class)
    _check_front_end(config["front_end"])
    if config["v_transpose"] and not {"fmin", "fmax"} <= (config["front_end"] or {}).keys():
        raise InputError("v_transpose is of log-mel frames: give their front_end, as `FrontEnd.to_dict` gives it")
    _check_seed(config["seed"])
    _check_size(config)
    return config


def kernel_numbers(config):
    """How many numbers the matrices of a model hold, biases and the snapshot apart; from a checked configuration."""
    features, z_dim, v_dim = config["features"], config["z_dim"], config["v_dim"]
    local = "sequence" if config["local_encoder"] == "full" else "frame"
    before, after = (v_dim * (config["v_condition"] == place) for place in ("before", "after"))
    return (
        _trunk(features, config["global_units"], config["global_encoder"])
        + _trunk(features + before, config["local_units"], local)
        + _trunk(z_dim + v_dim, config["decoder_units"], config["decoder"])
        + _recurrent(z_dim, config["transition_units"], directions=1)
        + 2 * v_dim * config["global_units"][-1]
        + 2 * z_dim * (config["local_units"][-1] + after + config["transition_units"][-1])
        + features * config["decoder_units"][-1]
    )


def _trunk(fan_in, units, kind):
    if kind == "sequence":
        return _recurrent(fan_in, units, directions=2)
    return sum(a * b for a, b in zip((fan_in, *units), units, strict=False))


def _recurrent(fan_in, units, directions):
    fans = (fan_in, *(directions * width for width in units))
    return sum(4 * directions * width * (fan + width) for fan, width in zip(fans, units, strict=False))


def _check_count(name, value):
    if type(value) is not int or not 1 <= value <= WIDEST:
        raise InputError(f"{name} is {quote(value)}; it must be a whole number of at least 1 and at most {WIDEST}")


def _check_choice(name, value, choices):
    if not any(type(value) is type(choice) and value == choice for choice in choices):
        raise InputError(f"{name} is {quote(value)}; it must be {' or '.join(repr(choice) for choice in choices)}")


def _validate_units(name, units):
    units = tuple(units) if isinstance(units, list | tuple) else (units,)
    if not units:
        raise InputError(f"{name} is empty; give the width of at least one layer, such as (64, 64)")
    if len(units) > DEEPEST:
        raise InputError(f"{name} has {len(units)} widths; at most {DEEPEST} layers can be made")
    for width in units:
        _check_count(name, width)
    return units


def _validate_weights(weights, model_class):
    names, optional = model_class.all_terms, model_class.optional_terms
    if not isinstance(weights, dict | None):
        raise InputError(f"term_weights is {quote(weights)}; it must be a dict of weights by the name of their term")
    weights = weights or {}
    for name, value in weights.items():
        _check_choice("a name in term_weights", name, names)
        if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value <= 1e30:
            raise InputError(f"the weight of {name} is {quote(value)}; it must be a number from 0 to 1e30")
    return {name: float(weights.get(name, 0.0 if name in optional else 1.0)) for name in names}


def _validate_size(name, value):
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value <= 100:
        raise InputError(f"{name} is {quote(value)}; it must be a number from 0 to 100")
    return float(value)


def _check_front_end(front_end):
    if front_end is None:
        return
    plain = isinstance(front_end, dict) and len(front_end) <= LONGEST
    if not plain or not all(_is_short(name) and _is_short(value) for name, value in front_end.items()):
        raise InputError(f"front_end is {quote(front_end)}; it must be a flat dict, as `FrontEnd.to_dict` gives it")


def _is_short(value):
    return len(value) <= LONGEST if isinstance(value, str) else isinstance(value, int | float | None)


def _check_seed(seed):
    if seed is not None and (type(seed) is not int or not 0 <= seed < 1 << 32):
        raise InputError(f"seed is {quote(seed)}; it must be None or a whole number from 0 to {(1 << 32) - 1}")


def _check_size(config):
    numbers = kernel_numbers(config)
    if numbers > MOST_WEIGHTS:
        raise InputError(f"a model of these widths would hold {numbers} weights; at most {MOST_WEIGHTS} are made")
