"""Filled outlines, drawn on a fine canvas and brought down to the frame, so that their edges are grey.

Outlines are (vertices, 2), x to the right and y upwards, of area 1 around the origin; see `draw`.
"""

import math

import numpy as np

SIDE = 64
FINE = 5  # pixels of the canvas that is brought down to a pixel of the frame
LOBES = 3  # of the filter on either side, in pixels of the frame
MARGIN = 4  # pixels around an outline that the filter reaches
BLOCK = 12  # lines that are filtered at a time


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


def lanczos():
    """The weights (64, 320) of the Lanczos filter that brings a line of the canvas down to one of the frame."""
    centre = np.arange(SIDE)[:, None] + 0.5
    apart = (np.arange(FINE * SIDE) + 0.5) / FINE - centre
    weights = np.where(np.abs(apart) < LOBES, np.sinc(apart) * np.sinc(apart / LOBES), 0.0)
    return (weights / weights.sum(axis=1, keepdims=True)).astype("float32")


WEIGHTS = lanczos()


def draw(outlines, channels=1):
    """Frames of one filled outline each, with grey edges: (n, 64, 64, channels) float32, 1 inside and 0 outside.

    Args:
        outlines: a list of (vertices, 2) in units of the frame, x to the right and y upwards, (0, 0) bottom left.
        channels: equal ones.
    """
    frames = np.zeros((len(outlines), SIDE, SIDE, channels), "float32")
    memory = np.empty((FINE * SIDE) ** 2, "float32")  # of one canvas after the other: new memory is slow
    for frame, corners in zip(frames, outlines, strict=True):
        # Only the outline's surroundings, which the filter reaches, are filled and brought down.
        (left, bottom), (right, top) = corners.min(axis=0).tolist(), corners.max(axis=0).tolist()
        columns, rows = _reach(left, right), _reach(1 - top, 1 - bottom)
        if columns.start < columns.stop and rows.start < rows.stop:
            size = columns.stop - columns.start, rows.stop - rows.start
            canvas = np.asarray(_fill(corners, columns.start, rows.start, *size, FINE))
            numbers = memory[: canvas.size].reshape(canvas.shape)
            numbers[:] = canvas
            frame[rows, columns] = _bring_down(numbers, rows, columns)[..., None]
    return frames


def _reach(low, high):
    """The lines of the frame on which something between two of its places, from 0 to 1, is seen."""
    return slice(max(0, math.floor(low * SIDE) - MARGIN), min(SIDE, math.ceil(high * SIDE) + MARGIN))


def _bring_down(canvas, rows, columns):
    """The part of the frame at some rows and columns whose canvas, 0 or 1, is given.

    As a picture library resizes: clipped after either direction, at last rounded to 1 / 255.
    """
    down = np.clip(_filter(canvas, rows), 0, 1)  # first this way: a product wants the lines of its right factor whole
    return np.rint(255 * np.clip(_filter(down.T, columns), 0, 1)).T / 255


def _filter(lines, part):
    """Lines of the canvas (5 n, m) as the n lines of `part` of the frame: a product for every few of them.

    The filter reaches three lines of the frame, so most of one large product would be with zeros; and small ones stay
    in their thread, where a library would split a large one among threads that training needs.
    """
    found = []
    for start in range(part.start, part.stop, BLOCK):
        stop = min(start + BLOCK, part.stop)
        low, high = FINE * max(start - LOBES, part.start), FINE * min(stop + LOBES, part.stop)
        found.append(WEIGHTS[start:stop, low:high] @ lines[low - FINE * part.start : high - FINE * part.start])
    return np.concatenate(found)


def draw_sharp(outlines):
    """As `draw`, without grey: 1 where the centre of a pixel is inside, about."""
    frames = [np.asarray(_fill(corners, 0, 0, SIDE, SIDE, 1)) for corners in outlines]
    return (np.stack(frames)[..., None] > 0).astype("float32")


def _fill(corners, left, upper, width, height, fine):
    """A filled outline on a canvas of part of the frame, `fine` pixels a pixel of the frame."""
    from PIL import Image, ImageDraw

    canvas = Image.new("L", (int(width * fine), int(height * fine)))
    size = fine * SIDE
    # PIL counts from the centres of pixels, and downwards.
    points = corners * (size, -size) + (-fine * left - 0.5, size - fine * upper - 0.5)
    ImageDraw.Draw(canvas).polygon(points.ravel().tolist(), fill=1)
    return canvas


def place(outline, x, y, size, angle=0.0):
    """An outline scaled, turned counter-clockwise by `angle`, and moved to (x, y)."""
    cos, sin = np.cos(angle), np.sin(angle)
    return size * outline @ np.array([[cos, sin], [-sin, cos]]) + [x, y]
