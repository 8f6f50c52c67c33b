"""Options of SlowVAE and its baselines, and their presets. Light: no backend is loaded."""

from dataclasses import dataclass

from tsdsae_keras.errors import InputError
from tsdsae_keras.options import Options, option

COMMON = {"batch_size": 64, "pictures_every": 5, "watch_every": 1}
PRESETS = {
    # 1,000 steps: some two minutes on two cores.
    "quick": COMMON
    | {"epochs": 10, "epoch_steps": 100, "learning_rate": 2e-3, "schedule": "cosine"}
    # There the faster rate serves the beta-VAE more than SlowVAE; docs/slowvae.md.
    | {"by_data": {"masks": {"learning_rate": 1e-3, "schedule": "constant"}}},
    # Half an hour on two cores.
    "fast": COMMON | {"epochs": 50, "epoch_steps": 500, "learning_rate": 1e-3, "schedule": "cosine"},
    # The published recipe (Klindt et al. 2021): 300,000 steps.
    "paper": COMMON | {"epochs": 300, "epoch_steps": 1000, "learning_rate": 1e-4, "schedule": "constant"},
}
# Where an option is not given: (beta, gamma) of each model.
WEIGHTS = {"slowvae": (1.0, 10.0), "beta-vae": (8.0, 0.0), "ada-gvae": (1.0, 0.0), "ada-ml-vae": (1.0, 0.0)}


@dataclass(frozen=True)
class SlowVAESettings(Options):
    """What the models are made of; see `families.slowvae.model.SlowVAE` and `families.slowvae.baselines`."""

    z_dim: int | None = option(None, "dimensions of z (default: 10, or what suits the data)", least=1)
    beta: float | None = option(None, "weight of KL[q(z|x), N(0, I)] (default: 1; beta-vae: 8)", least=0)
    gamma: float | None = option(None, "weight of the Laplace term (default: 10; without effect in baselines)", least=0)
    rate_prior: float = option(6.0, "lambda, rate of the Laplace prior", above=0)
    form: str = option("official", "the authors' loss or the negative ELBO", choices=("official", "exact"))
    units: tuple[int, ...] = option((64, 64), "widths of the dense layers, for vectors", least=1)
    scale: float = option(0.1, "standard deviation of the Gaussian likelihood, for vectors", above=0)
    epoch_steps: int = option(100, "steps in an epoch", least=1)
    validation_steps: int = option(10, "batches of validation pairs", least=1)


def weights_of(settings):
    """beta and gamma of a run's model."""
    beta, gamma = WEIGHTS.get(settings.model, (1.0, 0.0))
    beta = beta if settings.beta is None else settings.beta
    return beta, settings.gamma if settings.model == "slowvae" and settings.gamma is not None else gamma


def check(settings):
    """InputError where options contradict each other."""
    if settings.batch_size % 2:
        raise InputError(f"--batch-size is {settings.batch_size}; it counts frames, and pairs need an even number")


def prefix(settings):
    """The beginning of a run folder's name."""
    return f"{settings.model}-{settings.data}"
