"""Videos of a bouncing ball: uniform motion along x and z, bounces along y, seen by one fixed camera.

Physics: gravity 10; the centre bounces at y = 0 and keeps 0.9 of its speed. Frames are 0.2 s apart, the first at the
start. A start is in one of three cells, equally likely, and uniform within; a trajectory is dropped where the ball
cannot be seen in some frame. (Liu et al., NeurIPS 2023; numbers from the authors' code.)
"""

import numpy as np

from tsdsae_keras.data.sets.ball_render import GREEN, is_visible, render
from tsdsae_keras.data.sets.frame_sequences import SPLITS, FrameSequences

GRAVITY, KEPT, STEP = 10.0, 0.9, 0.2
HEIGHT, RISE = 1.0, 8.0  # of the start, and its greatest speed up or down
CELLS = np.array(  # x, z, v_x, v_z: (low, high) of each
    [
        [(-3, -1.5), (0, 3), (0.2, 2), (0.2, 3)],
        [(-1.5, 1.5), (0, 2), (-1, 1), (0, 3)],
        [(1.5, 3), (0, 3), (-2, -0.2), (0.2, 3)],
    ]
)
SEVEN = np.array(  # the corners of the cube of colours that are neither black nor the grey of the background
    [(r, g, b) for r in (0.05, 0.9) for g in (0.05, 0.9) for b in (0.05, 0.9) if max(r, g, b) > 0.5]
)


def open_balls(settings):
    """The videos of `cards.ball.BallSettings`, drawn in memory: about a second for 100 trajectories."""
    counts = {split: settings.trajectories if split == "train" else settings.test_trajectories for split in SPLITS}
    x, labels = {}, {}
    for place, split in enumerate(SPLITS):
        rng = np.random.default_rng((settings.data_seed, place))
        labels[split] = throw(rng, counts[split], settings.frames, coloured=settings.colours != "green")
        colour = draw_colours(rng, counts[split], settings.colours)
        x[split] = render(labels[split], colour[:, None])
    identity = f"ball 1 {counts} {settings.frames} {settings.colours} {settings.data_seed}"
    return FrameSequences("video", x, labels, ("x", "y", "z"), identity)


def throw(rng, n, frames, coloured=False):
    """n trajectories (n, frames, 3) of a ball that is visible in every frame."""
    kept = np.zeros((0, frames, 3))
    while len(kept) < n:
        path = trajectories(draw_starts(rng, n, coloured), frames)
        kept = np.concatenate([kept, path[is_visible(path).all(axis=1)]])
    return kept[:n].round(3)


def draw_starts(rng, n, coloured=False):
    """Start positions and velocities (n, 6): x, y, z, v_x, v_y, v_z. Coloured balls start between heights .2 and 3."""
    low, high = np.moveaxis(CELLS[rng.integers(3, size=n)], -1, 0)
    x, z, v_x, v_z = rng.uniform(low, high).T
    y = rng.uniform(0.2, 3.0, n) if coloured else np.full(n, HEIGHT)
    return np.stack([x, y, z, v_x, rng.uniform(-RISE, RISE, n), v_z], axis=-1)


def draw_colours(rng, n, kind):
    """Colours (n, 3) of balls: "green", one of "seven", or "continuous"."""
    if kind == "green":
        return np.tile(GREEN, (n, 1))
    return SEVEN[rng.integers(len(SEVEN), size=n)] if kind == "seven" else rng.uniform(0.05, 0.9, (n, 3))


def trajectories(starts, frames):
    """Positions (n, frames, 3) from starts (n, 6): exact between bounces.

    The ball reaches y = 0 with the same speed that it left it with, so every bounce takes 0.9 of the last one's time:
    with v the speed after the first bounce, bounce k lies v (1 - 0.9^k) / (1 - 0.9) * 2 / g after it.
    """
    starts = np.asarray(starts, "float64")
    time = STEP * np.arange(frames)
    x, z = (starts[:, [axis]] + starts[:, [axis + 3]] * time for axis in (0, 2))
    return np.stack([x, _heights(starts[:, [1]], starts[:, [4]], time), z], axis=-1)


def _heights(y, v, time):
    impact = np.sqrt(v**2 + 2 * GRAVITY * y)  # speed at the first bounce
    first = (v + impact) / GRAVITY
    before = y + v * time - GRAVITY / 2 * time**2
    since = np.maximum(time - first, 0)
    # How many bounces have come after the first: the sum of a geometric series, solved for its length.
    duration = 2 * KEPT * impact / GRAVITY
    passed = np.maximum(1 - since * (1 - KEPT) / duration, 1e-12)
    k = np.floor(np.log(passed) / np.log(KEPT) + 1e-9)
    local = since - duration * (1 - KEPT**k) / (1 - KEPT)
    after = KEPT ** (k + 1) * impact * local - GRAVITY / 2 * local**2
    return np.where(time < first, before, np.maximum(after, 0))
