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
    swaps, real = (ops.transpose(frames, (1, 0, 2)) for frames in (swaps, ops.stop_gradient(real)))
    own, order = ops.arange(ops.shape(v)[0], dtype="int32"), ops.cast(order, "int32")
    apart, valid, alike = _squared_distances(real, real), _valid_pairs(mask, real), _timbre_kernel(v)
    scale = _mean(apart, valid)

    def likeness(distances, a, b):
        kernel = sum(ops.exp(distances / (-2.0 * width * scale)) for width in BANDWIDTHS) / len(BANDWIDTHS)
        foreign = ops.cast(ops.logical_and(own[:, None] != own, a[:, None] != b), kernel.dtype)
        return _mean(kernel, valid * foreign * ops.take(ops.take(alike, a, axis=0), b, axis=1))

    swapped = likeness(_squared_distances(swaps, swaps), order, order)
    both = likeness(_squared_distances(swaps, real), order, own)
    genuine = likeness(apart, own, own)
    return (swapped + genuine - 2.0 * both) / genuine


def _valid_pairs(mask, frames):
    """1 where both sequences have the frame, else 0: (time, batch, batch), or (1, 1, 1) where all have all."""
    if mask is None:
        return ops.ones((1, 1, 1), frames.dtype)
    valid = ops.cast(ops.transpose(mask), frames.dtype)
    return valid[:, :, None] * valid[:, None]


def _timbre_kernel(v):
    """How alike the v of two sequences are, 0 to 1: (batch, batch)."""
    v = ops.stop_gradient(v)
    distances = _squared_distances(v, v)
    return ops.exp(distances / (-2.0 * ops.maximum(TIMBRE_BANDWIDTH * ops.mean(distances), SMALL)))


def _squared_distances(a, b):
    """Between all rows: (..., n, dim), (..., m, dim) -> (..., n, m)."""
    squares = [ops.sum(ops.square(rows), axis=-1) for rows in (a, b)]
    products = ops.matmul(a, ops.swapaxes(b, -1, -2))
    return ops.maximum(squares[0][..., :, None] + squares[1][..., None, :] - 2.0 * products, 0.0)


def _mean(values, weights):
    """Weighted, at least `SMALL`; weights may be one for many values."""
    return ops.maximum(ops.mean(values * weights) / ops.maximum(ops.mean(weights), SMALL), SMALL)
