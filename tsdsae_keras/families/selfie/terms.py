"""The terms of the loss, each a pure function of the projections of one view or of both, in float32.

Shapes: p, p' (N, d), the projections of two views of N clips. The first group is a reconstruction of ours after the
abstract of Nguyen, Uhlich, Cardinaux (ICASSP 2023, arXiv 2303.03717), whose formulas we have not read; the others are
those of VICReg (Bardes, Ponce, LeCun 2022) and Barlow Twins (Zbontar et al. 2021) as their authors' code has them.
Uniformity is that of Wang and Isola (2020), here without the pairs i = j.
"""

from keras import ops

EPSILON = 1e-5  # of a variance
LEAST = 1e-6  # norm by which a row is divided at least
NEVER = -1e30  # exponent of a pair that does not count


def standardise(p):
    """s = (p - mean) / sqrt(var + 1e-5), column by column over the batch, with the biased variance."""
    centred = p - ops.mean(p, axis=0, keepdims=True)
    return centred / ops.sqrt(ops.mean(ops.square(centred), axis=0, keepdims=True) + EPSILON)


def to_sphere(p):
    """Rows divided by their norm, max(|p_n|, 1e-6)."""
    # Inside the root, or the gradient at a row of zeros would be nan.
    norm = ops.sqrt(ops.sum(ops.square(p), axis=1, keepdims=True) + 1e-24)
    return p / ops.maximum(norm, LEAST)


def squared_distance(z, other):
    """mean_n |z_n - z'_n|^2, from 0 to 4 on the sphere."""
    return ops.mean(ops.sum(ops.square(z - other), axis=1))


def uniformity(z, t=2.0):
    """log of the mean over i != j of exp(-t |z_i - z_j|^2): 0 where all rows are equal, at least -2tN/(N-1)."""
    n = ops.shape(z)[0]
    length = ops.sum(ops.square(z), axis=1)
    distance = ops.maximum(length[:, None] + length[None] - 2 * ops.matmul(z, ops.transpose(z)), 0.0)
    # The pairs i = j are left out before the sum: taken away afterwards, they would swamp small sums.
    exponents = ops.where(ops.eye(n, dtype="bool"), NEVER, -t * distance)
    pairs = ops.cast(n * (n - 1), "float32")
    return ops.logsumexp(exponents) - ops.log(pairs)


def correlation(s):
    """(1/d) sum over a != b of R_ab^2, R = s^T s / N: 0 where dimensions are uncorrelated, at most d - 1.

    Its expectation for independent dimensions is (d - 1) / (N - 1), not 0.
    """
    return _off_diagonal(ops.matmul(ops.transpose(s), s) / _rows(s)) / s.shape[-1]


def mean_square(p, other):
    """The mean over clips and dimensions of (p - p')^2: the invariance of VICReg."""
    return ops.mean(ops.square(p - other))


def variance_hinge(p):
    """mean_a max(0, 1 - sqrt(var_a + 1e-4)), with the unbiased variance: the variance term of VICReg."""
    variance = ops.sum(ops.square(p - ops.mean(p, axis=0, keepdims=True)), axis=0) / (_rows(p) - 1.0)
    return ops.mean(ops.relu(1.0 - ops.sqrt(variance + 1e-4)))


def covariance(p):
    """The sum of squares off the diagonal of the covariance over N - 1, divided by d: the third term of VICReg."""
    centred = p - ops.mean(p, axis=0, keepdims=True)
    return _off_diagonal(ops.matmul(ops.transpose(centred), centred) / (_rows(p) - 1.0)) / p.shape[-1]


def same_dimension(s, other):
    """sum_a (1 - X_aa)^2, X = s^T s' / N: the invariance of Barlow Twins."""
    return ops.sum(ops.square(1.0 - ops.mean(s * other, axis=0)))


def cross_correlation(s, other):
    """The sum over a != b of X_ab^2, X = s^T s' / N: the redundancy term of Barlow Twins."""
    return _off_diagonal(ops.matmul(ops.transpose(s), other) / _rows(s))


def offset(z):
    """|mean_n z_n|^2 on the sphere: 0 where rows are spread, 1 where all are equal."""
    return ops.sum(ops.square(ops.mean(z, axis=0)))


def deviation(p):
    """The mean over dimensions of the standard deviation of p. The centred loss does not see the scale of p."""
    return ops.mean(ops.sqrt(ops.mean(ops.square(p - ops.mean(p, axis=0, keepdims=True)), axis=0)))


def effective_rank(p):
    """exp of the entropy of the normalised singular values of the centred p: from 1 to min(N - 1, d).

    Singular values below some thousandth of the largest are rounding in float32 and count as 0.
    """
    centred = p - ops.mean(p, axis=0, keepdims=True)
    centred = ops.where(ops.isfinite(centred), centred, 0.0)  # the decomposition fails on nan, not just its result
    values = ops.linalg.eigh(ops.matmul(centred, ops.transpose(centred)))[0]
    rounding = 1e-6 * _rows(p) * ops.max(values)
    singular = ops.sqrt(ops.where(values > rounding, values, 0.0))
    share = singular / ops.maximum(ops.sum(singular), 1e-12)
    return ops.exp(-ops.sum(share * ops.log(ops.maximum(share, 1e-12))))


def _off_diagonal(matrix):
    """The sum of squares of what is not on the diagonal, which is masked: subtracting it would lose digits."""
    return ops.sum(ops.square(ops.where(ops.eye(matrix.shape[-1], dtype="bool"), 0.0, matrix)))


def _rows(p):
    return ops.cast(ops.shape(p)[0], "float32")
