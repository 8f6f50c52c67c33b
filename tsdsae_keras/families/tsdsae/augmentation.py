"""What training adds at random to what a model hears and says; none of it is in the paper, and 0 adds nothing."""

import math
from functools import partial

from keras import ops, random

from tsdsae_keras import ops as own_ops


def draw_level(model, sample):
    """{"level": a shift of log-mel power (1, 1, 1)}: ln(10) / 10 times a draw from U(-level_db, level_db).

    One for the whole batch. Partners of a swap are rows of one batch, so none is made louder than its partner, and
    neither v nor z must carry a level that the data do not have. Empty where nothing is to be drawn.
    """
    if not (model.level_db and (sample or model.is_given("level"))):
        return {}
    shift = model.draw("level", lambda seed: random.uniform((1, 1, 1), -1.0, 1.0, seed=seed))
    return {"level": model.level_db * math.log(10) / 10 * shift}


def at_level(x, outputs):
    """Log-mel frames x moved by the "level" that was drawn, where one was."""
    return x + outputs["level"] if "level" in outputs else x


def add_noise(model, z, mask, sample):
    """z + s sigma n: s is `z_noise`, n from N(0, I), sigma the deviation of each dimension over valid frames.

    A dimension then tells the decoder log(1 + 1 / s^2) / 2 nats a frame at most.

    Args:
        model: of which z is drawn.
        z: (batch, time, z_dim).
        mask: (batch, time) or None.
        sample: whether noise is drawn; otherwise z is left as it is, unless noise is given.
    """
    if not (model.z_noise and (sample or model.is_given("eps_z_noise"))):
        return z
    # In units of sigma, which passes no gradient: noise of a fixed size would only teach z to be larger.
    mean = ops.mean(model.whole(own_ops.masked_mean(z, mask)), axis=0)
    variance = ops.mean(model.whole(own_ops.masked_mean(ops.square(z - mean), mask)), axis=0)
    noise = model.draw_rows("eps_z_noise", ops.shape(z), partial(random.normal, dtype=z.dtype))
    return z + model.z_noise * ops.stop_gradient(ops.sqrt(variance)) * noise
