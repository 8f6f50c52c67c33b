"""How much of the codes is in use: what the decoder does with v, and how far each dimension leaves its prior.

A swap can fail for two reasons: v does not hold the class, or the decoder ignores v. These numbers show the
second. All functions are pure: codes as arrays and a model's ``decode(z, v)`` in, numbers out; with a
`mask` (n, time), true where a frame is valid, ``decode(z, v, mask=mask)``. Every sequence weighs alike, however
long it is. None needs labels.
"""

import math

import numpy as np

from tsdsae_keras.errors import InputError
from tsdsae_keras.families.tsdsae.evaluation.posteriors import decode_batch
from tsdsae_keras.metrics.batching import batch_slices, take_rows
from tsdsae_keras.metrics.frames import mean_over_frames
from tsdsae_keras.metrics.gaussian import gaussian_kl
from tsdsae_keras.metrics.reconstruction import sequence_errors


def next_partners(n):
    """The partners 1, 2, ..., n-1, 0: each of n sequences is given the next, without draw or labels.

    Raises:
        InputError: n is below 2, so that a sequence would be its own partner.
    """
    if n < 2:
        raise InputError(f"{n} sequence has no partner; give two or more")
    return np.roll(np.arange(n), -1)


def use_of_v(decode, z_mean, v_mean, partner, batch_size=64, mask=None):
    """E|D(z_i, v_i) - D(z_i, v_j)| / E|D(z_i, v_i) - D(z_j, v_i)| with j = partner[i]: what v moves, in units of z.

    0 when the decoder D ignores v, 1 when another's v changes the output as much as another's z, infinite when D
    ignores z; 0 when D ignores both. No value is best: collapse of v shows as a ratio that falls towards 0, collapse
    of z as one that grows without bound. E is the mean over features, over the frames valid in both sequences and
    over sequences.

    It says that v moves the output, not where to: noise on the output that depends on v counts as use. It also
    depends on the partners (two of one class differ less), so compare values of equal partners only.

    Args:
        decode: a model's ``decode(z, v)``.
        z_mean: (n, time, z).
        v_mean: (n, v).
        partner: (n,) indices, none its own: `next_partners`, or where labels are known `swaps.draw_partners`.
        batch_size: sequences at a time.
        mask: (n, time), or None when all frames are valid.

    Returns:
        A number from 0 to infinity.

    Raises:
        InputError: a partner is its own or missing, two partners share no valid frame, or an output is not finite.
    """
    partner = _check_partner(partner, len(v_mean))
    by_v, by_z = [], []
    for rows in batch_slices(partner, batch_size):
        other, valid, other_valid = partner[rows], take_rows(mask, rows), take_rows(mask, partner[rows])
        own = decode_batch(decode, z_mean[rows], v_mean[rows], valid)
        other_v = decode_batch(decode, z_mean[rows], v_mean[other], valid)
        other_z = decode_batch(decode, z_mean[other], v_mean[rows], other_valid)
        shared = None if mask is None else np.logical_and(valid, other_valid)
        by_v.append(_distances(own, other_v, shared))
        by_z.append(_distances(own, other_z, shared))
    return _ratio(np.concatenate(by_v).mean(), np.concatenate(by_z).mean())


def error_rise(decode, x, z_mean, v_mean, partner, mask=None, batch_size=64):
    """How much worse x is rebuilt when v is taken away or exchanged; 0 where the decoder ignores v.

    - ``own``: masked mean squared error with the sequence's own v, as in `reconstruction.sequence_errors`.
    - ``zero_rise``: the error with v = 0, less `own`; ``other_rise``: with v of the partner, less `own`.
    - ``zero_relative``, ``other_relative``: the rises divided by `own`; infinite where `own` is 0 and the rise is not.

    Higher means that the decoder leans on v more. A rise below 0 says that v harms. v = 0 is the mean of the prior
    N(0, I), an average sequence; after stage 2 of TS-DSAE no v need lie near it, and the rise is then partly that of
    an input never trained on. With a partner of the same class `other_rise` may be small though v is in use. Errors
    in squared units say nothing of what is audible.

    Args:
        decode: a model's ``decode(z, v)``.
        x: (n, time, features), the sequences that the codes are of.
        z_mean, v_mean, partner, mask, batch_size: as in `use_of_v`.

    Returns:
        A dictionary of five numbers.

    Raises:
        InputError: as in `use_of_v`; or x has another shape than the output.
    """
    partner = _check_partner(partner, len(v_mean))
    given = {"own": v_mean, "zero": np.zeros_like(v_mean), "other": v_mean[partner]}
    own, zero, other = (_error(decode, x, z_mean, v, mask, batch_size) for v in given.values())
    rises = {"zero_rise": zero - own, "other_rise": other - own}
    relative = {name.replace("rise", "relative"): _ratio(rise, own) for name, rise in rises.items()}
    return {"own": own} | rises | relative


def active_units(mean, threshold=0.01, mask=None):
    """How many dimensions u have Var_x(E_q(u|x)[u]) > threshold: their posterior means differ between inputs.

    From 0, all collapsed to constants, to the number of dimensions. It counts what the encoder writes, not what the
    decoder reads (`use_of_v`), and a dimension that repeats another counts too. The threshold is in the units of a
    standard normal prior; under a prior of another scale choose another.

    Args:
        mean: posterior means, v (n, v), or z (n, time, z), there over all valid frames of all sequences.
        threshold: 0.01 in the source.
        mask: (n, time) for z; None when all frames are valid.

    Source: Burda, Grosse, Salakhutdinov, Importance Weighted Autoencoders, ICLR 2016, section 5.
    """
    rows = np.asarray(mean, "float64")
    rows = rows[np.asarray(mask, bool)] if mask is not None else rows.reshape(-1, rows.shape[-1])
    return int((rows.var(axis=0) > threshold).sum())


def kl_by_dimension(mean, log_var, prior_mean=0.0, prior_log_var=0.0, mask=None):
    """KL[N(mean, e^log_var), N(prior_mean, e^prior_log_var)] of each dimension in nats, mean over sequences.

    For z it is the mean over each sequence's valid frames first, so nats a frame. 0 where the posterior is the prior,
    the sign of a collapsed dimension; no upper bound. Under a fixed prior it bounds the information in a dimension
    from above only: it may be large because all posteriors alike miss the prior, and the code still says nothing.

    Args:
        mean, log_var: posteriors, v (n, v) or z (n, time, z).
        prior_mean, prior_log_var: numbers or arrays of the same shape, such as the transition's for z.
        mask: (n, time) for z; None when all frames are valid.

    Returns:
        (v,) or (z,) array.

    Raises:
        InputError: a sequence has not one valid frame.
    """
    divergence = gaussian_kl(mean, log_var, prior_mean, prior_log_var)
    if divergence.ndim == 3:
        divergence = mean_over_frames(divergence, mask)
    return divergence.mean(axis=0)


def _error(decode, x, z, v, mask, batch_size):
    errors = []
    for rows in batch_slices(v, batch_size):
        valid = take_rows(mask, rows)
        errors.append(sequence_errors(x[rows], decode_batch(decode, z[rows], v[rows], valid), valid))
    return float(np.concatenate(errors).mean())


def _distances(x, other, mask):
    """Mean absolute difference of each pair of sequences, (batch,)."""
    return mean_over_frames(np.abs(np.subtract(x, other, dtype="float64")), mask).mean(axis=-1)


def _ratio(part, whole):
    if whole == 0:
        return math.copysign(math.inf, part) if part else 0.0
    return float(part / whole)


def _check_partner(partner, n):
    partner = np.asarray(partner)
    if partner.shape != (n,) or not n or not np.isin(partner, np.arange(n)).all():
        raise InputError(f"partner has shape {partner.shape}; it should hold one index of 0 to {n - 1} for each of {n}")
    if (partner == np.arange(n)).any():
        raise InputError(f"sequence {np.argmax(partner == np.arange(n))} is its own partner; give it another")
    return partner
