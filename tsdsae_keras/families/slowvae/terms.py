"""The terms of the objective: entropies of Gaussians, and cross-entropies with a normal and with a Laplace prior.

Means and log-variances are (frames, z_dim); frames 2i and 2i + 1 are pair i. All in nats. Source: Klindt et al.,
Towards Nonlinear Disentanglement in Natural Data with Temporal Sparse Coding, ICLR 2021, arXiv 2007.10930, and
their code.
"""

import math

from keras import ops

LOG_TWO_PI = math.log(2 * math.pi)
LAPLACE_FLOOR = math.log(2) + 0.5 - math.log(math.pi)  # least of laplace_cross_entropy - entropy, at s sqrt(pi/2) / lam


def entropy(log_var):
    """H = 1/2 (log s^2 + log 2 pi e), elementwise."""
    return 0.5 * (log_var + LOG_TWO_PI + 1.0)


def normal_cross_entropy(mean, log_var):
    """E[-log N(z; 0, 1)] = 1/2 (m^2 + s^2 + log 2 pi), elementwise."""
    return 0.5 * (ops.square(mean) + ops.exp(log_var) + LOG_TWO_PI)


def laplace_cross_entropy(difference, log_var, rate):
    """E[-log Laplace(z; 0, 1 / lam)] for z ~ N(d, s^2), elementwise:

    -log(lam / 2) + lam s sqrt(2 / pi) exp(-d^2 / 2 s^2) + lam d erf(d / (s sqrt 2)).

    Args:
        difference: d.
        log_var: log s^2.
        rate: lam, above 0.
    """
    s = ops.exp(0.5 * log_var)
    # For sharp posteriors d / s is large; exp then underflows to 0 and erf saturates, and both gradients stay finite.
    ratio = difference / s
    within = math.sqrt(2 / math.pi) * s * ops.exp(-0.5 * ops.square(ratio))
    return rate * (within + difference * ops.erf(ratio * math.sqrt(0.5))) - math.log(rate / 2)


def pairs(values):
    """(frames, ...) as (pairs, 2, ...)."""
    return ops.reshape(values, (-1, 2, *values.shape[1:]))


def transition_cross_entropy(mean, log_var, rate):
    """`laplace_cross_entropy` of every frame, given the mean of the other frame of its pair: (pairs, 2, z_dim)."""
    mean = pairs(mean)
    # It is even in d, so one difference serves both frames.
    return laplace_cross_entropy(mean[:, :1] - mean[:, 1:], pairs(log_var), rate)


def sum_mean(values):
    """Sum over the last axis, mean over all others."""
    return ops.mean(ops.sum(values, axis=-1))
