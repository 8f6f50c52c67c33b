"""How far codes are the truth in a linear disguise: least squares from codes to factors, axis by axis.

An error of 0 is a perfect line and 1 is no better than a constant; on other data than it was fitted on it can exceed 1.
A code (column, row, apparent size) of a ball scores 0.11 on average, (column, row) 0.46, so only errors well below 0.1
speak for a code of space. A probe of all latents hides one that is rotated out of its axis: see `axis_alignment`.
"""

import numpy as np

from tsdsae_keras.errors import InputError


class LinearProbe:
    """Least squares with an intercept, from codes (n, d) to factors (n, k).

    Raises:
        InputError: fewer rows than unknowns, rows that differ in number, or values that are not finite.
    """

    def __init__(self, codes, factors):
        codes, factors = _check(codes, factors)
        if len(codes) <= codes.shape[1]:
            raise InputError(f"a probe of {codes.shape[1]} latents needs more than {len(codes)} examples")
        self.weights = np.linalg.lstsq(_with_one(codes), factors, rcond=None)[0]

    def predict(self, codes):
        """Factors (n, k) of codes (n, d)."""
        return _with_one(np.asarray(codes, "float64")) @ self.weights

    def errors(self, codes, factors):
        """Mean squared error (k,) of each factor divided by its variance."""
        return np.mean(self.squared_errors(codes, factors), axis=0)

    def squared_errors(self, codes, factors):
        """The squared errors (n, k) that `errors` is the mean of."""
        codes, factors = _check(codes, factors)
        variance = np.var(factors, axis=0)
        if (variance <= 0).any():
            raise InputError("a factor does not vary in the examples that are scored")
        return (self.predict(codes) - factors) ** 2 / variance


def probe_errors(codes, factors, other_codes, other_factors):
    """Errors (k,) of a probe fitted on one set and scored on another."""
    return LinearProbe(codes, factors).errors(other_codes, other_factors)


def axis_alignment(codes, factors, other_codes, other_factors, axes):
    """Squared errors of probes that see only the latents that should hold a factor.

    Args:
        codes, factors: fitted on, (n, d) and (n, k).
        other_codes, other_factors: scored on.
        axes: for each factor the latents that a probe may see, such as ((0, 2), (1,), (0, 2)).

    Returns:
        (n, k), divided by the variance of each factor; those of a probe of all latents are the least they can be.
    """
    found = []
    for factor, latents in enumerate(axes):
        picked = [np.asarray(each)[:, list(latents)] for each in (codes, other_codes)]
        truth = [np.asarray(each)[:, [factor]] for each in (factors, other_factors)]
        found.append(LinearProbe(picked[0], truth[0]).squared_errors(picked[1], truth[1]))
    return np.concatenate(found, axis=1)


def standardized_error(predicted, true):
    """Mean squared error of codes, both standardised by mean and deviation (ddof 1) of the true ones over all but the
    last axis. Small for a code that hardly moves."""
    return float(np.mean(standardized_squares(predicted, true)))


def standardized_squares(predicted, true):
    """The squared errors (..., d) that `standardized_error` is the mean of; nan where a code does not move at all."""
    predicted, true = np.asarray(predicted, "float64"), np.asarray(true, "float64")
    scale = true.reshape(-1, true.shape[-1]).std(axis=0, ddof=1)
    return ((predicted - true) / np.where(scale > 0, scale, np.nan)) ** 2


def _with_one(codes):
    return np.concatenate([codes, np.ones((len(codes), 1))], axis=1)


def _check(codes, factors):
    codes, factors = np.asarray(codes, "float64"), np.asarray(factors, "float64")
    if codes.ndim != 2 or factors.ndim != 2 or len(codes) != len(factors):
        raise InputError(f"codes have shape {codes.shape} and factors {factors.shape}; give (n, d) and (n, k)")
    if not (np.isfinite(codes).all() and np.isfinite(factors).all()):
        raise InputError("codes or factors hold values that are not finite")
    return codes, factors
