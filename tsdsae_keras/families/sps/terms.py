"""Sums that the objective is made of, and the schedule of the fed-back steps."""

import math

from keras import ops

from tsdsae_keras.networks.native import summed_cross_entropy

SLOPE, DELAY = 2200.0, 8000.0  # a and b of the schedule


def cross_entropy(logits, x):
    """BCE(p, x) = sum -[x log p + (1 - x) log(1 - p)] with p = sigmoid(logits)."""
    return summed_cross_entropy(x, logits)


def squared_error(a, b):
    """SE(a, b) = sum (a - b)^2."""
    return ops.sum(ops.square(a - b))


def kl_to_standard_normal(mean, log_var):
    """-1/2 sum(1 + log_var - mean^2 - e^log_var), nats."""
    return -0.5 * ops.sum(1 + log_var - ops.square(mean) - ops.exp(log_var))


def true_code_probability(step):
    """p(step) = a / (a + exp((step + b) / a)): how likely the prior sees a true code in scheduled sampling.

    Written as a sigmoid, which does not overflow in a long run.
    """
    return ops.sigmoid(math.log(SLOPE) - (step + DELAY) / SLOPE)
