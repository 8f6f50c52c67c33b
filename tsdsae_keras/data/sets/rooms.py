"""Rooms: the view of a camera in one of two rectangular rooms that looks along its yaw. Ray cast.

Walls one unit high with six panels of random colours each, darker with distance; a flat floor and ceiling; the eye at
half the height, a view of 90 degrees.
"""

import numpy as np

from tsdsae_keras.data.sets.pose_pool import PoseData, Scene, pool_options

SIZE, SAMPLES = 64, 4
ROOMS = ((4.0, 3.0), (3.0, 5.0))  # lengths along x and y
PANELS, MARGIN, EYE = 6, 0.3, 0.5
FLOOR, CEILING = np.array([0.35, 0.30, 0.25], "float32"), np.array([0.75, 0.78, 0.82], "float32")


class Rooms(Scene):
    """Pose: x, y, yaw (radians). The centre of a room is the origin.

    Args:
        frame: "global", actions are differences of poses; or "local", the change of position is seen from the camera.
        paint: seed of the colours of the panels.
    """

    name, channels, classes, group, dims = "rooms", 3, 2, "isometries_2d", 3
    units, shares_poses = {"place (wall heights)": ((0, 1), 1), "angle (degrees)": None}, False

    def __init__(self, frame="global", paint=0):
        self.frame, self.paint = frame, paint
        self.group = "isometries_2d" if frame == "global" else "isometries_2d_local"
        self._panels = [np.random.default_rng((paint, room)).uniform(0.15, 1, (4 * PANELS, 3)) for room in range(2)]

    def draw_poses(self, rng, classes):
        reach = np.array(ROOMS)[classes] / 2 - MARGIN
        return rng.uniform(-1, 1, (len(classes), 3)) * np.concatenate(
            [reach, np.full((len(classes), 1), np.pi)], axis=1
        )

    def relative(self, first, second):
        change = second - first
        if self.frame == "local":
            c, s = np.cos(first[:, 2]), np.sin(first[:, 2])
            x, y = change[:, 0], change[:, 1]
            change = np.stack([c * x + s * y, c * y - s * x, change[:, 2]], axis=1)
        return change

    def render(self, poses, classes):
        images = np.zeros((len(poses), SIZE, SIZE, 3), "uint8")
        for room in range(2):
            rows = classes == room
            images[rows] = view(poses[rows], ROOMS[room], self._panels[room].astype("float32"))
        return images


def view(poses, room, panels):
    """Images (n, 64, 64, 3) uint8 of a room from poses (n, 3).

    Args:
        room: its lengths along x and y.
        panels: colours (24, 3), six a wall; walls at +x, +y, -x, -y.
    """
    right = ((np.arange(SIZE * SAMPLES) + 0.5) / SAMPLES - SIZE / 2) / (SIZE / 2)
    c, s = np.cos(poses[:, 2:]), np.sin(poses[:, 2:])
    # The ray of a column, of length 1 along the line of sight, so that its factor is the depth of what it meets.
    ray_x, ray_y = c + s * right, s - c * right
    x, y = poses[:, :1], poses[:, 1:2]
    to_x = (np.copysign(room[0] / 2, ray_x) - x) / np.where(ray_x == 0, 1e-9, ray_x)
    to_y = (np.copysign(room[1] / 2, ray_y) - y) / np.where(ray_y == 0, 1e-9, ray_y)
    meets_x, depth = to_x < to_y, np.minimum(to_x, to_y)
    along = np.where(meets_x, (y + depth * ray_y) / room[1], (x + depth * ray_x) / room[0]) + 0.5
    wall = np.where(meets_x, np.where(ray_x > 0, 0, 2), np.where(ray_y > 0, 1, 3))
    panel = wall * PANELS + np.clip((along * PANELS).astype(int), 0, PANELS - 1)
    distance = depth * np.sqrt(1 + right**2)
    colours = panels[panel] / (1 + 0.15 * distance[..., None])
    half = EYE / depth * (SIZE / 2)  # rows from the horizon to the ends of the wall
    edges = np.arange(SIZE + 1)[:, None] - SIZE / 2
    reach = np.clip(edges, -half[:, None], half[:, None])
    covered = (reach[:, 1:] - reach[:, :-1]).astype("float32")  # how much of a pixel the wall fills
    beyond = np.where((np.arange(SIZE) < SIZE / 2)[:, None], CEILING, FLOOR)[None, :, None]
    # The mean over the samples of a pixel, of the wall and of what lies beyond it, which is one colour.
    covered = covered.reshape(len(poses), SIZE, SIZE, SAMPLES)
    colours = colours.reshape(len(poses), 1, SIZE, SAMPLES, 3).astype("float32")
    walls = sum(covered[..., i, None] * colours[..., i, :] for i in range(SAMPLES)) / SAMPLES
    return np.round(255 * (walls + (1 - covered.mean(axis=3, keepdims=True)) * beyond)).astype("uint8")


def open_rooms(settings):
    """Opens the data set of the card "rooms"."""
    return PoseData(Rooms(settings.frame, settings.paint), **pool_options(settings))
