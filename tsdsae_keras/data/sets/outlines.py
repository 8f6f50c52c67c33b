"""Filled outlines, drawn on a fine canvas and brought down to the frame, so that their edges are grey.

Outlines are (vertices, 2), x to the right and y upwards, of area 1 around the origin; see `draw`.
"""

import numpy as np

SIDE = 64
FINE = 320  # side of the canvas that is brought down
MARGIN = 4  # pixels that the filter reaches


def polygon(n, start):
    """The regular polygon of n vertices, the first at an angle `start`."""
    angle = start + 2 * np.pi * np.arange(n) / n
    return _at(angle) / np.sqrt(n * np.sin(np.pi / n) * np.cos(np.pi / n))


def star_4():
    """The star of four points."""
    place = np.arange(8) // 2 + 0.5 * (np.arange(8) % 2)
    radius = 1 + np.arange(8) % 2
    return radius[:, None] * _at(place * np.pi / 2 + np.pi / 4) / np.sqrt(8 * np.sin(np.pi / 4))


def spoke_4():
    """A cross of four arms."""
    corners = []
    for arm in range(4):
        angle = arm * np.pi / 2 + np.pi / 4
        corners += [_at(angle) + _at(angle - np.pi / 4), _at(angle), _at(angle) + _at(angle + np.pi / 4)]
    return np.stack(corners) / np.sqrt(4 * np.sin(np.pi / 4) * (2 + np.cos(np.pi / 4)))


def pedestrian():
    """A standing figure: head, shoulders, legs."""
    head = 0.16 * _at(np.linspace(-0.4 * np.pi, 1.4 * np.pi, 12)) + [0, 0.8]
    left = np.array([[-0.08, 0.62], [-0.27, 0.55], [-0.3, 0.05], [-0.2, 0.0], [-0.2, -0.9], [-0.06, -0.9], [0, -0.15]])
    right = left[::-1] * [-1, 1]
    corners = np.concatenate([head, left, right[1:]])
    return corners / np.sqrt(area(corners))


def area(corners):
    """The area inside an outline."""
    x, y = corners.T
    return abs(np.sum(x * np.roll(y, -1) - y * np.roll(x, -1))) / 2


def _at(angle):
    return np.stack([np.cos(angle), np.sin(angle)], axis=-1)


def draw(outlines):
    """Frames of one filled outline each, with grey edges: (n, 64, 64, 1) float32, 1 inside and 0 outside.

    Args:
        outlines: a list of (vertices, 2) in units of the frame, x to the right and y upwards, (0, 0) bottom left.
    """
    from PIL import Image

    frames = np.zeros((len(outlines), SIDE, SIDE, 1), "float32")
    for frame, corners in zip(frames, outlines, strict=True):
        # Only the outline's surroundings, which the filter reaches, are filled and brought down.
        low = np.floor(corners.min(axis=0) * SIDE).astype(int) - MARGIN
        high = np.ceil(corners.max(axis=0) * SIDE).astype(int) + MARGIN
        (left, bottom), (right, top) = np.clip([low, high], 0, SIDE)
        if left < right and bottom < top:
            canvas = _fill(corners, left, SIDE - top, right - left, top - bottom, FINE // SIDE)
            small = canvas.resize((right - left, top - bottom), Image.Resampling.LANCZOS)
            frame[SIDE - top : SIDE - bottom, left:right, 0] = np.asarray(small, "float32") / 255
    return frames


def draw_sharp(outlines):
    """As `draw`, without grey: 1 where the centre of a pixel is inside, about."""
    frames = [np.asarray(_fill(corners, 0, 0, SIDE, SIDE, 1)) for corners in outlines]
    return (np.stack(frames)[..., None] > 0).astype("float32")


def _fill(corners, left, upper, width, height, fine):
    """A filled outline on a canvas of part of the frame, `fine` pixels a pixel of the frame."""
    from PIL import Image, ImageDraw

    canvas = Image.new("L", (int(width * fine), int(height * fine)))
    points = np.stack([corners[:, 0], 1 - corners[:, 1]], axis=1) * SIDE - [left, upper]
    points = points * fine - 0.5  # PIL counts from the centres of pixels
    ImageDraw.Draw(canvas).polygon(points.ravel().tolist(), fill=255)
    return canvas


def place(outline, x, y, size, angle=0.0):
    """An outline scaled, turned counter-clockwise by `angle`, and moved to (x, y)."""
    cos, sin = np.cos(angle), np.sin(angle)
    return size * outline @ np.array([[cos, sin], [-sin, cos]]) + [x, y]
