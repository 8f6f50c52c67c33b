"""Batches of interleaved pairs, drawn ahead of training by threads, equal for equal (seed, epoch)."""

from collections import deque
from concurrent.futures import ThreadPoolExecutor

import keras  # noqa: F401 - first: with PyTorch underneath, torch must be imported before tensorflow
import numpy as np
import tensorflow as tf

from tsdsae_keras.data.prepared.generator import from_generator
from tsdsae_keras.errors import InputError

AHEAD = 4  # batches that are drawn while others train


class PairStream:
    """Batches {"x": (batch_size, *x_shape)} of pairs; batch b of an epoch is drawn from (seed, epoch, b) alone.

    Args:
        data: `data.sets.pair_data.PairData`.
        batch_size: frames, an even number.
        batches: in an epoch.
        seed: numbers that decide what is drawn, besides the epoch's.
        fixed: whether every epoch is the same, as for validation.
        workers: threads.
    """

    def __init__(self, data, batch_size, batches, seed, *, fixed=False, workers=2):
        if batch_size % 2:
            raise InputError(f"--batch-size is {batch_size}; it counts frames, and pairs need an even number")
        self.data, self.batch_size, self.batches = data, batch_size, batches
        self.seed, self.fixed, self.workers = tuple(seed), fixed, workers
        self.epoch = 0
        x = tf.TensorSpec((batch_size, *data.x_shape), tf.float32)
        self.dataset = from_generator(self._ahead, {"x": x}, batches)

    def set_epoch(self, epoch):
        """Chooses what the iterators that start from now on draw."""
        self.epoch = int(epoch)

    def batch(self, index, epoch=None):
        """One batch of an epoch, by default of the one that is set."""
        epoch = 0 if self.fixed else self.epoch if epoch is None else epoch
        rng = np.random.default_rng((*self.seed, epoch, index))
        return {"x": self.data.pairs(rng, self.batch_size // 2)[0]}

    def _ahead(self):
        """All batches of an epoch in order, each drawn by a thread while those before it are trained on."""
        epoch, waiting = self.epoch, deque()
        with ThreadPoolExecutor(self.workers) as pool:
            for index in range(self.batches):
                waiting.append(pool.submit(self.batch, index, epoch))
                if len(waiting) > AHEAD:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
