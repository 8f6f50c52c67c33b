"""A new model for data, as the settings of a run say."""

from dataclasses import fields

from tsdsae_keras.families.sps.model import SPS
from tsdsae_keras.families.sps.settings import SPSSettings

OF_THE_STREAM = ("epoch_steps", "window")
VARIANTS = {
    "sps": {},
    "sps-ae": {"sampler": "mean"},
    "sps-vae-nosymmetry": {"copies": 0},
    "beta-vae-frames": {"prior": False},
}


def build(settings, data):
    """A model for the data, its mean frame taken from the training split where it centres.

    Args:
        settings: `Settings` of the run.
        data: `FrameSequences`.
    """
    names = [each.name for each in fields(SPSSettings) if each.name not in OF_THE_STREAM]
    config = {name: getattr(settings, name) for name in names}
    config["symm_prior"] = {"auto": None, "yes": True, "no": False}[settings.symm_prior]
    model = SPS(data.domain, **config | {"seed": settings.seed} | VARIANTS[settings.model])
    if model.center:
        model.adapt(data.frames("train", slice(0, 256)))
    return model
