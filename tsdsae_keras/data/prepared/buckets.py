"""Which sequences of unequal length share a batch, and how many frames it has."""

import numpy as np

STEP = 64  # frames: batches have a multiple of them
MOST = 8  # different numbers of frames: compiled backends compile a step for each
CANDIDATES = 512


def padded_lengths(lengths, most=MOST):
    """The frames of the bucket that each sequence belongs to: multiples of 64, at most `most` different ones.

    Of all ways to draw the lines the one with the least padding, sum_i (padded_i - length_i), is taken, found by
    dynamic programming over the lengths in ascending order.

    Args:
        lengths: (n,) valid frames.
        most: buckets.

    Returns:
        (n,) integers, never below the lengths.
    """
    lengths, step = np.asarray(lengths, np.int64), STEP
    while len(np.unique(-(-lengths // step))) > CANDIDATES:  # so many lines that some more padding does not matter
        step *= 2
    needed = -(-lengths // step) * step
    lines = _best_lines(*np.unique(needed, return_counts=True), most)
    return lines[np.searchsorted(lines, needed)]


def batches_of(padded, batch_size, rng=None):
    """The rows of each batch, sequences of one bucket together.

    Where a bucket does not fill its last batch, the batch is filled from the next longer one. So only the last batch
    may be smaller, and in training only n mod batch_size sequences, drawn anew each time, are left out.

    Args:
        padded: (n,) of `padded_lengths`.
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


def _best_lines(values, counts, most):
    """The `most` of ascending `values`, the last always among them, that cost sum of count * line the least."""
    n, before = len(values), np.concatenate([[0], counts.cumsum()])
    # cost[i, j]: one bucket holds values i to j.
    cost = np.where(np.tri(n, dtype=bool).T, (before[None, 1:] - before[:-1, None]) * values, np.inf)
    best, first = cost[0], [np.zeros(n, np.int64)]
    for _ in range(1, min(most, n)):
        through = np.concatenate([[np.inf], best[:-1]])[:, None] + cost
        first.append(through.argmin(axis=0))
        best = through.min(axis=0)
    lines, last = [], n - 1
    for starts in reversed(first):
        lines.append(values[last])
        last = starts[last] - 1
    return np.array(lines[::-1])
