"""A new model for data, as the settings of a run say."""

from tsdsae_keras.families.slowvae.baselines import PCL, AdaVAE
from tsdsae_keras.families.slowvae.model import SlowVAE
from tsdsae_keras.families.slowvae.settings import weights_of

SHARINGS = {"ada-gvae": "gvae", "ada-ml-vae": "ml-vae"}


def build(settings, data):
    """A model for the data.

    Args:
        settings: `Settings` of the run.
        data: `data.sets.pair_data.PairData`.
    """
    beta, gamma = weights_of(settings)
    z_dim = data.z_dim if settings.z_dim is None else settings.z_dim
    parts = {"x_shape": data.x_shape, "z_dim": z_dim, "units": settings.units, "seed": settings.seed}
    if settings.model == "pcl":
        return PCL(**parts)
    parts |= {"likelihood": data.likelihood, "scale": settings.scale, "beta": beta}
    if settings.model in SHARINGS:
        return AdaVAE(**parts, sharing=SHARINGS[settings.model])
    return SlowVAE(**parts, gamma=gamma, rate_prior=settings.rate_prior, form=settings.form)
