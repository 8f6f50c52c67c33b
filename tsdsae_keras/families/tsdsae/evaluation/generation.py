"""New sequences: v from N(0, I) or from where the codes of real sequences lie, z from the transition."""

import numpy as np

from tsdsae_keras.errors import InputError
from tsdsae_keras.families.tsdsae.evaluation.aggregate import draw, fit_code_mixture
from tsdsae_keras.metrics.batching import batch_slices, to_finite_array

MOST = 512  # sequences
LONGEST = 1024  # frames of each


def generate_sequences(subject):
    """As many new sequences as the test split has, at most 512, by where their v is from, as long as its longest, at
    most 1024 frames.

    All draws are NumPy's, so that every backend makes the same sequences from the same weights; left to itself,
    `model.generate` draws with the backend's own generator.

    Raises:
        InputError: the model has no transition, or its output is not finite.

    Returns:
        ({"generated_prior", "generated_mixture": (n, time, features)}, the number of the mixture's components).
    """
    if not hasattr(subject.model, "p_z"):
        raise InputError("the model has no transition p_z to draw z from")
    n, frames = min(len(subject.test), MOST), min(subject.test.x.shape[1], LONGEST)
    v_dim = subject.posteriors.v_mean.shape[1]
    mixture = fit_code_mixture(subject.train_posteriors.v_mean, seed=subject.seed)
    rng = np.random.default_rng(subject.seed)
    codes = {"generated_prior": rng.normal(size=(n, v_dim)), "generated_mixture": draw(mixture, n, subject.seed)}
    noise = rng.normal(size=(n, frames, subject.posteriors.z_mean.shape[2]))
    sequences = {name: _generate(subject, v, noise) for name, v in codes.items()}
    return sequences, len(mixture.weights)


def _generate(subject, v, noise):
    parts = [
        subject.model.generate(*noise[rows].shape[:2], v=v[rows], noise=noise[rows])
        for rows in batch_slices(noise, subject.batch_size)
    ]
    return to_finite_array("output", np.concatenate(parts))
