"""Posterior means of many frames, and what they say of each dimension of z."""

import numpy as np

BLOCK = 256  # frames at a time: pictures are drawn, encoded and dropped
LEAST_KL = 0.01  # nats, of a dimension that is used


def encode_sample(model, data, rng, n):
    """Codes and factors of n frames drawn from data.

    Returns:
        {"mean": (n, z_dim), and with a posterior "log_var"}, factors (n, k).
    """
    encoded, factors = [], []
    for start in range(0, n, BLOCK):
        x, known = data.sample(rng, min(BLOCK, n - start))
        encoded.append(model.encode(x))
        factors.append(known)
    codes = {name: np.concatenate([each[name] for each in encoded]) for name in encoded[0]}
    return codes, np.concatenate(factors)


def kl_of_dimensions(codes):
    """KL[q(z_d | x), N(0, 1)] of each dimension, mean over frames, in nats: (z_dim,)."""
    mean, log_var = codes["mean"], codes["log_var"]
    return 0.5 * (np.square(mean) + np.exp(log_var) - 1 - log_var).mean(axis=0)


def describe(codes):
    """What is known of each dimension, in plain numbers: variance of the means, mean variance, KL, and which are used.

    A model without a posterior has the variance of the codes alone, and a dimension is used where it is above 1e-4.
    """
    variance = codes["mean"].var(axis=0)
    found = {"variance_of_means": variance.tolist()}
    if "log_var" not in codes:
        return found | {"used": int((variance > 1e-4).sum()), "dimensions": len(variance)}
    kl = kl_of_dimensions(codes)
    found |= {"mean_variance": np.exp(codes["log_var"]).mean(axis=0).tolist(), "kl": kl.tolist()}
    return found | {"used": int((kl > LEAST_KL).sum()), "dimensions": len(variance)}
