"""A ray caster for one ball over a grid of lines: 32 x 32 pictures, each pixel the mean of 10 x 10.

Camera: eye (0, 4, 2), looking at (0, 0, -5), up y; a square frustum of half-width 0.8 at distance 1, near 1, far 15. A
ball at (x, y, z) is at (x, y, -z) of the world. Its light, (0, 1, 4) / sqrt(17), moves with the camera. Pictures
differ from those of the authors' OpenGL by 0.4 of 255 on average.
"""

import functools

import numpy as np

SIZE, BLOCK = 32, 10
FINE = SIZE * BLOCK
HALF_WIDTH, NEAR, FAR = 0.8, 1.0, 15.0
RADIUS = 0.5
GREEN = np.array([0.05, 0.9, 0.05])
GREY = 0.4
AMBIENT = 0.2
LIGHT = np.array([0.0, 1.0, 4.0]) / np.sqrt(17)  # right, up, towards the viewer
SEEN = 0.5  # a ball is in view where a channel of a pixel reaches this; the background never does
_ROOT = np.sqrt(65)


def eye_coordinates(position):
    """Right, up and depth, (..., 3), of positions (..., 3) as seen by the camera."""
    x, y, z = np.moveaxis(np.asarray(position, "float64"), -1, 0)
    depth = (-4 * (y - 4) + 7 * (z + 2)) / _ROOT
    up = (7 * (y - 4) + 4 * (z + 2)) / _ROOT
    return np.stack([x, up, depth], axis=-1)


def project(position):
    """Column and row, (..., 2), in the 32 x 32 picture, origin at its top left corner."""
    right, up, depth = np.moveaxis(eye_coordinates(position), -1, 0)
    centre = SIZE / 2
    return np.stack([centre * (1 + right / (HALF_WIDTH * depth)), centre * (1 - up / (HALF_WIDTH * depth))], axis=-1)


def render(position, colour=GREEN):
    """Pictures (..., 32, 32, 3) uint8 of balls at positions (..., 3).

    Args:
        position: x, y, z.
        colour: (3,), or (..., 3) for each ball its own; between 0 and 1.
    """
    position = np.asarray(position, "float64")
    flat = position.reshape(-1, 3)
    colours = np.broadcast_to(colour, position.shape).reshape(-1, 3)
    pictures = np.stack([_picture(eye, own) for eye, own in zip(eye_coordinates(flat), colours, strict=True)])
    return pictures.reshape(*position.shape[:-1], SIZE, SIZE, 3)


def is_visible(position):
    """Whether the ball at positions (..., 3) is bright enough in some pixel of its picture to be seen."""
    position = np.asarray(position, "float64")
    eyes = eye_coordinates(position.reshape(-1, 3))
    place = project(position).reshape(-1, 2)
    # Most balls are plainly in the picture, several pixels wide, or plainly beyond the far plane; others are drawn.
    inside = ((place > 1) & (place < SIZE - 1)).all(axis=1)
    plain = inside & (eyes[:, 2] > NEAR + 2 * RADIUS) & (eyes[:, 2] < FAR / 2)
    hidden = eyes[:, 2] > FAR + RADIUS
    bright = [not dark and (sure or _is_bright(eye)) for eye, sure, dark in zip(eyes, plain, hidden, strict=True)]
    return np.array(bright).reshape(position.shape[:-1])


def _is_bright(eye):
    return bool(_picture(eye, GREEN).max() >= SEEN * 255)


@functools.lru_cache(maxsize=1)
def background():
    """The empty scene, (320, 320, 3), values of 255: black lines on the plane y = -0.5, at even x and even depths."""
    picture = np.full((FINE, FINE, 3), round(GREY * 255), "float32")
    for at in range(-100, 101, 2):
        for ends in (((at, -100), (at, 100)), ((-100, at), (100, at))):
            _draw_line(picture, *ends)
    return picture


@functools.lru_cache(maxsize=1)
def _coarse_background():
    return _blocks(background())


def _blocks(picture):
    """Means of 10 x 10 pixels."""
    rows, columns = picture.shape[0] // BLOCK, picture.shape[1] // BLOCK
    return picture.reshape(rows, BLOCK, columns, BLOCK, 3).mean(axis=(1, 3))


def _draw_line(picture, start, end):
    """A line of the floor between two points (x, world z), clipped by near and far plane, 3 pixels wide."""
    points = eye_coordinates([(x, -0.5, -z) for x, z in (start, end)])
    points = _clip(points)
    if points is None:
        return
    pixel = FINE / 2 * (1 + points[:, :2] * (1, -1) / (HALF_WIDTH * points[:, 2:]))
    major = int(np.argmax(np.abs(pixel[1] - pixel[0])))  # 0: columns, 1: rows
    (a, b), (c, d) = sorted(pixel[:, [major, 1 - major]].tolist())
    if a == c:
        return
    along = np.arange(max(0, int(np.ceil(a - 0.5))), min(FINE, int(np.ceil(c - 0.5))))
    across = np.floor(b + (along + 0.5 - a) * (d - b) / (c - a)).astype(int)
    for shift in (-1, 0, 1):
        inside = (across + shift >= 0) & (across + shift < FINE)
        lines, others = along[inside], (across + shift)[inside]
        picture[(others, lines) if major == 0 else (lines, others)] = 0


def _clip(points):
    """The part of a segment between near and far plane, in eye coordinates, or None."""
    (p, q), low, high = points, 0.0, 1.0
    change = q[2] - p[2]
    for bound, sign in ((NEAR, 1), (FAR, -1)):
        room, slope = sign * (p[2] - bound), sign * change
        if slope == 0:
            if room < 0:
                return None
        elif slope > 0:
            low = max(low, -room / slope)
        else:
            high = min(high, -room / slope)
    return None if low >= high else np.stack([p + low * (q - p), p + high * (q - p)])


def _picture(centre, colour):
    """One picture (32, 32, 3) uint8 of a ball at eye coordinates."""
    coarse = _coarse_background().copy()
    box = _box(centre)
    if box is not None:
        (top, bottom), (left, right) = box
        fine = background()[top * BLOCK : bottom * BLOCK, left * BLOCK : right * BLOCK].copy()
        _cast(fine, top * BLOCK, left * BLOCK, centre, colour)
        coarse[top:bottom, left:right] = _blocks(fine)
    return np.uint8(np.rint(coarse))


def _box(centre):
    """((top, bottom), (left, right)) of the 32 x 32 pixels that the ball can touch, or None."""
    if centre[2] - RADIUS <= NEAR / 2:
        whole = (0, SIZE)
        return (whole, whole) if centre[2] + RADIUS > NEAR else None
    ranges = []
    for value, sign in ((centre[1], -1), (centre[0], 1)):
        # The outline of a sphere: its tangents from the eye, in the plane of this axis and depth.
        angle, half = np.arctan2(value, centre[2]), np.arcsin(min(1.0, RADIUS / np.hypot(value, centre[2])))
        edges = [SIZE / 2 * (1 + sign * np.tan(angle + turn) / HALF_WIDTH) for turn in (-half, half)]
        low, high = max(0, int(np.floor(min(edges)))), min(SIZE, int(np.ceil(max(edges))))
        if low >= high:
            return None
        ranges.append((low, high))
    return tuple(ranges)


def _cast(fine, top, left, centre, colour):
    """Draws the ball into a part of the fine picture whose corner is at (top, left)."""
    rows, columns = fine.shape[:2]
    # A ray through the middle of a pixel is t (right, up, 1); t is the depth.
    up = HALF_WIDTH * (1 - (top + np.arange(rows) + 0.5) * 2 / FINE)[:, None]
    right = HALF_WIDTH * ((left + np.arange(columns) + 0.5) * 2 / FINE - 1)[None]
    squared = right**2 + up**2 + 1
    along = right * centre[0] + up * centre[1] + centre[2]
    inside = along**2 - squared * (centre @ centre - RADIUS**2)
    depth = (along - np.sqrt(np.maximum(inside, 0))) / squared
    hit = (inside > 0) & (depth > NEAR) & (depth < FAR)
    normal_up = (up * depth - centre[1]) / RADIUS
    normal_back = (centre[2] - depth) / RADIUS
    shade = AMBIENT + np.maximum(0, normal_up * LIGHT[1] + normal_back * LIGHT[2])
    pixels = np.rint(255 * np.minimum(1, shade[..., None] * colour))
    fine[hit] = pixels[hit]
