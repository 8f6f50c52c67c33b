"""Groups that are the space of poses themselves: translations and rotations (class-pose decomposition).

A network gives `action_dim` raw numbers; `pose_activation` makes a pose of `group_dim` numbers of them, on which the
group acts. (Marchetti, Tegner, Varava, Kragic, AISTATS 2023, arXiv 2207.03116.)
"""

import numpy as np
from keras import ops, random

from tsdsae_keras.errors import InputError
from tsdsae_keras.groups.base import Group, on_tensors
from tsdsae_keras.groups.rotations import (
    draw_rotations,
    exponential,
    matrices,
    matrices_of,
    multiply,
    quaternions_of,
    real_part_first,
    rows,
)
from tsdsae_keras.ops import safe_norm

TOLERANCE = 1e-3  # of R R^T = I in an action that a user gives


class Pose(Group):
    """A group of poses.

    Attributes:
        action_shape: of one element.
        action_dim: raw numbers a pose is made of.
        group_dim: numbers of a pose.
    """

    action_shape = ()
    action_dim = group_dim = 0

    @on_tensors
    def pose_activation(self, raw):
        """Raw numbers (..., action_dim) -> pose (..., group_dim)."""
        return raw

    @on_tensors
    def distance(self, p, q):
        """Squared L2 distance of two poses (..., group_dim) -> (...)."""
        return ops.sum(ops.square(p - q), axis=-1)

    @on_tensors
    def relative(self, p, q):
        """The element g with act(g, p) = q."""
        raise InputError(f"in the group {self.name} two poses do not tell which element leads from one to the other")

    def check(self, actions, what="the actions"):
        """Raises InputError where actions (n, ...) are not elements of the group."""
        actions = np.asarray(actions)
        if actions.shape[1:] != self.action_shape or actions.dtype.kind not in "fiu":
            want = ", ".join(("n", *map(str, self.action_shape)))
            raise InputError(f"{what} have shape {actions.shape}; the group {self.name} takes numbers ({want})")
        if not np.isfinite(actions).all():
            raise InputError(f"{what} are not finite in row {int(np.argwhere(~np.isfinite(actions))[0, 0])}")


class Translations(Pose):
    """R^n: g (batch, n), p -> p + g.

    Args:
        dims: n; only `action_dim` and the drawing depend on it.
    """

    name = "translate"

    def __init__(self, dims=3):
        self.action_dim = self.group_dim = dims
        self.action_shape = (dims,)

    @on_tensors
    def act(self, g, p):
        return p + g

    def compose(self, g2, g1):
        return g1 + g2

    def inverse(self, g):
        return -g

    def identity(self, n):
        return ops.zeros((n, *self.action_shape))

    def draw(self, n, seed):
        return random.uniform((n, *self.action_shape), -1, 1, seed=seed)

    @on_tensors
    def relative(self, p, q):
        return q - p


class Rotations(Pose):
    """SO(3) acting from the left: g (batch, 3, 3), R -> g R. Poses are matrices row by row, exp of a skew matrix."""

    name = "rotate"
    action_shape, action_dim, group_dim = (3, 3), 3, 9

    @on_tensors
    def pose_activation(self, raw):
        return rows(exponential(raw))

    @on_tensors
    def act(self, g, p):
        return rows(ops.matmul(g, matrices(p)))

    def compose(self, g2, g1):
        return ops.matmul(g2, g1)

    def inverse(self, g):
        return ops.swapaxes(g, -1, -2)

    def identity(self, n):
        return ops.broadcast_to(ops.eye(3), (n, 3, 3))

    def draw(self, n, seed):
        return draw_rotations(n, seed)

    @on_tensors
    def relative(self, p, q):
        return ops.matmul(matrices(q), self.inverse(matrices(p)))

    def check(self, actions, what="the actions"):
        super().check(actions, what)
        actions = np.asarray(actions, "float64")
        error = np.abs(actions @ np.swapaxes(actions, 1, 2) - np.eye(3)).max(axis=(1, 2), initial=0)
        bad = (error > TOLERANCE) | (np.linalg.det(actions) < 0)
        if bad.any():
            row = int(np.argmax(bad))
            why = "its determinant is -1" if error[row] <= TOLERANCE else f"R R^T differs from I by {error[row]:.2g}"
            raise InputError(f"{what} hold a matrix that is not a rotation, row {row}: {why}; give rotation matrices")


class RightRotations(Rotations):
    """SO(3) acting from the right: R -> R g, so act(g2, act(g1, R)) = R g1 g2."""

    name = "rotate_right"

    @on_tensors
    def act(self, g, p):
        return rows(ops.matmul(matrices(p), g))

    def compose(self, g2, g1):
        return ops.matmul(g1, g2)

    @on_tensors
    def relative(self, p, q):
        return ops.matmul(self.inverse(matrices(p)), matrices(q))


class QuaternionRotations(Rotations):
    """SO(3) acting from the left on unit quaternions, real part first and not negative after an action."""

    name = "rotate_quaternion"
    action_dim = group_dim = 4

    @on_tensors
    def pose_activation(self, raw):
        norm = safe_norm(raw, keepdims=True)
        unit = raw / ops.where(norm > 0, norm, ops.ones_like(norm))
        # The zero vector has no direction; the identity is a rotation at least, and its gradient is 0.
        return ops.where(norm > 0, unit, ops.convert_to_tensor([1.0, 0.0, 0.0, 0.0]))

    @on_tensors
    def act(self, g, p):
        return real_part_first(multiply(quaternions_of(g), p))

    @on_tensors
    def distance(self, p, q):
        """Squared Frobenius distance of the two matrices, which q and -q share: 8 (1 - <p, q>^2)."""
        return 8 * (1 - ops.square(ops.sum(p * q, axis=-1)))

    @on_tensors
    def relative(self, p, q):
        return ops.matmul(matrices_of(q), self.inverse(matrices_of(p)))


class VectorRotations(Rotations):
    """SO(3) turning vectors: v -> g v. A vector does not see rotations about itself: its poses lose an angle."""

    name = "rotate_vector"
    action_dim = group_dim = 3

    @on_tensors
    def pose_activation(self, raw):
        return raw

    @on_tensors
    def act(self, g, p):
        return ops.squeeze(ops.matmul(g, p[..., None]), -1)

    @on_tensors
    def relative(self, p, q):
        return Pose.relative(self, p, q)
