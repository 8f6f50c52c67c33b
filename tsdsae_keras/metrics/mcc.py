"""Mean correlation coefficient: does every factor have a code of its own, up to sign and, with Spearman, scale?

Codes are (n, z_dim), factors (n, k), numbers of any kind. 1 is the best; codes that know nothing get about 1 /
sqrt(n) by chance, but an untrained network is not such a code: on images it reaches .3, so give its value next to a
score. A factor that a single number cannot order, such as an angle, cannot reach 1.
"""

import numpy as np

from tsdsae_keras.errors import InputError

CORRELATIONS = ("spearman", "pearson")


def mcc(latents, factors, *, noise=None, correlation="spearman", seed=0):
    """Mean |correlation| of the factors, each with the code that the best assignment of codes to factors gives it.

    The factors are padded with rows of noise up to the number of codes, and the assignment maximises the sum with the
    noise included, as in the authors' code; the mean is over the factors alone. A code that never varies counts as
    uncorrelated. Where there are more factors than codes, those without a code count 0.

    Args:
        latents: (n, z_dim).
        factors: (n, k).
        noise: (n, z_dim - k) in place of what is drawn from `seed`.
        correlation: "spearman", of ranks, or "pearson".
        seed: of the noise.

    Returns:
        {"score", "assignment": the code of each factor (-1: none), "matched": its correlation, with sign,
        "correlations": (k, z_dim)}. Reference: `mcc/*` and `mcc_small/*` of metrics.npz.

    Raises:
        InputError: shapes that do not fit, values that are not finite, or an unknown correlation.

    Source: Hyvarinen, Morioka, NeurIPS 2016; Klindt et al., ICLR 2021.
    """
    latents, factors = _to_arrays(latents, factors, correlation)
    k, noise = factors.shape[1], _noise_for(latents, factors, noise, seed)
    table = correlations(np.concatenate([factors, noise], axis=1), latents, correlation)
    assignment = _assign(table)[:k]
    matched = np.where(assignment >= 0, table[np.arange(k), assignment], 0.0)
    return {
        "score": float(np.abs(matched).mean()),
        "assignment": assignment,
        "matched": matched,
        "correlations": table[:k],
    }


def _noise_for(latents, factors, noise, seed):
    """The given noise, or normal noise from the seed: (n, codes that no factor can take)."""
    shape = len(factors), max(0, latents.shape[1] - factors.shape[1])
    if noise is None:
        return np.random.default_rng(seed).normal(size=shape)
    if np.shape(noise) != shape:
        raise InputError(f"noise has shape {np.shape(noise)}; it should be {shape}")
    return noise


def _assign(table):
    """The column of each row in the assignment of the largest sum of |correlation|; -1 for rows that get none."""
    from scipy.optimize import linear_sum_assignment

    assignment = np.full(len(table), -1)
    rows, columns = linear_sum_assignment(-np.abs(table))
    assignment[rows] = columns
    return assignment


def correlations(first, second, correlation="spearman"):
    """The correlations of the columns of (n, a) with those of (n, b): (a, b); 0 where a column never varies."""
    if correlation == "spearman":
        from scipy.stats import rankdata

        first, second = rankdata(first, axis=0), rankdata(second, axis=0)
    return _unit(first).T @ _unit(second)


def _unit(columns):
    centred = columns - columns.mean(axis=0)
    size = np.linalg.norm(centred, axis=0)
    return centred / np.where(size > 1e-12 * (1 + np.abs(columns).max(axis=0)), size, np.inf)


def _to_arrays(latents, factors, correlation):
    latents, factors = np.asarray(latents, "float64"), np.asarray(factors, "float64")
    if latents.ndim != 2 or factors.ndim != 2 or len(latents) != len(factors) or len(latents) < 2:
        raise InputError(f"latents have shape {latents.shape}, factors {factors.shape}; give (n, z_dim) and (n, k)")
    if not (np.isfinite(latents).all() and np.isfinite(factors).all()):
        raise InputError("a code or factor is nan or infinite; train the model again before evaluating it")
    if correlation not in CORRELATIONS:
        raise InputError(f"correlation is {correlation!r}; it must be {' or '.join(CORRELATIONS)}")
    return latents, factors
