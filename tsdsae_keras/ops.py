"""Pure functions on tensors: the Gaussian arithmetic of the objective, written once for all backends.

Shapes: v (batch, dim), z (batch, time, dim), x (batch, time, features), mask (batch, time), true where valid.
"""

from keras import ops, random


def gaussian_kl(mean, log_var, other_mean, other_log_var):
    """KL[N(mean, e^log_var), N(other_mean, e^other_log_var)], elementwise, in nats."""
    ratio = (ops.exp(log_var) + ops.square(mean - other_mean)) * ops.exp(-other_log_var)
    return 0.5 * (other_log_var - log_var + ratio - 1.0)


def masked_sum(values, mask=None):
    """Sum over valid frames: (batch, time, dim) -> (batch, dim)."""
    return ops.sum(zero_padding(values, mask), axis=1)


def masked_mean(values, mask=None):
    """Mean over valid frames: (batch, time, dim) -> (batch, dim); zero where a sequence has none."""
    if mask is None:
        return ops.mean(values, axis=1)
    valid = ops.sum(ops.cast(mask, values.dtype), axis=1, keepdims=True)
    return masked_sum(values, mask) / ops.maximum(valid, 1.0)


def zero_padding(values, mask=None):
    """Zero in every frame that is padding, whatever was there (NaN too)."""
    if mask is None:
        return values
    return ops.where(ops.expand_dims(mask, -1), values, ops.zeros_like(values))


def reduce_frames(values, mask=None, reduction="mean"):
    """One number from (batch, time, dim): "mean" over all three, or "sum" over time and dim, mean over the batch."""
    if reduction == "mean":
        return ops.mean(masked_mean(values, mask))
    return ops.mean(ops.sum(masked_sum(values, mask), axis=-1))


def reduce_codes(values, reduction="mean"):
    """One number from (batch, dim): "mean" over both, or "sum" over dim, mean over the batch."""
    return ops.mean(values if reduction == "mean" else ops.sum(values, axis=-1))


def permutation(n, seed):
    """A random order of 0 .. n-1."""
    return random.shuffle(ops.arange(n, dtype="int32"), seed=seed)


def rotation(n):
    """The order 1, 2, ... n-1, 0: the partners of a deterministic swap."""
    return ops.roll(ops.arange(n, dtype="int32"), -1)


def take(values, order):
    """The rows of a batch in an order; without an order, or without values, what came in."""
    return values if values is None or order is None else ops.take(values, order, axis=0)


def concat_to_frames(z, v):
    """The input of a decoder: z with v repeated at every frame, (batch, time, z_dim + v_dim)."""
    repeated = ops.repeat(ops.expand_dims(v, 1), ops.shape(z)[1], axis=1)
    return ops.concatenate([z, repeated], axis=-1)


def apply_to_rows(function, values):
    """function, of rows (n, in) -> (n, out), on the last axis: (..., in) -> (..., out).

    The backends take a matrix product of two matrices faster than the same on (batch, time, in): TensorFlow makes one
    operation of the product, its bias and tanh, and JAX copies nothing for the gradient.
    """
    rows = function(ops.reshape(values, (-1, values.shape[-1])))
    return ops.reshape(rows, (*ops.shape(values)[:-1], rows.shape[-1]))


def safe_norm(values, axis=-1, keepdims=False):
    """The L2 norm, with gradient 0 where it is 0; a plain square root has none there."""
    squared = ops.sum(ops.square(values), axis=axis, keepdims=keepdims)
    positive = squared > 0
    # The root is taken of 1 where it is not used: a gradient of NaN would survive the outer `where` alone.
    root = ops.sqrt(ops.where(positive, squared, ops.ones_like(squared)))
    return ops.where(positive, root, ops.zeros_like(root))


def unit_vectors(values):
    """values / |values| along the last axis; a zero vector stays zero, with gradient 0."""
    norm = safe_norm(values, keepdims=True)
    return values / ops.where(norm > 0, norm, ops.ones_like(norm))
