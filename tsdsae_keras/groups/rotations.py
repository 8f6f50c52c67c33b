"""Rotations of space: exponentials, quaternions, uniform draws; (..., 3, 3) matrices that turn column vectors.

Quaternions are (..., 4), real part first.
"""

import numpy as np
from keras import ops, random

from tsdsae_keras.ops import safe_norm

SERIES_BELOW = 0.1  # |v|^2; three terms of the series are exact to float32 there, and the quotients from there on

# Which entries of a matrix, with which sign, make four times (one component) x (the quaternion): a row a component.
# Entries are numbered 3 row + column; the last column is the constant 1.
_ROWS = np.zeros((4, 4, 10), "float32")
for _i, _signs in enumerate(((1, 1, 1), (1, -1, -1), (-1, 1, -1), (-1, -1, 1))):
    _ROWS[_i, _i, [0, 4, 8, 9]] = (*_signs, 1)
for _a, _b, _plus, _minus, _sign in (
    *((0, 1, 7, 5, -1), (0, 2, 2, 6, -1), (0, 3, 3, 1, -1)),
    *((1, 2, 3, 1, 1), (1, 3, 2, 6, 1), (2, 3, 7, 5, 1)),
):
    for _row, _column in ((_a, _b), (_b, _a)):
        _ROWS[_row, _column, [_plus, _minus]] = (1, _sign)


def skew(v):
    """The skew matrix S of v (..., 3): S01 = v0, S02 = v1, S12 = v2."""
    a, b, c = v[..., 0], v[..., 1], v[..., 2]
    zero = ops.zeros_like(a)
    return matrices(ops.stack([zero, a, b, -a, zero, c, -b, -c, zero], axis=-1))


def exponential(v):
    """exp(S(v)), a rotation by the angle |v| (Rodrigues): I + sin|v|/|v| S + (1 - cos|v|)/|v|^2 S^2."""
    squared = ops.sum(ops.square(v), axis=-1)[..., None, None]
    small = squared < SERIES_BELOW
    # In the branch that is not taken the angle is 1, so that its gradient is finite at v = 0.
    angle = ops.sqrt(ops.where(small, ops.ones_like(squared), squared))
    sine = ops.where(small, 1 - squared / 6 * (1 - squared / 20 * (1 - squared / 42)), ops.sin(angle) / angle)
    half = ops.sin(angle / 2) / angle  # 2 half^2 = (1 - cos) / |v|^2 without the cancellation
    cosine = ops.where(small, 0.5 - squared / 24 * (1 - squared / 30 * (1 - squared / 56)), 2 * ops.square(half))
    s = skew(v)
    return ops.eye(3, dtype=s.dtype) + sine * s + cosine * ops.matmul(s, s)


def matrices(flat):
    """(..., 9) row by row -> (..., 3, 3)."""
    return ops.reshape(flat, (*ops.shape(flat)[:-1], 3, 3))


def rows(matrix):
    """(..., 3, 3) -> (..., 9) row by row."""
    return ops.reshape(matrix, (*ops.shape(matrix)[:-2], 9))


def quaternions_of(matrix):
    """The quaternion of a rotation, its real part not negative.

    Four times any component times the quaternion is linear in the matrix; the row of the largest component, at least
    1/2, is taken and normalised, so that nothing is divided by a small number.
    """
    nine = rows(matrix)
    entries = ops.concatenate([nine, ops.ones_like(nine[..., :1])], axis=-1)
    table = ops.tensordot(entries, ops.convert_to_tensor(_ROWS), axes=[[-1], [-1]])  # (..., component, quaternion)
    largest = ops.argmax(ops.diagonal(table, axis1=-2, axis2=-1), axis=-1)
    chosen = ops.sum(table * ops.one_hot(largest, 4, dtype=table.dtype)[..., None], axis=-2)
    return real_part_first(chosen / safe_norm(chosen, keepdims=True))


def real_part_first(q):
    """q or -q, the same rotation: the one whose real part is not negative."""
    return ops.where(q[..., :1] < 0, -q, q)


def multiply(a, b):
    """The quaternion product; the rotation b first, then a."""
    (aw, ax, ay, az), (bw, bx, by, bz) = ([q[..., i] for i in range(4)] for q in (a, b))
    return ops.stack(
        [
            aw * bw - ax * bx - ay * by - az * bz,
            aw * bx + ax * bw + ay * bz - az * by,
            aw * by - ax * bz + ay * bw + az * bx,
            aw * bz + ax * by - ay * bx + az * bw,
        ],
        axis=-1,
    )


def matrices_of(q):
    """The rotation matrix of a unit quaternion."""
    w, x, y, z = (q[..., i] for i in range(4))
    flat = ops.stack(
        [
            *(1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)),
            *(2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)),
            *(2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)),
        ],
        axis=-1,
    )
    return matrices(flat)


def draw_rotations(n, seed):
    """n rotations, uniform over all of SO(3): (n, 3, 3), from normalised Gaussian quaternions."""
    return matrices_of(draw_quaternions(n, seed))


def draw_quaternions(n, seed):
    """n unit quaternions, uniform over the sphere."""
    q = random.normal((n, 4), seed=seed)
    return q / safe_norm(q, keepdims=True)
