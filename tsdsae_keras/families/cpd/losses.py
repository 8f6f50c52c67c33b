"""The losses of class-pose decomposition: equivariance of the pose, and what ties the class to the orbit."""

import math

from keras import ops

from tsdsae_keras.ops import safe_norm


def equivariance(group, predicted, true, *, nuclear=False):
    """How far the moved pose of x is from the pose of y, one number.

    - R^n, matrices and vectors: the mean square over batch and entries;
    - quaternions: the mean of min(|q - q'|, |q + q'|);
    - R^2 x SO(2): the mean square of the two coordinates plus the mean distance of the directions, not squared;
    - SE(2): the mean squared distance of the positions plus that of the directions.

    Args:
        group: of `tsdsae_keras.groups`.
        predicted, true: poses (batch, group_dim).
        nuclear: for rotations, the mean nuclear norm of the difference of the matrices instead.
    """
    if nuclear:
        return nuclear_norm(predicted - true)
    if group.name in SPECIAL:
        return SPECIAL[group.name](predicted, true)
    return ops.mean(ops.square(predicted - true))


def nuclear_norm(difference):
    """The mean sum of the singular values of matrices (batch, 9).

    Its gradient is U V^T of the singular vectors; taken so, it is finite where singular values are equal or 0.
    """
    matrix = ops.reshape(difference, (-1, 3, 3))
    u, values, v = ops.svd(ops.stop_gradient(matrix), full_matrices=False)
    kept = ops.cast(values > 1e-7, matrix.dtype)[:, None, :]
    return ops.mean(ops.sum(ops.stop_gradient(ops.matmul(u * kept, v)) * matrix, axis=(1, 2)))


def _of_quaternions(q, other):
    return ops.mean(ops.minimum(safe_norm(q - other), safe_norm(q + other)))


def _of_plane(p, q):
    return ops.mean(ops.square(p[:, :2] - q[:, :2])) + ops.mean(safe_norm(p[:, 2:] - q[:, 2:]))


def _of_local_plane(p, q):
    return ops.mean(ops.sum(ops.square(p - q), axis=-1))


SPECIAL = {
    "rotate_quaternion": _of_quaternions,
    "isometries_2d": _of_plane,
    "isometries_2d_local": _of_local_plane,
}


def info_nce(classes, others, temperature=0.8):
    """InfoNCE: -mean_i [s_ii - log sum_j exp s_ij], s_ij = <e_i, e'_j> / temperature, e of length 1.

    A class that is constant gives log(batch); classes that are perfect give `info_nce_floor`, not 0.

    Args:
        classes, others: of x and of y, (batch, extra_dim), normalised.
        temperature: tau.
    """
    similarity = ops.matmul(classes, ops.transpose(others)) / temperature
    return ops.mean(ops.logsumexp(similarity, axis=1) - ops.diagonal(similarity))


def push_apart(codes, partners):
    """The hinge: the mean of max(0, 1 - |c - c'|) of codes and their partners' (batch, n); where a code is its own
    partner it is 1, with gradient 0."""
    return ops.mean(ops.maximum(0.0, 1.0 - safe_norm(codes - partners)))


def binary_cross_entropy(predicted, target):
    """The mean over everything, in nats; each logarithm is at least -100, as PyTorch clamps it.

    Args:
        predicted: probabilities.
        target: in [0, 1].
    """
    return -ops.mean(target * _log(predicted) + (1.0 - target) * _log(1.0 - predicted))


def _log(p):
    positive = p > 0
    return ops.where(positive, ops.maximum(ops.log(ops.where(positive, p, ops.ones_like(p))), -100.0), -100.0)


def info_nce_floor(classes, batch, temperature=0.8):
    """The mean of InfoNCE with perfect classes, the corners of a regular simplex: the least it can be, in nats.

    A row meets n of its own class in the batch, itself included; the others are drawn, so n - 1 is binomial:
    E[-1/tau + log(n e^(1/tau) + (B - n) e^(-1/((K - 1) tau)))].

    Args:
        classes: K, equally likely, at least 2; extra_dim must be K - 1 at least.
        batch: B.
        temperature: tau.
    """
    total, chance = 0.0, 1 / classes
    for others in range(batch):
        weight = math.comb(batch - 1, others) * chance**others * (1 - chance) ** (batch - 1 - others)
        same, different = 1 / temperature, -1 / ((classes - 1) * temperature)
        n = others + 1
        total += weight * (math.log(n * math.exp(same) + (batch - n) * math.exp(different)) - same)
    return total
