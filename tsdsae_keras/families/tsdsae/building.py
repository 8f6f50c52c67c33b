"""A new model for data, as the settings of a run say, and what a run of it does besides training."""

from tsdsae_keras.errors import InputError
from tsdsae_keras.families.tsdsae.dsae import DSAE, DSAEf
from tsdsae_keras.families.tsdsae.model import SWAP_TERMS, TSDSAE
from tsdsae_keras.families.tsdsae.settings import MODEL_OPTIONS
from tsdsae_keras.training.callbacks import EnterStageTwo

WIDTHS = {"global_units": 1, "local_units": 1, "decoder_units": 1, "transition_units": 0.5}
CLASSES = {"tsdsae": TSDSAE, "tsdsae-noreg": TSDSAE, "dsae-f": DSAEf, "dsae": DSAE}


def make_model(name, *, swap_weights=(1.0, 1.0, 1.0, 1.0), term_weights=None, **config):
    """A new model by its name: "tsdsae", "tsdsae-noreg" (all swap weights 0), "dsae-f" or "dsae".

    Args:
        name: of the model.
        swap_weights: of kl_v_gswap, kl_z_gswap, kl_v_lswap and kl_z_lswap, for "tsdsae".
        term_weights: {name: weight} of the other terms, 1 where not given.
        config: arguments of the model's class.

    Raises:
        InputError: if an argument is invalid.
    """
    if name not in CLASSES:
        raise InputError(f"the model is {name!r}; it must be {' or '.join(CLASSES)}")
    weights = dict(term_weights or {})
    if CLASSES[name] is TSDSAE:
        swaps = swap_weights if name == "tsdsae" else (0.0,) * len(SWAP_TERMS)
        weights |= dict(zip(SWAP_TERMS, swaps, strict=True))
    return CLASSES[name](term_weights=weights, **config)


def build(settings, data):
    """A model for the data, standardised by its training split.

    Args:
        settings: `Settings` of the run.
        data: `PreparedData`.
    """
    config = {name: getattr(settings, name) for name in MODEL_OPTIONS}
    weighed = ("kl_z", "kl_v", "corr_zv", *(("mmd_swap",) if settings.model == "tsdsae" else ()))
    model = make_model(
        settings.model,
        swap_weights=settings.swap_weights if settings.swap_weight is None else (settings.swap_weight,) * 4,
        term_weights={name: getattr(settings, f"{name}_weight") for name in weighed},
        **{name: (max(1, round(share * settings.units)),) * 2 for name, share in WIDTHS.items()},
        features=data.n_mels,
        front_end=data.front_end,
        seed=settings.seed,
        **config,
    )
    if settings.standardize:
        model.adapt(data.sequences("train").chunks())
    return model


def callbacks(settings, data):
    """The switch to stage 2."""
    return [EnterStageTwo(settings.stage_two_at)]
