"""Batches of triples x, action, y, equal for equal (seed, epoch)."""

import keras  # noqa: F401 - first: with PyTorch underneath, torch must be imported before tensorflow
import numpy as np
import tensorflow as tf

from tsdsae_keras.data.prepared.generator import from_generator
from tsdsae_keras.errors import InputError


class TripleStream:
    """Batches {"x", "action", "y"}, images as uint8; batch b of an epoch is drawn from (seed, epoch, b) alone.

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

    def __init__(self, data, split, batch_size, batches, seed, *, fixed=False):
        if batch_size < 2:
            raise InputError(f"--batch-size is {batch_size}; a batch of one has nothing to tell classes apart by")
        self.data, self.split, self.batch_size, self.batches = data, split, batch_size, batches
        self.seed, self.fixed, self.epoch = tuple(seed), fixed, 0
        first = self.batch(0)
        signature = {name: tf.TensorSpec(value.shape, value.dtype) for name, value in first.items()}
        self.dataset = from_generator(self._all, signature, batches).prefetch(2)

    def set_epoch(self, epoch):
        """Chooses what the iterators that start from now on draw."""
        self.epoch = int(epoch)

    def batch(self, index):
        """One batch of the epoch that is set."""
        rng = np.random.default_rng((*self.seed, 0 if self.fixed else self.epoch, index))
        return self.data.triples(self.split, rng, self.batch_size)

    def _all(self):
        for index in range(self.batches):
            yield self.batch(index)
