"""Solids: convex bodies with painted faces, turned in space. An orthographic view along -z on black.

The bodies show at least three faces from almost everywhere, and no two faces have one colour: their image tells their
rotation, as it must for the pose to be learned.
"""

import math

import numpy as np

from tsdsae_keras.data.sets.pose_pool import PoseData, Scene, pool_options

SIZE, SAMPLES, SCALE = 64, 2, 26  # pixels; samples along each side of one; pixels per unit
LIGHT = np.array([0.4, 0.5, 0.77])
AMBIENT = 0.45
PALETTE = np.array(
    [
        *([0.90, 0.20, 0.20], [0.20, 0.75, 0.25], [0.25, 0.40, 0.95], [0.95, 0.85, 0.20]),
        *([0.80, 0.30, 0.85], [0.20, 0.80, 0.85], [0.95, 0.55, 0.15], [0.90, 0.90, 0.90]),
    ],
    "float32",
)


def box(x, y, z):
    """Normals (6, 3) and distances (6,) of the faces of a box with these half-lengths."""
    axes = np.eye(3)
    return np.concatenate([axes, -axes]), np.array([x, y, z, x, y, z])


def octahedron(distance):
    """Normals (8, 3) and distances (8,) of the faces of an octahedron."""
    signs = np.array([[a, b, c] for a in (1, -1) for b in (1, -1) for c in (1, -1)])
    return signs / math.sqrt(3), np.full(8, distance)


BODIES = {"cube": box(0.62, 0.62, 0.62), "plank": box(0.85, 0.55, 0.28), "octahedron": octahedron(0.55)}


class Solids(Scene):
    """Pose: the rotation matrix of the body.

    Args:
        bodies: {name: (normals (faces, 3), distances (faces,))} of convex bodies with at most eight faces.
        largest_angle: degrees from the pose of rest; 180 are all rotations, uniform.
        side: "left", actions R2 R1^T seen from the viewer, or "right", R1^T R2 seen from the body.
    """

    name, channels, group, dims = "solids", 3, "rotate", 3
    units = {"angle (degrees)": None}

    def __init__(self, bodies=None, largest_angle=180.0, side="left"):
        self._bodies = list((BODIES if bodies is None else bodies).values())
        self.classes = len(self._bodies)
        self.largest_angle, self.side = largest_angle, side
        self.group = "rotate" if side == "left" else "rotate_right"

    def draw_poses(self, rng, classes):
        n, found = len(classes), np.empty((0, 3, 3))
        while len(found) < n:
            drawn = matrices(rng.normal(size=(2 * n, 4)))
            trace = np.trace(drawn, axis1=1, axis2=2)
            allowed = np.arccos(np.clip((trace - 1) / 2, -1, 1)) <= math.radians(self.largest_angle) + 1e-9
            found = np.concatenate([found, drawn[allowed]])
        return found[:n]

    def relative(self, first, second):
        back = np.swapaxes(first, 1, 2)
        return second @ back if self.side == "left" else back @ second

    def render(self, poses, classes):
        images = np.zeros((len(poses), SIZE, SIZE, 3), "uint8")
        for kind, (normals, distances) in enumerate(self._bodies):
            rows = np.flatnonzero(classes == kind)
            for part in np.array_split(rows, -(-len(rows) // 8)) if len(rows) else ():
                images[part] = draw_body(poses[part], normals, distances)
        return images


def draw_body(rotations, normals, distances):
    """Images (n, 64, 64, 3) uint8 of one body in n rotations."""
    turned = np.einsum("nij,fj->nfi", rotations, normals).astype("float32")
    light = AMBIENT + (1 - AMBIENT) * np.maximum(0, turned @ LIGHT.astype("float32"))
    colours = np.zeros((len(turned), len(normals) + 1, 3), "float32")  # the first one is the ground
    colours[:, 1:] = light[..., None] * PALETTE[: len(normals)]
    distances = distances.astype("float32")
    images = np.stack([_mean_colours(_faces(turned[i], distances), colours[i]) for i in range(len(turned))])
    return np.round(255 * np.minimum(images, 1)).astype("uint8")


def _faces(normals, distances):
    """Which face is seen at each sample, counted from 1; 0 is the ground.

    A face is the plane n.p = d: its depth over a place is linear, and rows run against y. One that is seen edge-on
    counts as a front face, of a depth beyond all others on its inner side. The nearest front face is seen where it lies
    before all faces of the back. One body at a time, and a face at a time: what is at work stays in the cache.
    """
    place = (((np.arange(SIZE * SAMPLES) + 0.5) / SAMPLES - SIZE / 2) / SCALE).astype("float32")
    nx, ny, nz = normals.T[..., None]
    safe = np.where(np.abs(nz) < 1e-6, np.float32(1e-6), nz)
    along_x, along_y = -nx / safe * place, ny / safe * place + distances[:, None] / safe
    shape = (SIZE * SAMPLES,) * 2
    nearest, back = np.full(shape, np.inf, "float32"), np.full(shape, -np.inf, "float32")
    face = np.zeros(shape, "uint8")
    for number, front in enumerate(safe[:, 0] > 0):
        depth = along_y[number][:, None] + along_x[number]
        if front:
            np.copyto(face, number + 1, where=depth < nearest)
            np.minimum(nearest, depth, out=nearest)
        else:
            np.maximum(back, depth, out=back)
    return face * (nearest > back)


def _mean_colours(face, colours):
    """The mean colour of the samples of each pixel, (64, 64, 3)."""
    parts = [colours[face[row::SAMPLES, column::SAMPLES]] for row in range(SAMPLES) for column in range(SAMPLES)]
    return sum(parts) / len(parts)


def matrices(q):
    """Rotation matrices (n, 3, 3) of quaternions (n, 4), real part first, of any length but 0."""
    w, x, y, z = (q / np.linalg.norm(q, axis=1, keepdims=True)).T
    rows = [
        [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
        [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
        [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
    ]
    return np.moveaxis(np.array(rows), 2, 0)


def open_solids(settings):
    """Opens the data set of the card "solids"."""
    scene = Solids(largest_angle=settings.largest_angle, side=settings.side)
    return PoseData(scene, **pool_options(settings))
