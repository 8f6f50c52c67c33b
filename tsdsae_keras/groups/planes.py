"""Motions of the plane as poses: raw numbers x, y, theta; poses x, y, cos theta, sin theta; elements a, b, angle."""

import math

from keras import ops, random

from tsdsae_keras.groups.base import on_tensors
from tsdsae_keras.groups.poses import Pose


class PlaneIsometries(Pose):
    """R^2 x SO(2), seen from a fixed frame: x, y -> x + a, y + b and theta -> theta + angle; commutative."""

    name = "isometries_2d"
    action_shape, action_dim, group_dim = (3,), 3, 4

    @on_tensors
    def pose_activation(self, raw):
        return ops.concatenate([raw[..., :2], circle(raw[..., 2:])], axis=-1)

    @on_tensors
    def act(self, g, p):
        return ops.concatenate([p[..., :2] + g[..., :2], turn(p[..., 2:], circle(g[..., 2:]))], axis=-1)

    def compose(self, g2, g1):
        return g1 + g2

    def inverse(self, g):
        return -g

    def identity(self, n):
        return ops.zeros((n, 3))

    def draw(self, n, seed):
        """Shifts uniform within 1, angles over the whole turn."""
        return random.uniform((n, 3), -1, 1, seed=seed) * ops.convert_to_tensor([1.0, 1.0, math.pi])

    @on_tensors
    def relative(self, p, q):
        return ops.concatenate([q[..., :2] - p[..., :2], _angle_between(p, q)], axis=-1)


class LocalPlaneIsometries(PlaneIsometries):
    """SE(2) acting from the right, as a robot moves in its own frame: (x, y) -> (x, y) + R(theta) (a, b).

    First g1, then g2 is the product g1 g2 = (a1 + R(angle1) a2, angle1 + angle2).
    """

    name = "isometries_2d_local"

    @on_tensors
    def act(self, g, p):
        return ops.concatenate([p[..., :2] + turn(g[..., :2], p[..., 2:]), turn(p[..., 2:], circle(g[..., 2:]))], -1)

    def compose(self, g2, g1):
        shift = g1[..., :2] + turn(g2[..., :2], circle(g1[..., 2:]))
        return ops.concatenate([shift, g1[..., 2:] + g2[..., 2:]], axis=-1)

    def inverse(self, g):
        return ops.concatenate([-turn(g[..., :2], circle(-g[..., 2:])), -g[..., 2:]], axis=-1)

    @on_tensors
    def relative(self, p, q):
        shift = turn(q[..., :2] - p[..., :2], p[..., 2:] * ops.convert_to_tensor([1.0, -1.0]))
        return ops.concatenate([shift, _angle_between(p, q)], axis=-1)


def circle(angle):
    """An angle (..., 1) as a point of the circle (..., 2)."""
    return ops.concatenate([ops.cos(angle), ops.sin(angle)], axis=-1)


def turn(v, direction):
    """v (..., 2) turned by the angle of a direction (cos, sin): the product of complex numbers."""
    x, y, c, s = v[..., :1], v[..., 1:], direction[..., :1], direction[..., 1:]
    return ops.concatenate([c * x - s * y, s * x + c * y], axis=-1)


def _angle_between(p, q):
    back = p[..., 2:] * ops.convert_to_tensor([1.0, -1.0])
    difference = turn(q[..., 2:], back)
    return ops.arctan2(difference[..., 1:], difference[..., :1])
