"""A new model for a pool, as the settings of a run say."""

from tsdsae_keras.families.selfie.batches import scale_of
from tsdsae_keras.families.selfie.model import TERMS, SelfieStyle

OPTIONS = ("t", "center", "encoder", "channels", "units", "projector_units", "dim", "dropout", "seed")
WEIGHTS = dict(zip(TERMS, ("w_inv", "w_div", "w_dec"), strict=True))


def build(settings, data):
    """A model for the data, with the two numbers of their scale.

    Args:
        settings: `Settings` of the run.
        data: `PreparedData`.
    """
    weights = {term: getattr(settings, option) for term, option in WEIGHTS.items()}
    model = SelfieStyle(
        data.n_mels,
        settings.model,
        term_weights={term: weight for term, weight in weights.items() if weight is not None},
        front_end=data.front_end,
        **{name: getattr(settings, name) for name in OPTIONS},
    )
    model.set_scale(*scale_of(data))
    return model
