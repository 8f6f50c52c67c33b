"""A new model for data, and batches of triples, as the settings of a run say."""

import numpy as np

from tsdsae_keras.data.sets.triple_stream import stream_triples
from tsdsae_keras.errors import InputError
from tsdsae_keras.families.cpd.baselines import Linear, MDPHomomorphism
from tsdsae_keras.families.cpd.model import CPD

# Next to a seed, so that triples for one end are not drawn as those for another.
TRAINING, VALIDATION, SPREAD = 0, 1, 2
IMAGES = 256  # over which the classes of a new model are spread
COMMUTATIVE = "translate"


def build(settings, data):
    """A model for the data.

    Args:
        settings: `Settings` of the run.
        data: with `group`, `dims` and `channels`, such as `data.sets.pose_pool.PoseData`.
    """
    parts = {name: getattr(settings, name) for name in ("encoder", "width", "seed")}
    parts |= {"dims": data.dims, "channels": data.channels, "group": data.group}
    # "auto": poses of translations are learned without, and faster so; their classes often are not.
    parts["batch_norm"] = settings.batch_norm == "on" or (settings.batch_norm == "auto" and data.group != COMMUTATIVE)
    if settings.model == "mdp-homomorphism":
        return MDPHomomorphism(**parts, latent_dim=settings.latent_dim)
    if settings.extra_dim is not None:
        parts["extra_dim"] = settings.extra_dim
    if settings.model == "linear":
        return Linear(**parts)
    if settings.quaternions:
        if data.group != "rotate":
            raise InputError(f"--quaternions is given, and the group of the data is {data.group}; it must be rotate")
        parts["group"] = "rotate_quaternion"
    own = {name: getattr(settings, name) for name in ("class_loss", "temperature", "decoder", "nuclear")}
    model = CPD(**parts, **own)
    if settings.spread_classes:
        model.spread_classes(data.triples("train", np.random.default_rng((settings.seed, SPREAD)), IMAGES)["x"])
    return model


def batches(data, settings, split):
    """The stream of a split; validation triples depend on the data's seed alone, and are the same every epoch."""
    if split == "train":
        return stream_triples(data, split, settings.batch_size, settings.epoch_steps, (settings.seed, TRAINING))
    seed = settings.data_seed, VALIDATION
    return stream_triples(data, split, settings.batch_size, settings.validation_steps, seed, fixed=True)
