"""Steps of natural transitions: generalised normal laws exp(-|x / s|^b), as fitted by Klindt et al., ICLR 2021.

The fits are of centres and areas of object masks in pixels of a 64-pixel frame. Steps drawn here are independent of one
another and of where the object is: only their heavy tails are natural.
"""

import numpy as np

# {factor: (b, loc, s)}
SPRITES = {"x": (0.515, 0.0, 0.257), "y": (0.548, 0.0, 0.308), "area": (0.444, 0.0, 5.04)}  # YouTube-VOS, n = 234,652
MASKS = {"y": (0.694, 0.010, 0.232), "x": (0.587, 0.048, 0.169), "area": (0.455, 1.0, 1.01)}  # KITTI-MOTS, n = 82,506


def draw_steps(law, rng, size):
    """Steps by a law (b, loc, s), in an array of a size."""
    b, loc, scale = law
    # |x / s|^b follows a gamma law of shape 1 / b.
    return loc + scale * rng.choice([-1.0, 1.0], size) * rng.gamma(1 / b, size=size) ** (1 / b)


def walk(start, steps, low, high):
    """Where steps lead, reflected at the ends of a range, so that nothing piles up there."""
    span = high - low
    place = np.abs(np.mod(start + steps - low, 2 * span))
    return low + np.where(place > span, 2 * span - place, place)
