"""Sprites: a white square, ellipse or heart on black that moves and scales; and three of them in three colours.

Stand-ins for pairs made of dSprites, which they are not. Coordinates X, Y (up) of a shape are in units of its size r:
square max(|X|, |Y|) < .8; ellipse X^2 + 4 Y^2 < 1.2; heart (h^2 + k^2 - 1)^3 < h^2 k^3, h = 1.25 X, k = 1.25 Y + .15.
"""

import numpy as np

from tsdsae_keras.data.sets.pose_pool import PoseData, Scene, pool_options

SIZE, SAMPLES = 64, 4  # pixels; samples along each side of a pixel
WINDOW = 24  # pixels around a shape; the largest reaches 11 from its centre
SHAPES = ("square", "ellipse", "heart")
MULTI_SCALE = 0.7


class Sprites(Scene):
    """One sprite. Pose (u, v, s): centre (16 + 32 u, 48 - 32 v) pixels, size 10 s; u, v in [0, 1], s in [.5, 1]."""

    name, channels, classes, group, dims = "sprites", 1, 3, "translate", 3
    units = {"place (pixels)": ((0, 1), 32), "size (pixels)": ((2,), 10)}

    def draw_poses(self, rng, classes):
        return rng.random((len(classes), 3)) * (1, 1, 0.5) + (0, 0, 0.5)

    def render(self, poses, classes):
        return _to_bytes(draw_shapes(poses[:, :2], poses[:, 2], classes))[..., None]


class MultiSprites(Scene):
    """A sprite in each of red, green and blue, added where they overlap. Pose: u, v of each; class: three shapes."""

    name, channels, classes, group, dims = "multi-sprites", 3, 27, "translate", 6
    units = {"place (pixels)": (tuple(range(6)), 32)}

    def draw_poses(self, rng, classes):
        return rng.random((len(classes), 6))

    def render(self, poses, classes):
        shapes = classes // 9, classes // 3 % 3, classes % 3
        scale = np.full(len(poses), MULTI_SCALE)
        drawn = [draw_shapes(poses[:, 2 * i : 2 * i + 2], scale, shape) for i, shape in enumerate(shapes)]
        return _to_bytes(np.stack(drawn, axis=-1))


def draw_shapes(places, scales, classes):
    """Coverage (n, 64, 64) in [0, 1] of one shape an image.

    Args:
        places: (n, 2), u and v in [0, 1].
        scales: (n,), s.
        classes: (n,), positions in `SHAPES`.
    """
    column, row = 16 + 32 * places[:, 0], 48 - 32 * places[:, 1]
    left, top = (np.floor(centre).astype(int) - WINDOW // 2 for centre in (column, row))
    offsets = (np.arange(WINDOW * SAMPLES) + 0.5) / SAMPLES
    radius = (10 * scales)[:, None]
    x = (((left - column)[:, None] + offsets) / radius).astype("float32")[:, None, :]
    y = (((row - top)[:, None] - offsets) / radius).astype("float32")[:, :, None]
    inside = np.empty((len(classes), WINDOW * SAMPLES, WINDOW * SAMPLES), bool)
    for shape, test in enumerate((_in_square, _in_ellipse, _in_heart)):
        rows = classes == shape
        inside[rows] = test(x[rows], y[rows])
    parts = inside.reshape(-1, WINDOW, SAMPLES, WINDOW, SAMPLES).mean(axis=(2, 4), dtype="float32")
    images = np.zeros((len(classes), SIZE, SIZE), "float32")
    within = np.arange(WINDOW)
    rows, columns = (top[:, None] + within)[:, :, None], (left[:, None] + within)[:, None, :]
    images[np.arange(len(classes))[:, None, None], rows, columns] = parts
    return images


def _in_square(x, y):
    return (np.abs(x) < 0.8) & (np.abs(y) < 0.8)


def _in_ellipse(x, y):
    return x**2 + 4 * y**2 < 1.2


def _in_heart(x, y):
    h2, k = (1.25 * x) ** 2, 1.25 * y + 0.15
    bulk = h2 + k * k - 1
    return bulk * bulk * bulk < h2 * (k * k * k)


def _to_bytes(images):
    return np.round(255 * images).astype("uint8")


def open_sprites(settings):
    """Opens the data set of the card "sprites"."""
    return PoseData(Sprites(), **pool_options(settings))


def open_multi_sprites(settings):
    """Opens the data set of the card "multi-sprites"."""
    return PoseData(MultiSprites(), **pool_options(settings))
