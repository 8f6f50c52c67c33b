"""Groups that act on codes: pure functions on tensors, for class-pose decomposition and for physical symmetry.

An element is an array: a translation (batch, n), a rotation (batch, 3, 3), an angle (batch, 1). Every group has

    act(g, p)         what g makes of p
    compose(g2, g1)   first g1, then g2: act(compose(g2, g1), p) = act(g2, act(g1, p)), for left and right actions alike
    inverse(g)        act(inverse(g), act(g, p)) = p
    identity(n)       n elements that change nothing
    draw(n, seed)     n random elements

Groups of poses (`poses.py`) know besides how raw numbers of a network become a pose, how far two poses are apart, and
which element leads from one to the other; groups of codes (`codes.py`) act on some axes of (batch, ..., axes). A user's
own is a subclass of `Group` with these five methods; `check_group` holds it to the laws.
"""

from tsdsae_keras.errors import InputError
from tsdsae_keras.groups.base import Group, check_group
from tsdsae_keras.groups.codes import PlaneRotation, SpaceRotation, Translation
from tsdsae_keras.groups.planes import LocalPlaneIsometries, PlaneIsometries
from tsdsae_keras.groups.poses import (
    Pose,
    QuaternionRotations,
    RightRotations,
    Rotations,
    Translations,
    VectorRotations,
)

__all__ = [
    "Group",
    "LocalPlaneIsometries",
    "PlaneIsometries",
    "PlaneRotation",
    "Pose",
    "QuaternionRotations",
    "RightRotations",
    "Rotations",
    "SpaceRotation",
    "Translation",
    "Translations",
    "VectorRotations",
    "check_group",
    "find_group",
]

translate = Translations()
rotate = Rotations()
rotate_right = RightRotations()
rotate_vector = VectorRotations()
rotate_quaternion = QuaternionRotations()
isometries_2d = PlaneIsometries()
isometries_2d_local = LocalPlaneIsometries()

POSES = {
    "translate": translate,
    "rotate": rotate,
    "rotate_right": rotate_right,
    "rotate_vector": rotate_vector,
    "rotate_quaternion": rotate_quaternion,
    "isometries_2d": isometries_2d,
    "isometries_2d_local": isometries_2d_local,
}


def find_group(name, dims=3):
    """The group of poses of a name.

    Args:
        name: a key of `POSES`.
        dims: n of R^n, for "translate".

    Raises:
        InputError: no group has this name.
    """
    if name not in POSES:
        raise InputError(f"group is {name!r}; it must be {' or '.join(POSES)}")
    return Translations(dims) if name == "translate" else POSES[name]
