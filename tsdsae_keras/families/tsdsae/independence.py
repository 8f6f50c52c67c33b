"""How much the local codes of a sequence tell of its global code; not in the paper."""

from keras import ops

from tsdsae_keras import ops as own_ops

SMALL = 1e-6  # variance: a dimension that is not used is correlated with nothing


def correlation(z, v, mask=None):
    """The mean squared correlation, over the batch, of two moments of z with v: 0 to 1.

        m_i = (mean over t of z_it, mean over t of z_it^2),    corr_zv = mean over k, l of corr(m_k, v_l)^2

    Where global and local factors are independent, as timbre and melody are, what z says on average must not depend on
    v: a z whose mean or spread differs between timbres carries timbre. v passes no gradient, so that z gives way.

    Args:
        z: (batch, time, z_dim).
        v: (batch, v_dim).
        mask: (batch, time), true where a frame is valid, or None.
    """
    moments = ops.concatenate([own_ops.masked_mean(z, mask), own_ops.masked_mean(ops.square(z), mask)], axis=-1)
    m, v = _normalize(moments), _normalize(ops.stop_gradient(v))
    count = ops.cast(ops.shape(v)[0], v.dtype)
    return ops.mean(ops.square(ops.matmul(ops.transpose(m), v) / count))


def _normalize(codes):
    """Codes (batch, dim) of mean 0 and variance 1 over the batch."""
    codes = codes - ops.mean(codes, axis=0)
    return codes / ops.sqrt(ops.mean(ops.square(codes), axis=0) + SMALL)
