"""What training adds at random to what a model hears and says; none of it is in the paper, and 0 adds nothing."""

import math

from keras import ops, random

from tsdsae_keras import ops as own_ops


def draw_level(decibels, draw):
    """A level shift of log-mel power, ln(10) / 10 times a draw from U(-decibels, decibels): (1, 1, 1).

    One for the whole batch. Partners of a swap are rows of one batch, so none is made louder than its partner, and
    neither v nor z must carry a level that the data do not have.
    """
    shift = draw("level", lambda seed: random.uniform((1, 1, 1), -1.0, 1.0, seed=seed))
    return decibels * math.log(10) / 10 * shift


def add_noise(z, mask, share, draw):
    """z + share sigma n: n from N(0, I), sigma the standard deviation of each dimension over the batch's valid frames.

    Args:
        z: (batch, time, dim).
        mask: (batch, time) or None.
        share: s. A dimension then carries at most log(1 + 1 / s^2) / 2 nats a frame.
        draw: function of a name and of what is drawn, see `RepresentationModel.draw`.
    """
    # In units of sigma, which passes no gradient: noise of a fixed size would only teach z to be larger.
    mean = ops.mean(own_ops.masked_mean(z, mask), axis=0)
    variance = ops.mean(own_ops.masked_mean(ops.square(z - mean), mask), axis=0)
    noise = draw("eps_z_noise", lambda seed: random.normal(ops.shape(z), dtype=z.dtype, seed=seed))
    return z + share * ops.stop_gradient(ops.sqrt(variance)) * noise
