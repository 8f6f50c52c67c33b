"""Swapping codes between sequences of different classes, to see which code carries the class.

With z_i, v_i the codes of sequence i and j = partner[i]:

    global swap   x_g = decode(z_i, v_j)   time-varying factors of i, global ones of j
    local swap    x_l = decode(z_j, v_i)   time-varying factors of j, global ones of i

A perfect global code makes x_g sound of the class of j and x_l of the class of i.
"""

import numpy as np

from tsdsae_keras.errors import InputError
from tsdsae_keras.families.tsdsae.evaluation.posteriors import decode_batch
from tsdsae_keras.metrics.batching import batch_slices, take_rows


def draw_partners(instrument, seed):
    """For each example the index of one of another class, each such example equally likely.

    As a partner always differs in class, a decoder that ignores v scores 0 after a swap, not 1 / classes.

    Args:
        instrument: (n,) class labels.
        seed: fixes the draw.

    Returns:
        (n,) integers.

    Raises:
        InputError: all examples are of one class.
    """
    classes, member = np.unique(instrument, return_inverse=True)
    if len(classes) < 2:
        raise InputError(f"a swap needs two classes or more; all {len(member)} examples are {classes.tolist()}")
    rng = np.random.default_rng(seed)
    others = [np.flatnonzero(member != index) for index in range(len(classes))]
    return np.array([rng.choice(others[index]) for index in member])


def swap_sequences(codes, partner, decode, batch_size, mask=None):
    """Both swaps of every sequence, a batch at a time, so that memory stays bounded.

    Args:
        codes: `Posteriors` of n sequences.
        partner: (n,) indices, as `draw_partners` gives them.
        decode: a model's ``decode(z, v)``.
        batch_size: sequences at a time.
        mask: (n, time), true where a frame is valid; a swap is as long as the sequence its z came from.

    Yields:
        (rows, x_g, x_l): the slice of sequences i, and their two swaps (batch, time, features).
    """
    v, z = codes.v_mean, codes.z_mean
    for rows in batch_slices(partner, batch_size):
        other = partner[rows]
        x_global = decode_batch(decode, z[rows], v[other], take_rows(mask, rows))
        x_local = decode_batch(decode, z[other], v[rows], take_rows(mask, other))
        yield rows, x_global, x_local
