"""New sequences to be measured: v from N(0, I) or from where real codes lie, z from the transition."""

import numpy as np
from keras import ops

from tsdsae_keras.errors import InputError
from tsdsae_keras.evaluation import codes as coding
from tsdsae_keras.evaluation.aggregate import draw, fit_code_mixture

MOST = 512  # sequences


def generated(trial):
    """As many new sequences as the test split has, at most 512, by where their v is from.

    All draws are NumPy's, so that every backend makes the same sequences from the same weights; `model.generate`
    draws with the backend's own generator.

    Raises:
        InputError: the model has no transition, or makes what is not finite.

    Returns:
        ({"generated_prior", "generated_mixture": (n, time, features)}, the number of the mixture's components).
    """
    if not hasattr(trial.model, "p_z"):
        raise InputError("the model has no transition p_z to draw z from")
    n, frames, v_dim = min(len(trial.test), MOST), trial.test.x.shape[1], trial.codes.v_mean.shape[1]
    mixture = fit_code_mixture(trial.train_codes.v_mean, seed=trial.seed)
    rng = np.random.default_rng(trial.seed)
    codes = {"generated_prior": rng.normal(size=(n, v_dim)), "generated_mixture": draw(mixture, n, trial.seed)}
    z = rolled_out(trial.model, rng.normal(size=(n, frames, trial.codes.z_mean.shape[2])))
    made = {name: _decoded(trial, z, v.astype("float32")) for name, v in codes.items()}
    return made, len(mixture.weights)


def rolled_out(model, noise):
    """z (n, time, z_dim) from the transition: z_t = mean + e^(log_var / 2) noise_t, with N(0, I) at t = 1."""
    noise = np.asarray(noise, "float32")
    z, states, codes = noise[:, 0], None, [noise[:, 0]]
    for t in range(1, noise.shape[1]):
        mean, log_var, states = model.p_z.step(ops.convert_to_tensor(z), states)
        # Arrays in between, or PyTorch keeps the way back through all frames.
        states = [[ops.convert_to_tensor(ops.convert_to_numpy(part)) for part in state] for state in states]
        z = ops.convert_to_numpy(mean) + np.exp(0.5 * ops.convert_to_numpy(log_var)) * noise[:, t]
        codes.append(z)
    return np.stack(codes, axis=1)


def _decoded(trial, z, v):
    rows = coding.batches(z, trial.batch_size)
    return np.concatenate([coding.decode_batch(trial.model.decode, z[part], v[part]) for part in rows])
