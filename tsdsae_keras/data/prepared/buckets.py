"""Which sequences of unequal length share a batch, and how many frames it has.

tf.data's `bucket_by_sequence_length` is not used, because it keeps two of our three promises only at the price of the
third. Training needs full batches of few different lengths (JAX compiles a step for each shape), every sequence must
come in turn, and the order of an epoch must follow from (seed, epoch) alone. With its remainder dropped, it would leave
out up to batch_size - 1 sequences of every bucket; with its remainder kept, batches would be of any size.
"""

import numpy as np

STEP = 64  # frames: batches have a multiple of them
BUCKETS = 8  # at most: compiled backends compile a step for each number of frames


def pad_lengths(lengths, buckets=BUCKETS):
    """The frames, (n,) integers, to which sequences of (n,) valid frames are padded: multiples of 64, at most
    `buckets` different ones.

    Starts with a bucket for every multiple of 64 and merges the one into its longer neighbour that takes the least
    additional padding, until so many are left.
    """
    needed = -(-np.asarray(lengths, np.int64) // STEP) * STEP
    ends, counts = np.unique(needed, return_counts=True)
    while len(ends) > buckets:
        merged = np.argmin(counts[:-1] * np.diff(ends))
        counts[merged + 1] += counts[merged]
        ends, counts = np.delete(ends, merged), np.delete(counts, merged)
    return ends[np.searchsorted(ends, needed)]


def draw_batches(padded, batch_size, rng=None):
    """The rows of each batch, sequences of one bucket together.

    Where a bucket does not fill its last batch, the batch is filled from the next longer one. So only the last batch
    may be smaller, and in training only n mod batch_size sequences, drawn again in every epoch, are left out.

    Args:
        padded: (n,) of `pad_lengths`.
        batch_size: sequences in a batch.
        rng: draws what is left out, the order in each bucket and the order of the batches; None leaves nothing out
            and keeps the order of the data in each bucket, short buckets first.

    Returns:
        A list of (m,) integers.
    """
    rows = np.arange(len(padded)) if rng is None else rng.permutation(len(padded))
    whole = len(rows) // batch_size * batch_size
    rows = rows if rng is None else rows[:whole]
    rows = rows[np.argsort(padded[rows], kind="stable")]
    batches = [rows[start : start + batch_size] for start in range(0, len(rows), batch_size)]
    return batches if rng is None else [batches[number] for number in rng.permutation(len(batches))]
