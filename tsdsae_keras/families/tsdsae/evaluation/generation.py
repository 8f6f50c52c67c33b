"""New sequences to be measured: v from N(0, I) or from where real codes lie, z from the transition."""

import numpy as np

from tsdsae_keras.errors import InputError
from tsdsae_keras.families.tsdsae.evaluation import codes as coding
from tsdsae_keras.families.tsdsae.evaluation.aggregate import draw, fit_code_mixture

MOST = 512  # sequences
LONGEST = 1024  # frames of each


def generated(trial):
    """As many new sequences as the test split has, at most 512, by where their v is from, as long as its longest, at
    most 1024 frames.

    All draws are NumPy's, so that every backend makes the same sequences from the same weights; left to itself,
    `model.generate` draws with the backend's own generator.

    Raises:
        InputError: the model has no transition, or makes what is not finite.

    Returns:
        ({"generated_prior", "generated_mixture": (n, time, features)}, the number of the mixture's components).
    """
    if not hasattr(trial.model, "p_z"):
        raise InputError("the model has no transition p_z to draw z from")
    n, frames = min(len(trial.test), MOST), min(trial.test.x.shape[1], LONGEST)
    v_dim = trial.codes.v_mean.shape[1]
    mixture = fit_code_mixture(trial.train_codes.v_mean, seed=trial.seed)
    rng = np.random.default_rng(trial.seed)
    codes = {"generated_prior": rng.normal(size=(n, v_dim)), "generated_mixture": draw(mixture, n, trial.seed)}
    noise = rng.normal(size=(n, frames, trial.codes.z_mean.shape[2]))
    made = {name: _generated(trial, v, noise) for name, v in codes.items()}
    return made, len(mixture.weights)


def _generated(trial, v, noise):
    parts = [
        trial.model.generate(*noise[rows].shape[:2], v=v[rows], noise=noise[rows])
        for rows in coding.batches(noise, trial.batch_size)
    ]
    return coding.finite("output", np.concatenate(parts))
