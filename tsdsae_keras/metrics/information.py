"""Mutual information of single code dimensions and labels, counted in bins; all in nats.

Codes (n, d) are numbers, labels (n, k) integers. The figures are plug-in estimates: frequencies taken for
probabilities. For independent variables with B bins and K levels they are about (B - 1)(K - 1) / 2n instead of
0, so they need many rows: where n is not far above B K they mislead. `dependence` takes what independence explains
for 0, but leaves the rest as high as it is. Equal bins are wide where a code has outliers.
"""

import numpy as np

from tsdsae_keras.errors import InputError

BINS = 20


def bin_codes(codes, bins=BINS, like=None):
    """The bin of every number: each column of codes (n, d) cut into equal widths between its least and greatest.

    Args:
        codes: (n, d).
        bins: how many.
        like: (m, d), codes whose range counts instead; numbers outside fall into the first or last bin.

    Returns:
        (n, d) integers from 0 to bins - 1; all 0 in a column that is constant.
    """
    given = np.asarray(codes if like is None else like, "float64")
    low, high = given.min(axis=0), given.max(axis=0)
    width = np.where(high > low, high - low, np.inf)
    return np.clip((codes - low) / width * bins, 0, bins - 1).astype("int64")


def entropies(labels):
    """H of every column of integer labels (n, k): (k,)."""
    return np.array([_entropy(np.unique(column, return_counts=True)[1]) for column in np.asarray(labels).T])


def mutual_information(codes, labels):
    """I = sum p(c, l) log p(c, l) / p(c) p(l) of every pair of columns: (d, k), from 0 to the lesser entropy.

    Args:
        codes: (n, d) integers, as `bin_codes` gives them.
        labels: (n, k) integers.

    Raises:
        InputError: the numbers of codes and labels differ.
    """
    codes, labels = np.asarray(codes), np.asarray(labels)
    if len(codes) != len(labels):
        raise InputError(f"{len(codes)} codes and {len(labels)} labels; give one label a code")
    return np.array([[_pair_information(code, label) for label in labels.T] for code in codes.T])


def dependence(codes, labels):
    """Mutual information, set to 0 where independence explains it: where 2 n I is below the 1 - 1e-6 quantile of
    chi-squared with (values - 1)(levels - 1) degrees of freedom, which independent columns follow (the G-test).

    Without it a worthless code seems to tell most of the factor with most levels. So weak a dependence that it does
    not show in n rows counts as none. Arguments, shape and errors as `mutual_information`.
    """
    from scipy.stats import chi2

    information = mutual_information(codes, labels)
    freedom = np.outer(_levels(codes) - 1, _levels(labels) - 1)
    return np.where(2 * len(codes) * information > chi2.isf(1e-6, freedom.clip(1)), information, 0.0)


def joint_counts(code, label):
    """How often each value of one (n,) meets each value of the other: (values, levels), both in ascending order."""
    values, row = np.unique(code, return_inverse=True)
    levels, column = np.unique(label, return_inverse=True)
    flat = np.bincount(row * len(levels) + column, minlength=len(values) * len(levels))
    return flat.reshape(len(values), len(levels))


def _levels(columns):
    return np.array([len(np.unique(column)) for column in np.asarray(columns).T])


def _pair_information(code, label):
    count = joint_counts(code, label)
    return max(0.0, _entropy(count.sum(axis=0)) + _entropy(count.sum(axis=1)) - _entropy(count.ravel()))


def _entropy(count):
    p = count[count > 0] / count.sum()
    return float(-(p * np.log(p)).sum())
