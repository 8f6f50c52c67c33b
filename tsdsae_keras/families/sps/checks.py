"""The arguments of `SPS`, checked and completed by the defaults of the domain."""

from tsdsae_keras.errors import InputError, quote
from tsdsae_keras.families.sps.domains import DOMAINS
from tsdsae_keras.families.sps.symmetries import find_symmetry

CHOICES = {
    "domain": tuple(DOMAINS),
    "sampler": ("correct", "faithful", "mean"),
    "prior_cell": ("rnn", "gru"),
    "initial_weights": ("he", "pytorch"),
    "reduction": ("mean", "sum"),
}
LEAST = {"latents": 1, "dynamic": 1, "copies": 0, "base_len": 1, "prior_units": 1, "prior_layers": 1}
WEIGHTS = ("kld_weight", "prior_weight", "symmetry_weight", "sampling_speed", "input_scale")
WIDEST = 65_536


def validate_config(config):
    """Every argument, checked, None replaced by the domain's default.

    Raises:
        InputError: an argument is invalid; the line names it.
    """
    config = dict(config)
    for name, choices in CHOICES.items():
        if config[name] not in choices:
            raise InputError(f"{name} is {quote(config[name])}; it must be {' or '.join(choices)}")
    domain = DOMAINS[config["domain"]]
    config = {name: getattr(domain, name, None) if value is None else value for name, value in config.items()}
    config["dynamic"] = config["dynamic"] or min(domain.latents, config["latents"])
    _check_numbers(config)
    for name, length in (("channels", len(domain.kernels)), ("decoder_units", None)):
        config[name] = _validate_widths(name, config[name], length)
    if config["dynamic"] > config["latents"]:
        raise InputError(f"dynamic is {config['dynamic']}; it must be at most latents, {config['latents']}")
    if not config["prior"]:
        config["copies"] = 0
    find_symmetry(config["group"], config["dynamic"] if config["copies"] else None)
    return config


def _check_numbers(config):
    for name, least in LEAST.items():
        value = config[name]
        if type(value) is not int or not least <= value <= WIDEST:
            raise InputError(f"{name} is {quote(value)}; it must be an integer of at least {least}")
    for name in WEIGHTS:
        value = config[name]
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < float("inf"):
            raise InputError(f"{name} is {quote(value)}; it must be a number of at least 0")


def _validate_widths(name, value, length):
    try:
        widths = tuple(value)
    except TypeError:
        widths = ()
    right = length is None or len(widths) == length
    if not widths or not right or not all(type(each) is int and 1 <= each <= WIDEST for each in widths):
        how = "a list of widths" if length is None else f"{length} widths"
        raise InputError(f"{name} is {quote(value)}; it must be {how}, integers of at least 1")
    return widths
