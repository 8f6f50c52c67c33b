"""The aggregated posterior, where the codes v of real sequences lie, as a Gaussian mixture to draw from.

After stage 2 of TS-DSAE q(v | x) is tied to the informed prior and not to N(0, I), so v from N(0, I) may fall where
no sequence ever was; v from this mixture does not.
"""

import warnings
from dataclasses import dataclass

import numpy as np

from tsdsae_keras.errors import InputError

MOST = 10  # components tried where their number is not given


@dataclass(frozen=True)
class CodeMixture:
    """sum_k w_k N(m_k, S_k): `weights` (k,), `means` (k, v), `covariances` (k, v, v)."""

    weights: np.ndarray
    means: np.ndarray
    covariances: np.ndarray


def fit_code_mixture(v_mean, components=None, seed=0):
    """A Gaussian mixture with full covariances, fitted by expectation-maximisation to codes at their means.

    It sees the means alone: the width of each posterior is left out, so draws keep a little closer to the codes than
    draws from the posteriors would. A mixture as rich as its data plays them back: fit it to training codes and
    compare with test sequences.

    Args:
        v_mean: (n, v) codes of the training set.
        components: how many; None takes the number from 1 to 10 of the least BIC, never so many that one would have
            fewer than v + 1 codes to itself on average, nor more than there are different codes.
        seed: fixes the start of the fit.

    Returns:
        A `CodeMixture`.

    Raises:
        InputError: v_mean is not (n, v) with two codes or more, not finite, or has fewer codes than `components`.
    """
    v_mean = _check(v_mean)
    if components is not None and not 1 <= components <= len(v_mean):
        raise InputError(f"components is {components}; it should be from 1 to {len(v_mean)}, the number of codes")
    tried = range(1, _most(v_mean) + 1) if components is None else [int(components)]
    best = min((_fit(v_mean, k, seed) for k in tried), key=lambda mixture: mixture.bic(v_mean))
    return CodeMixture(best.weights_, best.means_, best.covariances_)


def draw(mixture, n, seed):
    """n codes (n, v) from a `CodeMixture`; the seed fixes them."""
    rng = np.random.default_rng(seed)
    member = rng.choice(len(mixture.weights), size=n, p=mixture.weights / mixture.weights.sum())
    roots = np.linalg.cholesky(mixture.covariances)
    noise = rng.normal(size=(n, mixture.means.shape[1]))
    return mixture.means[member] + np.einsum("nij,nj->ni", roots[member], noise)


def _most(v_mean):
    by_size = len(v_mean) // (v_mean.shape[1] + 1)
    return max(1, min(MOST, by_size, len(np.unique(v_mean, axis=0))))


def _fit(v_mean, components, seed):
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.mixture import GaussianMixture

    # Relative to the codes' spread, so that codes that do not vary in some direction still make a covariance.
    floor = 1e-6 * v_mean.var(axis=0).mean() + 1e-12
    mixture = GaussianMixture(components, reg_covar=floor, max_iter=300, random_state=seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # a fit that is not quite done is one to draw from too
        return mixture.fit(v_mean)


def _check(v_mean):
    v_mean = np.asarray(v_mean, dtype="float64")
    if v_mean.ndim != 2 or len(v_mean) < 2 or not v_mean.shape[1]:
        raise InputError(f"v_mean has shape {v_mean.shape}; it should be (codes, dimensions), two codes or more")
    if not np.isfinite(v_mean).all():
        raise InputError("v_mean holds nan or infinity; train the model again before fitting its codes")
    return v_mean
