"""Groups that act on some axes of codes (batch, dims) or (batch, time, dims), for physical symmetry.

One element a sequence; it is the same at every time. (Liu, Chin, Huang, Xia, NeurIPS 2023, arXiv 2302.10890.)
"""

import math

from keras import ops, random

from tsdsae_keras.groups.base import Group
from tsdsae_keras.groups.rotations import draw_rotations


class Translation(Group):
    """(R^n, +): z + g on the axes. Elements (batch, n).

    Args:
        axes: of the code that are shifted.
        reach: elements are drawn uniform in (-reach, reach).
    """

    name = "translation"

    def __init__(self, axes=(0,), reach=1.0):
        self.axes, self.reach = tuple(axes), reach

    def act(self, g, z):
        g = _over_time(g, z, 1)
        return _replace(z, {axis: z[..., axis : axis + 1] + g[..., i : i + 1] for i, axis in enumerate(self.axes)})

    def compose(self, g2, g1):
        return g1 + g2

    def inverse(self, g):
        return -g

    def identity(self, n):
        return ops.zeros((n, len(self.axes)))

    def draw(self, n, seed):
        return random.uniform((n, len(self.axes)), -self.reach, self.reach, seed=seed)


class PlaneRotation(Group):
    """SO(2) about the origin of two axes i, j: z_i' = c z_i + s z_j, z_j' = -s z_i + c z_j. Elements (batch, 1).

    Args:
        axes: i and j.
        reach: angles are drawn uniform in (-reach, reach), radians.
    """

    name = "plane rotation"

    def __init__(self, axes=(0, 2), reach=math.pi):
        self.axes, self.reach = tuple(axes), reach

    def act(self, g, z):
        angle = _over_time(g, z, 1)
        (i, j), cos, sin = self.axes, ops.cos(angle), ops.sin(angle)
        first, second = z[..., i : i + 1], z[..., j : j + 1]
        return _replace(z, {i: cos * first + sin * second, j: cos * second - sin * first})

    def compose(self, g2, g1):
        return g1 + g2

    def inverse(self, g):
        return -g

    def identity(self, n):
        return ops.zeros((n, 1))

    def draw(self, n, seed):
        return random.uniform((n, 1), -self.reach, self.reach, seed=seed)


class SpaceRotation(Group):
    """SO(3) about the origin of three axes: z -> g z. Elements (batch, 3, 3), uniform over all rotations.

    Args:
        axes: the three axes of the code.
    """

    name = "space rotation"

    def __init__(self, axes=(0, 1, 2)):
        self.axes = tuple(axes)

    def act(self, g, z):
        turned = ops.matmul(_over_time(g, z, 2), ops.stack([z[..., axis] for axis in self.axes], axis=-1)[..., None])
        return _replace(z, {axis: turned[..., i, :] for i, axis in enumerate(self.axes)})

    def compose(self, g2, g1):
        return ops.matmul(g2, g1)

    def inverse(self, g):
        return ops.swapaxes(g, -1, -2)

    def identity(self, n):
        return ops.broadcast_to(ops.eye(3), (n, 3, 3))

    def draw(self, n, seed):
        return draw_rotations(n, seed)


def _over_time(g, z, rank):
    """Elements with axes of length 1 between the batch and their own, so that they meet codes of any rank."""
    for _ in range(len(z.shape) - 2):
        g = ops.expand_dims(g, len(g.shape) - rank)
    return g


def _replace(z, columns):
    """z with some columns, (..., 1) by axis, in place of its own."""
    return ops.concatenate([columns.get(i, z[..., i : i + 1]) for i in range(z.shape[-1])], axis=-1)
