"""Prepared sequences to tf.data: the same order for the same seed and epoch, whatever ran before."""

import keras  # noqa: F401 - first: with PyTorch underneath, torch must be imported before tensorflow
import numpy as np
import tensorflow as tf

from tsdsae_keras.data.prepared.buckets import draw_batches, pad_lengths
from tsdsae_keras.data.prepared.couples import coupled, draw_couples
from tsdsae_keras.data.prepared.generator import from_generator
from tsdsae_keras.data.prepared.sequences import Sequences
from tsdsae_keras.data.prepared.store import ALIGNMENT, aligned_empty
from tsdsae_keras.errors import InputError

IN_MEMORY = 1 << 29  # bytes


class SequenceStream:
    """Batches of sequences, always on the CPU.

    In training every epoch has its own order, drawn from (seed, epoch) alone, and what does not fill a batch is left
    out, drawn again each time. Otherwise the order is that of the data and the last batch may be smaller.

    Sequences of unequal length come as {"x": ..., "mask": ...}, those of like length together (`buckets`), so that a
    batch is hardly longer than its sequences and few different lengths of batches occur. Their order outside training
    is that of the data in each bucket, short buckets first.

    Sequences of equal length are gathered from one copy in memory where it takes at most `in_memory` bytes. All others
    are read from the disk batch by batch, and memory holds no more than three batches.

    Args:
        features: `Sequences`, as `PreparedData.sequences` gives them; or an array (n, T, F), or a list of such (shards)
            that follow one another. An array that `PreparedData.features` gave is used in place (do not change it
            afterwards); other arrays are copied once.
        batch_size: sequences in a batch, B.
        seed: decides the order of the epochs.
        training: shuffle and drop the remainder.
        mask: optional, shape (n, T), true where a frame is valid, for sequences of equal T that are not to be put in
            buckets; batches are then {"x": ..., "mask": ...}.
        lengths: optional, (n,), valid frames of sequences that are to be put in buckets; `Sequences` have their own.
        in_memory: bytes of features that are held at most.
        passes: over the data in an epoch, each in an order of its own, for training.
        groups: optional, (n,), for training on sequences of equal length: the rows 2 i and 2 i + 1 of each batch are
            then of one group, see `couples.draw_couples`.

    Raises:
        InputError: shapes that do not fit, or fewer sequences than one training batch.
    """

    def __init__(
        self,
        features,
        batch_size,
        *,
        seed=0,
        training=False,
        mask=None,
        lengths=None,
        in_memory=IN_MEMORY,
        passes=1,
        groups=None,
    ):
        given = _to_list(features)
        self._sequences = features if isinstance(features, Sequences) else Sequences(given, lengths)
        self._groups = None if groups is None else np.asarray(groups)
        self._count = len(self._sequences) if groups is None else coupled(self._groups)
        self.batch_size, self.seed, self.training = batch_size, seed, training
        self.passes, self._epoch = passes, 0
        self._check(mask)
        lengths = self._sequences.lengths
        self._padded = None if lengths is None else pad_lengths(lengths)
        self._mask = None if mask is None else np.asarray(mask, bool)
        self._whole = None
        if lengths is None and self._sequences.nbytes <= in_memory:
            self._whole = _in_one_piece(given, self._sequences)
        with tf.device("CPU:0"):  # also where there is a GPU: tf.data runs on the CPU
            self.dataset = self._make_dataset()

    def part(self, index, count):
        """The same batches, of each only the rows of part `index` of `count` equal ones; no others are read."""
        with tf.device("CPU:0"):
            return self._make_dataset(index, count)

    def _make_dataset(self, index=0, count=1):
        size = self.batch_size // count
        if self._groups is not None and size % 2:
            raise InputError(
                f"batches of {self.batch_size} on {count} devices part couples: take a multiple of {2 * count}"
            )
        own = slice(index * size, (index + 1) * size) if count > 1 else slice(None)
        size = size if self.training else None
        return self._gather_from_memory(own, size) if self._whole is not None else self._read_from_disk(own, size)

    @property
    def batches(self):
        """Batches in an epoch."""
        whole, rest = divmod(self._count, self.batch_size)
        return self.passes * (whole + (rest > 0 and not self.training))

    @property
    def left_out(self):
        """Sequences that a pass leaves out since they do not fill a batch."""
        return self._count % self.batch_size if self.training else 0

    @property
    def frames(self):
        """The frames that a batch may have, ascending."""
        return [self._sequences.shape[1]] if self._padded is None else np.unique(self._padded).tolist()

    def set_epoch(self, epoch):
        """Choose the order of the iterators that start from now on; call it before each epoch of training."""
        self._epoch = int(epoch)

    def order(self):
        """The positions of the sequences in the order of the epoch that is set, of its first pass."""
        if self._padded is not None:
            return np.concatenate(self.rows(self.seed, self._epoch)[: self.batches // self.passes])
        if not self.training:
            return np.arange(self._count)
        return self._order_of_pass(epoch_rng(self.seed, self._epoch))

    def rows(self, seed, epoch):
        """The positions in each batch of an epoch, as a seed draws them."""
        rng = epoch_rng(seed, epoch) if self.training else None
        return [rows for _ in range(self.passes) for rows in self._rows_of_pass(rng)]

    def _rows_of_pass(self, rng):
        """The positions in each batch of a pass."""
        if self._padded is not None:
            return draw_batches(self._padded, self.batch_size, rng)
        order = self._order_of_pass(rng)
        starts = range(0, self.batches // self.passes * self.batch_size, self.batch_size)
        return [order[start : start + self.batch_size] for start in starts]

    def _order_of_pass(self, rng):
        if self._groups is not None:
            return draw_couples(self._groups, rng)
        return np.arange(self._count) if rng is None else rng.permutation(self._count)

    def _batches(self, own):
        """The own part of one batch after the other, read from the disk."""
        for whole in self.rows(self.seed, self._epoch):
            rows = whole[own]
            if self._padded is None:
                x = self._sequences.read(rows)
                yield x if self._mask is None else {"x": x, "mask": self._mask[rows]}
            else:
                frames = int(self._padded[whole].max())  # all parts of a batch are of one length
                mask = np.arange(frames) < self._sequences.lengths[rows, None]
                yield {"x": self._sequences.read(rows, frames), "mask": mask}

    def _gather_from_memory(self, own, size):
        """The data set from one tensor that holds everything."""
        places = tf.TensorSpec((size,), tf.int64)
        rows = from_generator(lambda: (rows[own] for rows in self.rows(self.seed, self._epoch)), places, self.batches)
        mask = None if self._mask is None else tf.constant(self._mask)

        def gather(rows):
            x = tf.gather(self._whole, rows)
            return x if mask is None else {"x": x, "mask": tf.gather(mask, rows)}

        return rows.map(gather).prefetch(2)

    def _read_from_disk(self, own, size):
        """The data set from files."""
        _, frames, *rest = self._sequences.shape
        frames = frames if self._padded is None else None
        x = tf.TensorSpec((size, frames, *rest), tf.as_dtype(self._sequences.dtype))
        mask = tf.TensorSpec((size, frames), tf.bool)
        masked = self._padded is not None or self._mask is not None
        signature = {"x": x, "mask": mask} if masked else x
        return from_generator(lambda: self._batches(own), signature, self.batches).prefetch(1)

    def _check(self, mask):
        if isinstance(self.batch_size, bool) or not isinstance(self.batch_size, int) or self.batch_size < 1:
            raise InputError(f"batch_size is {self.batch_size!r}: it must be an integer of at least 1")
        if isinstance(self.seed, bool) or not isinstance(self.seed, int) or self.seed < 0:
            raise InputError(f"seed is {self.seed!r}: it must be an integer of at least 0")
        if self.training:
            check_fills_a_batch(self._count, self.batch_size)
        if mask is not None and self._sequences.lengths is not None:
            raise InputError("sequences with lengths have their mask already: leave out the mask")
        if mask is not None and np.shape(mask) != self._sequences.shape[:2]:
            raise InputError(f"the mask has shape {np.shape(mask)}: the sequences need {self._sequences.shape[:2]}")


def epoch_rng(seed, epoch):
    """The generator that decides the order of an epoch."""
    return np.random.default_rng((seed, epoch))


def check_fills_a_batch(count, batch_size):
    """InputError where there are fewer sequences than one batch of training takes."""
    if count < batch_size:
        raise InputError(f"{count} sequences do not fill one batch of {batch_size}: lower the batch size")


def _to_list(features):
    if isinstance(features, Sequences):
        return []
    return list(features) if isinstance(features, list | tuple) else [features]


def _in_one_piece(given, sequences):
    """All sequences as one tensor that shares the memory of one numpy array."""
    if len(given) == 1 and _can_be_shared(given[0], sequences.dtype):
        table = given[0]
    else:
        table = sequences.read(np.arange(len(sequences)), out=aligned_empty(sequences.shape, sequences.dtype))
    with tf.device("CPU:0"):
        return tf.experimental.dlpack.from_dlpack(table.__dlpack__())


def _can_be_shared(array, dtype):
    flags = array.flags
    fits = array.dtype == dtype and flags.c_contiguous and flags.writeable
    return fits and array.ctypes.data % ALIGNMENT == 0
