"""Negative log-likelihoods of data given what the decoder says, (batch, ...) each: one number an example, (batch,)."""

from keras import ops

from tsdsae_keras.networks.native import binary_cross_entropy


def bernoulli(x, logits, scale=None):
    """Binary cross-entropy, summed; x between 0 and 1."""
    return total(binary_cross_entropy(x, logits))


def gaussian(x, mean, scale):
    """Squared error / (2 scale^2), summed; the constant of the Gaussian is left out."""
    return total(ops.square(x - mean)) / (2 * scale**2)


def total(values):
    """Sum over all axes but the first."""
    return ops.sum(values, axis=tuple(range(1, len(values.shape))))


LIKELIHOODS = {"bernoulli": bernoulli, "gaussian": gaussian}
