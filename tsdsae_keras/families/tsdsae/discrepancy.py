"""Whether swapped sound is distributed as real sound of the same timbre, moment by moment; not in the paper."""

from keras import ops

BANDWIDTHS = (0.04, 0.16, 0.64)  # of frames, in mean squared distances of real ones
TIMBRE_BANDWIDTH = 0.25  # of v, in its mean squared distance
SMALL = 1e-6


def discrepancy(swaps, real, v, order, mask=None):
    """The maximum mean discrepancy between swaps and real sequences of the same v, at the same time: about 0 at best.

    With f_i = decode(z_i, v_order(i)), r_i = decode(z_i, v_i), at a frame t, and w the v that a frame was decoded with,

        mmd_swap = (K_ff + K_rr - 2 K_fr) / K_rr
        K_ab = sum over t and pairs without a common z or v of u(a_i, b_j) k(a_it, b_jt), over the sum of u(a_i, b_j)
        u(a, b) = exp(-|w_a - w_b|^2 / 2 s),    k(a, b) = mean over c of exp(-|a - b|^2 / 2 c)

    Where melody does not depend on timbre, as many notes begin at any time on one instrument as on another. So a swap
    that sounds later or dies away more slowly than real sound of its timbre gives itself away by how often a frame like
    that occurs at time t, though it may be right by itself. Only the swaps pass a gradient, and not through w.

    Args:
        swaps, real: (batch, time, features), f and r.
        v: (batch, v_dim), the means of v: noise would hide which are alike.
        order: of the partners, a permutation of the batch.
        mask: (batch, time), true where a frame is valid, or None.
    """
    n = ops.shape(real)[0]
    frames = ops.transpose(ops.concatenate([swaps, ops.stop_gradient(real)]), (1, 0, 2))
    order = ops.cast(order, "int32")
    pairs, distances = _pairs(n, order, mask, frames), _squared_distances(frames)
    scale = ops.stop_gradient(_mean(distances[:, n:, n:], pairs[:, n:, n:]))
    kernel = sum(ops.exp(distances / (-2.0 * width * scale)) for width in BANDWIDTHS) / len(BANDWIDTHS)
    weights = pairs * _timbre_kernel(ops.stop_gradient(ops.concatenate([ops.take(v, order, axis=0), v])))
    blocks = ((slice(n), slice(n)), (slice(n), slice(n, None)), (slice(n, None), slice(n, None)))
    swapped, both, own = (_mean(kernel[:, a, b], weights[:, a, b]) for a, b in blocks)
    return (swapped + own - 2.0 * both) / ops.stop_gradient(own)


def _pairs(n, order, mask, frames):
    """1 for two sequences that share neither z nor v and both have the frame, else 0: (time, 2 batch, 2 batch)."""
    own = ops.arange(n, dtype="int32")
    other = ops.cast(_differ(ops.concatenate([own, own])), frames.dtype)
    other = other * ops.cast(_differ(ops.concatenate([order, own])), frames.dtype)
    if mask is None:
        return ops.broadcast_to(other, (ops.shape(frames)[0], 2 * n, 2 * n))
    valid = ops.cast(ops.transpose(ops.concatenate([mask, mask])), frames.dtype)
    return other * valid[:, :, None] * valid[:, None]


def _differ(numbers):
    return numbers[:, None] != numbers[None]


def _timbre_kernel(v):
    """How alike two v are, 0 to 1: (2 batch, 2 batch)."""
    distances = _squared_distances(v)
    return ops.exp(distances / (-2.0 * TIMBRE_BANDWIDTH * ops.maximum(ops.mean(distances), SMALL)))


def _squared_distances(rows):
    """Between all rows: (..., n, dim) -> (..., n, n)."""
    squares = ops.sum(ops.square(rows), axis=-1)
    products = ops.matmul(rows, ops.swapaxes(rows, -1, -2))
    return ops.maximum(squares[..., :, None] + squares[..., None, :] - 2.0 * products, 0.0)


def _mean(values, weights):
    """Weighted, at least `SMALL`."""
    return ops.maximum(ops.sum(values * weights) / ops.maximum(ops.sum(weights), SMALL), SMALL)
