"""Learned poses as points of the plane or of space, to be drawn."""

import numpy as np

from tsdsae_keras.families.cpd.baselines import MDPHomomorphism
from tsdsae_keras.families.cpd.offsets import as_matrices

COORDINATES = ("first number", "second number", "third number")


def pose_points(model, codes, fitted=None):
    """Points (n, 2) or (n, 3) of the poses of codes, and the names of the axes.

    - R^n: the first two or three numbers;
    - rotations: axis times angle, in degrees, a ball of radius 180 whose opposite surface points are one rotation;
    - vectors: themselves; the plane: places;
    - a latent without structure: the first three principal components of `fitted`.

    Args:
        model: of this family.
        codes: (n, code).
        fitted: codes that principal components are taken of, by default these.
    """
    if isinstance(model, MDPHomomorphism):
        names = tuple(f"{name} component" for name in ("first", "second", "third"))
        components = principal_components(codes if fitted is None else fitted, codes)
        return components, names[: components.shape[1]]
    pose = codes[:, : model.group_dim]
    if model.poses.name.startswith("isometries"):
        return pose[:, :2], ("x", "y")
    if model.poses.name in ("rotate", "rotate_right", "rotate_quaternion"):
        return rotation_vectors(as_matrices(model.poses.name, pose)), ("x (degrees)", "y (degrees)", "z (degrees)")
    dims = min(3, pose.shape[1])
    # A single number is drawn along a line.
    points = pose[:, :dims] if dims > 1 else np.concatenate([pose, np.zeros_like(pose)], axis=1)
    return points, COORDINATES[: points.shape[1]]


def rotation_vectors(matrices):
    """Axis times angle, degrees, (n, 3) of rotation matrices (n, 3, 3)."""
    from scipy.spatial.transform import Rotation

    return Rotation.from_matrix(matrices).as_rotvec(degrees=True)


def principal_components(fitted, codes, most=3):
    """Codes along the directions in which `fitted` vary most, (n, at most `most`)."""
    mean = fitted.mean(axis=0)
    _, _, directions = np.linalg.svd(fitted - mean, full_matrices=False)
    return (codes - mean) @ directions[:most].T
