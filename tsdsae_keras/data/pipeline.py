"""Prepared sequences to tf.data: the same order for the same seed and epoch, whatever ran before."""

import keras  # noqa: F401 - first: with PyTorch underneath, torch must be imported before tensorflow
import numpy as np
import tensorflow as tf

from tsdsae_keras.data.store import ALIGNMENT, aligned_empty
from tsdsae_keras.errors import InputError


class SequenceStream:
    """Batches of sequences, gathered by TensorFlow from one copy in memory, always on the CPU.

    In training every epoch has its own order, drawn from (seed, epoch) alone, and the last ragged batch is dropped.
    Otherwise the order is that of the data and the last batch may be smaller.

    Args:
        features: sequences, shape (n, T, F), or a list of such arrays (shards) that follow one another. What
            `PreparedData.features` gives is used in place (do not change it afterwards); all else is copied once.
        batch_size: sequences in a batch, B.
        seed: decides the order of the epochs.
        training: shuffle and drop the remainder.
        mask: optional, shape (n, T), true where a frame is valid; batches are then {"x": ..., "mask": ...}.

    Raises:
        InputError: shapes that do not fit, or fewer sequences than one training batch.
    """

    def __init__(self, features, batch_size, *, seed=0, training=False, mask=None):
        shards = _checked_shards(features)
        self._count = sum(map(len, shards))
        self._shape = (self._count, *shards[0].shape[1:])
        self.batch_size, self.seed, self.training = batch_size, seed, training
        self._epoch = 0
        self._check(mask)
        with tf.device("CPU:0"):  # also where there is a GPU: tf.data runs on the CPU
            self._x = _in_one_piece(shards, self._shape)
            self._mask = None if mask is None else tf.constant(np.asarray(mask, bool))
            self.dataset = self._make_dataset()

    @property
    def batches(self):
        """Batches in an epoch."""
        whole, rest = divmod(self._count, self.batch_size)
        return whole + (rest > 0 and not self.training)

    def set_epoch(self, epoch):
        """Choose the order of the iterators that start from now on; call it before each epoch of training."""
        self._epoch = int(epoch)

    def order(self):
        """The positions of the sequences in the order of the epoch that is set."""
        if not self.training:
            return np.arange(self._count)
        return np.random.default_rng((self.seed, self._epoch)).permutation(self._count)

    def _rows(self):
        """The positions of one batch after the other."""
        # The order is read when an iterator starts, not when the data set is built.
        order = self.order()
        for number in range(self.batches):
            yield order[number * self.batch_size : (number + 1) * self.batch_size]

    def _gather(self, rows):
        x = tf.gather(self._x, rows)
        return x if self._mask is None else {"x": x, "mask": tf.gather(self._mask, rows)}

    def _make_dataset(self):
        size = self.batch_size if self.training else None
        rows = tf.data.Dataset.from_generator(self._rows, output_signature=tf.TensorSpec((size,), tf.int64))
        # A known length lets Keras show a whole progress bar; prefetching hides the gathering behind the step.
        rows = rows.apply(tf.data.experimental.assert_cardinality(self.batches))
        return rows.map(self._gather).prefetch(2)

    def _check(self, mask):
        if isinstance(self.batch_size, bool) or not isinstance(self.batch_size, int) or self.batch_size < 1:
            raise InputError(f"batch_size is {self.batch_size!r}: it must be an integer of at least 1")
        if isinstance(self.seed, bool) or not isinstance(self.seed, int) or self.seed < 0:
            raise InputError(f"seed is {self.seed!r}: it must be an integer of at least 0")
        if self.training:
            check_fills_a_batch(self._count, self.batch_size)
        if mask is not None and np.shape(mask) != self._shape[:2]:
            raise InputError(f"the mask has shape {np.shape(mask)}: the sequences need {self._shape[:2]}")


def check_fills_a_batch(count, batch_size):
    """InputError where there are fewer sequences than one batch of training takes."""
    if count < batch_size:
        raise InputError(f"{count} sequences do not fill one batch of {batch_size}: lower the batch size")


def _in_one_piece(shards, shape):
    """All sequences as one tensor that shares the memory of one numpy array."""
    table = shards[0] if len(shards) == 1 and _can_be_shared(shards[0]) else aligned_empty(shape)
    if table is not shards[0]:
        np.concatenate(shards, out=table, casting="same_kind")
    return tf.experimental.dlpack.from_dlpack(table.__dlpack__())


def _can_be_shared(array):
    flags = array.flags
    fits = array.dtype == np.float32 and flags.c_contiguous and flags.writeable
    return fits and array.ctypes.data % ALIGNMENT == 0


def _checked_shards(features):
    shards = list(features) if isinstance(features, (list, tuple)) else [features]
    if not shards or sum(map(len, shards)) == 0:
        raise InputError("there are no sequences: give features of shape (n, T, F) with n of at least 1")
    for shard in shards:
        if shard.ndim != 3 or shard.shape[1:] != shards[0].shape[1:]:
            raise InputError(f"features have shape {shard.shape}: all must be (n, T, F) with the same T and F")
    return shards
