"""Two views of a clip: another sound mixed in, a random resize crop, a random fade. Pure NumPy, from given draws.

After the description of BYOL-A (Niizumi et al. 2021, 2023), except that the mixing comes before standardising: there
the exponential of a log-mel value is an energy. Shapes: x (n, T, F), log-mel frames.
"""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class ViewSettings:
    """How far views may go.

    Attributes:
        mixup: largest share of another sound.
        smallest, largest: height and width of a crop as a share of F and T; the canvas is `largest` T wide.
        fader: largest end of the line that is added, in standard deviations.
    """

    mixup: float = 0.2
    smallest: float = 0.6
    largest: float = 1.5
    fader: float = 1.0


def make_view(x, other, scale, settings, rng):
    """A view of every clip.

    Args:
        x: (n, T, F).
        other: (n, T, F), the sounds to mix in, or None where there are none yet.
        scale: (mean, standard deviation) of the training set's log-mel values.
        settings: `ViewSettings`.
        rng: a NumPy generator, drawn from in a fixed order.

    Returns:
        float32 (n, T, F), in standard units.
    """
    n, frames, bands = x.shape
    share = rng.uniform(0, settings.mixup, n)
    over_time = draw_crop(rng, n, frames, settings.smallest, settings.largest, canvas=settings.largest)
    over_bands = draw_crop(rng, n, bands, settings.smallest, settings.largest, canvas=1.0)
    ends = rng.uniform(-settings.fader, settings.fader, (n, 2))
    x = x if other is None else mix(x, other, share)
    x = (x - np.float32(scale[0])) / np.float32(scale[1])
    return fade(over_time @ x @ over_bands.transpose(0, 2, 1), ends)


def mix(x, other, share):
    """log((1 - a) e^x + a e^m): the energies of two sounds, added. The share a (n,) is at least 0 and below 1."""
    share = share.astype("float32")[:, None, None]
    return np.log((1 - share) * np.exp(x) + share * np.exp(other))


def draw_crop(rng, n, size, smallest, largest, canvas):
    """The matrices (n, size, size) of n random crops along one axis, each resized back to `size`.

    The clip lies in the middle of a canvas of zeros, `canvas` times as long. The length of a crop is drawn from
    `smallest` to `largest` of `size` and held to the canvas, its place is uniform.
    """
    room = int(canvas * size)
    length = np.clip(np.floor(size * rng.uniform(smallest, largest, n)), 1, room).astype(int)
    start = rng.integers(0, room - length + 1)
    return crop_matrix(start - (room - size) // 2, length, size)


def crop_matrix(start, length, size):
    """What takes a clip to its crop: linear interpolation, zero outside the clip, the ends aligned.

    Args:
        start: (n,), first position of the crop, counted from the first of the clip; may be negative.
        length: (n,), positions in the crop, at least 1.
        size: positions of the clip and of the result.

    Returns:
        float32 (n, size, size), R of R x.
    """
    steps = np.linspace(0, 1, size)
    positions = (start[:, None] + steps * (length[:, None] - 1)).astype("float32")
    # A hat around every position: two weights that add up to 1 inside the clip. In place, which takes half the time.
    hat = positions[..., None] - np.arange(size, dtype="float32")
    np.abs(hat, out=hat)
    np.subtract(1, hat, out=hat)
    return np.maximum(hat, 0, out=hat)


def fade(x, ends):
    """x plus a line over time from ends[:, 0] to ends[:, 1]."""
    steps = np.linspace(0, 1, x.shape[1])
    line = ends[:, :1] * (1 - steps) + ends[:, 1:] * steps
    return x + line.astype("float32")[..., None]


def normalise(first, second):
    """Both views together to mean 0 and variance 1."""
    count = first.size + second.size
    mean = (first.sum(dtype="float64") + second.sum(dtype="float64")) / count
    power = (np.square(first).sum(dtype="float64") + np.square(second).sum(dtype="float64")) / count
    deviation = np.float32(np.sqrt(max(power - mean**2, 1e-12)))
    return (first - np.float32(mean)) / deviation, (second - np.float32(mean)) / deviation
