"""The error of learned poses against true ones, after the one constant a class is free to have.

The relative symmetry fixes a pose up to a constant of its orbit: p = true c for an action from the left, p = c true for
one from the right. The constant is fitted on some images and the error taken on others.
"""

import numpy as np


def pose_errors(group, units, fitted, scored):
    """The mean error in each unit, over all images of `scored`: {unit: (n,) errors}; empty where it has no meaning.

    Args:
        group: name of the group of the model's poses.
        units: of the data, see `data.sets.pose_pool.Scene`.
        fitted, scored: tuples of learned poses (n, group_dim), true poses (n, ...) and classes (n,).
    """
    fits = {"translate": _translate, "rotate": _rotate, "rotate_right": _rotate, "rotate_quaternion": _rotate}
    fits |= {"isometries_2d": _move, "isometries_2d_local": _move}
    if group not in fits or not units:
        return {}
    found = {name: np.full(len(scored[2]), np.nan) for name in units}
    for kind in np.unique(scored[2]):
        parts = [[value[each[2] == kind] for value in each[:2]] for each in (fitted, scored)]
        if not len(parts[0][0]):
            continue
        for name, values in fits[group](group, units, *parts).items():
            found[name][scored[2] == kind] = values
    return {name: values[np.isfinite(values)] for name, values in found.items()}


def _translate(group, units, fitted, scored):
    offset = np.mean(fitted[0] - fitted[1], axis=0)
    error = np.abs(scored[0] - scored[1] - offset)
    return {name: factor * error[:, list(columns)].mean(axis=1) for name, (columns, factor) in units.items()}


def _rotate(group, units, fitted, scored):
    (p, true), (q, other) = ((as_matrices(group, pose), t) for pose, t in (fitted, scored))
    if group == "rotate_right":
        c = nearest_rotation(np.sum(p @ np.swapaxes(true, 1, 2), axis=0))
        expected = c @ other
    else:
        c = nearest_rotation(np.sum(np.swapaxes(true, 1, 2) @ p, axis=0))
        expected = other @ c
    cosine = (np.einsum("nij,nij->n", q, expected) - 1) / 2
    return dict.fromkeys(units, np.degrees(np.arccos(np.clip(cosine, -1, 1))))


def _move(group, units, fitted, scored):
    """Poses of the plane as complex numbers: place z and direction w."""
    (z, w), (t, u) = _complex(fitted[0]), _complex_of_angle(fitted[1])
    (z2, w2), (t2, u2) = _complex(scored[0]), _complex_of_angle(scored[1])
    turn = np.sum(w / u) / np.abs(np.sum(w / u))
    spin = turn if group == "isometries_2d_local" else 1  # seen from the camera, the whole plane may be turned
    shift = np.mean(z - spin * t)
    (place, (_, factor)), (angle, _) = units.items()
    off = np.degrees(np.abs(np.angle(w2 / (turn * u2))))
    return {place: factor * np.abs(z2 - spin * t2 - shift), angle: off}


def _complex(pose):
    return pose[:, 0] + 1j * pose[:, 1], pose[:, 2] + 1j * pose[:, 3]


def _complex_of_angle(pose):
    return pose[:, 0] + 1j * pose[:, 1], np.exp(1j * pose[:, 2])


def as_matrices(group, pose):
    """Rotation matrices (n, 3, 3) of poses."""
    if group != "rotate_quaternion":
        return pose.reshape(-1, 3, 3)
    w, x, y, z = pose.T
    rows = [
        [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
        [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
        [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
    ]
    return np.moveaxis(np.array(rows), 2, 0)


def nearest_rotation(matrix):
    """The rotation that is nearest to a matrix (orthogonal Procrustes)."""
    u, _, v = np.linalg.svd(matrix)
    return u @ np.diag([1, 1, np.linalg.det(u @ v)]) @ v
