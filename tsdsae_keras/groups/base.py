"""What every group has, and the check that a user's own group obeys the laws."""

import functools

import numpy as np
from keras import ops

from tsdsae_keras.errors import InputError

CHECKED = 8  # random elements that the laws are checked on


def on_tensors(method):
    """Arrays are turned into float32 tensors first: PyTorch's do not mix with NumPy's."""

    @functools.wraps(method)
    def wrapped(self, *values):
        return method(self, *(v if ops.is_tensor(v) else ops.convert_to_tensor(v, "float32") for v in values))

    return wrapped


class Group:
    """A group that acts on vectors along the last axis; the methods are described in `tsdsae_keras.groups`."""

    name = "group"

    def act(self, g, p):
        raise NotImplementedError(f"{type(self).__name__} must define act(g, p)")

    def compose(self, g2, g1):
        raise NotImplementedError(f"{type(self).__name__} must define compose(g2, g1)")

    def inverse(self, g):
        raise NotImplementedError(f"{type(self).__name__} must define inverse(g)")

    def identity(self, n):
        raise NotImplementedError(f"{type(self).__name__} must define identity(n)")

    def draw(self, n, seed):
        """n random elements.

        Args:
            n: how many.
            seed: an integer, or a `keras.random.SeedGenerator`.
        """
        raise NotImplementedError(f"{type(self).__name__} must define draw(n, seed)")

    def act_in_turn(self, actions, p):
        """The actions (batch, steps, ...) one after the other, the first one first."""
        for step in range(actions.shape[1]):
            p = self.act(actions[:, step], p)
        return p


def check_group(group, dims, *, tolerance=1e-3):
    """Holds a group to its laws on random elements and codes.

    Args:
        group: to check.
        dims: axes of the vectors it acts on.
        tolerance: largest difference allowed, of vectors with entries of about 1.

    Raises:
        InputError: the action changes the shape or gives values that are not finite, or inverse, identity or
            compose do not fit it; the line names the law.
    """
    p = ops.convert_to_tensor(np.random.default_rng(0).normal(size=(CHECKED, dims)).astype("float32"))
    g1, g2 = group.draw(CHECKED, 1), group.draw(CHECKED, 2)
    moved = group.act(g1, p)
    if tuple(moved.shape) != (CHECKED, dims):
        raise InputError(f"{_name(group)}: act gives shape {tuple(moved.shape)} for codes of shape {(CHECKED, dims)}")
    laws = {
        "act(inverse(g), act(g, p)) = p; correct its inverse": (group.act(group.inverse(g1), moved), p),
        "act(identity, p) = p; correct its identity": (group.act(group.identity(CHECKED), p), p),
        "act(compose(g2, g1), p) = act(g2, act(g1, p)); correct its compose": (
            group.act(group.compose(g2, g1), p),
            group.act(g2, moved),
        ),
    }
    for law, (left, right) in laws.items():
        error = float(np.abs(ops.convert_to_numpy(left) - ops.convert_to_numpy(right)).max())
        if not error <= tolerance:  # NaN too
            raise InputError(f"{_name(group)} is off by {error:.2g} in the law {law}")


def _name(group):
    return f"the group {type(group).__name__}"
