"""Divergence of Gaussians, for numpy arrays; `tsdsae_keras.ops.gaussian_kl` is that of tensors."""

import numpy as np


def gaussian_kl(mean, log_var, other_mean, other_log_var):
    """KL[N(mean, e^log_var), N(other_mean, e^other_log_var)], elementwise, in nats and float64."""
    given = (np.asarray(value, "float64") for value in (mean, log_var, other_mean, other_log_var))
    mean, log_var, other_mean, other_log_var = given
    ratio = (np.exp(log_var) + np.square(mean - other_mean)) * np.exp(-other_log_var)
    return 0.5 * (other_log_var - log_var + ratio - 1.0)
