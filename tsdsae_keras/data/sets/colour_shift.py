"""Colour shift: a room with a floor, a wall and an object whose hues change; the outline of the object is the class.

A stand-in for pairs made of 3D Shapes, which it is not. Hues lie in [0, .9] of the colour circle without wrapping
around, so that their changes are R^3 and not a product of circles.
"""

import functools

import numpy as np

from tsdsae_keras.data.sets.pose_pool import PoseData, Scene, pool_options

SIZE, SAMPLES = 64, 4
HORIZON = 30  # row at which the wall meets the floor
MOST_HUE = 0.9
SHAPES = ("cube", "cylinder", "sphere", "capsule")


class ColourShift(Scene):
    """Pose: the hues of floor, wall and object, each in [0, .9]."""

    name, channels, classes, group, dims = "colour-shift", 3, 4, "translate", 3
    units = {"hue (degrees)": ((0, 1, 2), 360)}

    def draw_poses(self, rng, classes):
        return MOST_HUE * rng.random((len(classes), 3))

    def render(self, poses, classes):
        coverage, shade = outlines()
        parts = np.zeros((len(SHAPES), 3, SIZE, SIZE), "float32")  # how much of floor, wall, object a pixel shows
        below = np.arange(SIZE)[:, None] >= HORIZON
        parts[:, 0] = below * (1 - coverage)
        parts[:, 1] = ~below * (1 - coverage)
        parts[:, 2] = shade
        images = np.einsum("npc,nphw->nhwc", saturate(poses), parts[classes])
        return np.round(255 * images).astype("uint8")


def saturate(hues):
    """Red, green and blue (..., 3) of hues in [0, 1], with full saturation and value."""
    away = np.abs(6 * hues[..., None] - np.array([3, 2, 4]))
    rising = away[..., :1] - 1
    return np.clip(np.concatenate([rising, 2 - away[..., 1:]], axis=-1), 0, 1).astype("float32")


@functools.cache
def outlines():
    """Coverage (4, 64, 64) of the four objects, and coverage times their shading."""
    place = (np.arange(SIZE * SAMPLES) + 0.5) / SAMPLES
    x, y = (place - 32)[None, :] / 14, (place - 36)[:, None] / 14  # y down
    inside, shades = zip(*(draw(x, y) for draw in (_cube, _cylinder, _sphere, _capsule)), strict=True)
    inside = np.stack(inside).astype("float32")
    return _average(inside), _average(inside * np.stack(shades).astype("float32"))


def _average(samples):
    return samples.reshape(-1, SIZE, SAMPLES, SIZE, SAMPLES).mean(axis=(2, 4))


def _cube(x, y):
    """Seen from above the edge: two sides and the top, a rhomb."""
    top = np.abs(x) / 0.95 + np.abs(y + 0.5) / 0.45 < 1
    reach = 0.45 * (1 - np.abs(x) / 0.95)
    sides = (np.abs(x) < 0.95) & (y > -0.5) & (y < 0.45 + reach)
    return top | sides, np.where(top, 1.0, np.where(x < 0, 0.8, 0.6)) + 0 * y


def _cylinder(x, y):
    top = x**2 / 0.75**2 + (y + 0.7) ** 2 / 0.25**2 < 1
    body = (np.abs(x) < 0.75) & (y > -0.7) & (y < 0.7 + 0.25 * np.sqrt(np.clip(1 - (x / 0.75) ** 2, 0, None)))
    return top | body, np.where(top, 1.0, _round(x / 0.75))


def _sphere(x, y):
    radius = 0.9
    height = np.sqrt(np.clip(1 - (x**2 + y**2) / radius**2, 0, None))
    return x**2 + y**2 < radius**2, 0.55 + 0.45 * np.clip(0.8 * height - 0.35 * x - 0.45 * y, 0, 1)


def _capsule(x, y):
    away = np.clip(np.abs(y) - 0.5, 0, None)
    return x**2 + away**2 < 0.5**2, _round(x / 0.5) + 0 * y


def _round(x):
    return 0.55 + 0.45 * np.sqrt(np.clip(1 - (np.clip(x, -1, 1) * 0.8 + 0.2) ** 2, 0, None))


def open_colour_shift(settings):
    """Opens the data set of the card "colour-shift"."""
    return PoseData(ColourShift(), **pool_options(settings))
