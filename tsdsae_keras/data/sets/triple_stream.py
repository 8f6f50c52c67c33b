"""Batches of triples x, action, y, equal for equal (seed, epoch)."""

import numpy as np

from tsdsae_keras.data.prepared.generated import GeneratedStream
from tsdsae_keras.errors import InputError


def stream_triples(data, split, batch_size, batches, seed, *, fixed=False):
    """A stream of {"x", "action", "y"}, images as uint8; batch b of an epoch is drawn from (seed, epoch, b) alone.

    Args:
        data: with `triples(split, rng, n)`, such as `data.sets.pose_pool.PoseData`.
        split: to draw from.
        batch_size: triples in a batch, at least 2.
        batches: in an epoch.
        seed: numbers that decide what is drawn, besides the epoch's.
        fixed: whether every epoch is the same, as for validation.

    Raises:
        InputError: a batch of one.
    """
    if batch_size < 2:
        raise InputError(f"--batch-size is {batch_size}; a batch of one has nothing to tell classes apart by")

    def make(epoch, step):
        return data.triples(split, np.random.default_rng((*seed, epoch, step)), batch_size)

    return GeneratedStream(make, batches, fixed=fixed)
