"""dSprites, re-rendered: the pictures of the published data set, drawn on demand.

The geometry was measured on the frames in the README of github google-deepmind/dsprites-dataset (Apache-2.0; Matthey,
Higgins, Hassabis, Lerchner, dSprites, 2017, drawn with LOVE). Of its 273 different frames, 263 are equal bit for bit
and 20 pixels differ in all. Scales below 1 were seen at orientation 0 and position (0, 0) only.
"""

import numpy as np

from tsdsae_keras.data.sets.transitions import Grid

GRID = Grid(("shape", "scale", "orientation", "x", "y"), (3, 6, 40, 32, 32), categorical=("shape",))
SHAPES = ("square", "ellipse", "heart")
SIDE = 64
WINDOW, REACH = 29, 14  # pixels that can be on around the centre: no outline is wider than 13.6 from it
HALF = 9.6  # of the square's side at scale 1, in pixels; the heart is as wide


def _ellipse():
    """Half the outline: |v| at |u|, a polygon of 64 vertices at equal parameter."""
    t = 2 * np.pi * np.arange(17) / 64
    return 12.78 * np.cos(t)[::-1], 7.22 * np.sin(t)[::-1]


def _heart():
    """The outline's right half as two chains, v at u: its upper and its lower edge, of a polygon of 176 vertices."""
    t = 2 * np.pi * np.arange(89) / 176
    u = HALF * np.sin(t) ** 3
    height = (13 * np.cos(t) - 5 * np.cos(2 * t) - 2 * np.cos(3 * t) - np.cos(4 * t)) / 29
    v = -2 * HALF * (height + 0.075)
    return (u[:45], v[:45]), (u[44:][::-1], v[44:][::-1])


ELLIPSE = _ellipse()
UPPER, LOWER = _heart()


def _in_square(u, v):
    return (np.abs(u) < HALF) & (np.abs(v) < HALF)


def _in_ellipse(u, v):
    return np.abs(v) < np.interp(np.abs(u), *ELLIPSE, right=-1)


def _in_heart(u, v):
    u = np.abs(u)
    return (np.interp(u, *UPPER, right=np.inf) < v) & (v < np.interp(u, *LOWER, right=-np.inf))


INSIDE = (_in_square, _in_ellipse, _in_heart)


def render(factors):
    """The frames of class indices (n, 5), in the order of `GRID`: (n, 64, 64, 1) float32, 0 or 1.

    A pixel is on where its centre is inside the outline. Orientation turns counter-clockwise on the screen, x grows to
    the right and y downwards; the last orientation is the first again.
    """
    shape, scale, orientation, x, y = np.asarray(factors).T
    angle, size = 2 * np.pi * (orientation % 39) / 39, 0.5 + 0.1 * scale
    centre = 16 + 32 * np.stack([x, y]) / 31
    corner = np.floor(centre).astype(int) - REACH
    place = corner[..., None] + np.arange(WINDOW)  # columns and rows of the window, (2, n, 29)
    p, q = place + 0.5 - centre[..., None]
    cos, sin = ((part / size)[:, None, None] for part in (np.cos(angle), np.sin(angle)))
    p, q = p[:, None, :], q[:, :, None]
    u, v = p * cos - q * sin, p * sin + q * cos
    inside = np.empty(u.shape, bool)
    for kind, is_inside in enumerate(INSIDE):
        rows = shape == kind
        inside[rows] = is_inside(u[rows], v[rows])
    images = np.zeros((len(shape), SIDE, SIDE, 1), "float32")
    columns, lines = place
    images[np.arange(len(shape))[:, None, None], lines[:, :, None], columns[:, None, :], 0] = inside
    return images
