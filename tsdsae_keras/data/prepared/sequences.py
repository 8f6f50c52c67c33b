"""Sequences of a prepared folder as one array that stays on disk: rows are read when they are asked for."""

import contextlib
import math
from dataclasses import dataclass

import numpy as np

from tsdsae_keras.errors import InputError

CHUNK = 1 << 26  # bytes


@dataclass(frozen=True)
class ArrayShard:
    """A shard that is in memory already: an array (n, T, F)."""

    array: np.ndarray

    @property
    def shape(self):
        return self.array.shape

    @property
    def dtype(self):
        return np.dtype("float32") if self.array.dtype.kind == "f" else self.array.dtype

    @contextlib.contextmanager
    def open_rows(self):
        def read(row, out):
            out[...] = self.array[row, : len(out)]

        yield read


class Sequences:
    """Sequences (n, T, F) that are read row by row, log-mel frames in float32 in most cases.

    Features of another shape (n, T, ...) and type, such as images, are read in the same way, T being their first axis.
    It has the `shape`, `ndim`, `dtype`, `nbytes` and length of an array; a whole number, a slice, or an array of rows
    as index gives an array. What lies behind the end of a sequence is `fill`, whatever is there on disk.

    Args:
        shards: `NpyShard`s, `RecordShard`s, or arrays (n_k, T_k, F), that follow one another; each may have a T of its
            own.
        lengths: (n,) valid frames of every sequence; None where all frames are valid.
        frames: 1 or more, to which longer sequences are cut; None cuts none. T is that of the longest shard, or this.
        fill: what padding holds.

    Raises:
        InputError: shards that do not fit together, or lengths that do not fit them; when rows are read, a file that
            has become shorter.
    """

    def __init__(self, shards, lengths=None, frames=None, fill=0.0):
        self.shards = [each if hasattr(each, "open_rows") else ArrayShard(np.asanyarray(each)) for each in shards]
        _check_shards(self.shards)
        self.dtype = self.shards[0].dtype
        sizes = [each.shape[0] for each in self.shards]
        self._starts, self._fill = np.cumsum([0, *sizes]), fill
        own = np.repeat([each.shape[1] for each in self.shards], sizes)
        if lengths is None and len(np.unique(own)) > 1:
            raise InputError(f"sequences of {own.min()} to {own.max()} frames: their lengths must be given")
        frames = int(own.max()) if frames is None else min(int(own.max()), frames)
        self._stored = np.minimum(own if lengths is None else _check_lengths(lengths, own), frames)
        self.lengths = None if lengths is None else self._stored
        self.shape = (len(own), frames, *self.shards[0].shape[2:])
        self.ndim = len(self.shape)

    def __len__(self):
        return self.shape[0]

    def __getitem__(self, rows):
        rows = np.arange(len(self))[rows]
        return self.read(rows) if rows.ndim else self.read(rows[None])[0]

    def __array__(self, dtype=None, copy=None):
        return self.read(np.arange(len(self))).astype(dtype or self.dtype, copy=False)

    @property
    def nbytes(self):
        """Bytes that all of them would take in memory."""
        return self.dtype.itemsize * math.prod(self.shape)

    @property
    def mask(self):
        """(n, T) true where a frame is valid; None where all are."""
        return None if self.lengths is None else np.arange(self.shape[1]) < self.lengths[:, None]

    def chunks(self):
        """All of them in order, at most 64 MiB or one sequence at a time: arrays, or with lengths {"x", "mask"}."""
        for start, shard in zip(self._starts, self.shards, strict=False):
            count = shard.shape[0]
            step = max(1, CHUNK // (self.dtype.itemsize * math.prod(shard.shape[1:])))
            for first in range(0, count, step):
                rows = start + np.arange(first, min(first + step, count))
                frames = int(self._stored[rows].max())
                x = self.read(rows, frames)
                yield x if self.lengths is None else {"x": x, "mask": np.arange(frames) < self.lengths[rows, None]}

    def read(self, rows, frames=None, out=None):
        """The given rows (m,), cut or padded to `frames`: (m, frames, ...), written to `out` where it is given."""
        frames = self.shape[1] if frames is None else frames
        out = np.empty((len(rows), frames, *self.shape[2:]), self.dtype) if out is None else out
        shard = np.searchsorted(self._starts, rows, side="right") - 1
        for number in np.unique(shard):
            with self.shards[number].open_rows() as read:
                for place in np.flatnonzero(shard == number):
                    valid = min(frames, self._stored[rows[place]])
                    read(int(rows[place] - self._starts[number]), out[place, :valid])
                    out[place, valid:] = self._fill
        return out


def _check_shards(shards):
    if not any(shard.shape and shard.shape[0] for shard in shards):
        raise InputError("there are no sequences: give features of shape (n, T, F) with n of at least 1")
    for shard in shards:
        if len(shard.shape) < 2 or shard.shape[2:] != shards[0].shape[2:] or shard.dtype != shards[0].dtype:
            raise InputError(
                f"features are {shard.dtype} of shape {shard.shape}: all must be (n, T, F) with the same F and type"
            )


def _check_lengths(lengths, own):
    lengths = np.asarray(lengths)
    if lengths.shape != own.shape or lengths.dtype.kind not in "iu":
        raise InputError(
            f"lengths are {lengths.dtype} of shape {lengths.shape}: give a whole number for each of {len(own)}"
        )
    wrong = np.flatnonzero((lengths < 1) | (lengths > own))
    if len(wrong):
        raise InputError(f"sequence {wrong[0]} has length {lengths[wrong[0]]}: it must be from 1 to {own[wrong[0]]}")
    return lengths.astype(np.int64)
