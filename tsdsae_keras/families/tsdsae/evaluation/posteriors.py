"""What the scores take: labelled sequences, and a model's posterior means of them.

A model here is any object with ``encode(x, mask=None)``, a dict that holds `v_mean` (batch, v) and `z_mean`
(batch, time, z), and ``decode(z, v)``, sequences (batch, time, features); where sequences are masked, its
``decode`` takes `mask` too. Both take numpy arrays and may return tensors of any backend.
"""

from dataclasses import dataclass

import numpy as np

from tsdsae_keras.errors import InputError
from tsdsae_keras.metrics.batching import batch_slices, take_rows, to_finite_array


@dataclass(frozen=True)
class Split:
    """Sequences with what is known of them.

    Attributes:
        x: (n, time, features) sequences, log-mel in nats; an array, or what stays on disk and has the shape, `ndim` and
            indices of one, and a method `read`.
        instrument: (n,) one label a sequence, integers or strings; None if unknown.
        mask: (n, time) true where a frame is valid; None when all are.

    Raises:
        InputError: an array has another shape, or there is not one sequence.
    """

    x: np.ndarray
    instrument: np.ndarray | None = None
    mask: np.ndarray | None = None

    def __post_init__(self):
        for name in ("x", "instrument", "mask"):
            value = getattr(self, name)
            if value is not None and not hasattr(value, "read"):
                object.__setattr__(self, name, np.asanyarray(value))
        if self.x is None or self.x.ndim != 3 or not len(self.x):
            raise InputError(f"x has shape {np.shape(self.x)}; it should be (sequences, time, features)")
        _check_shape("instrument", self.instrument, self.x.shape[:1])
        _check_shape("mask", self.mask, self.x.shape[:2])

    def __len__(self):
        return len(self.x)

    @property
    def lengths(self):
        """(n,) valid frames."""
        whole = np.full(len(self), self.x.shape[1])
        return whole if self.mask is None else np.asarray(self.mask, bool).sum(axis=1)

    @classmethod
    def of(cls, given):
        """A Split from a Split, from a dict with its fields, or from an object that has them."""
        if isinstance(given, cls):
            return given
        get = given.get if isinstance(given, dict) else lambda name: getattr(given, name, None)
        return cls(get("x"), get("instrument"), get("mask"))


@dataclass(frozen=True)
class Posteriors:
    """Posterior means of n sequences: `v_mean` (n, v), one a sequence, and `z_mean` (n, time, z), one a frame."""

    v_mean: np.ndarray
    z_mean: np.ndarray


def encode_split(model, split, batch_size):
    """`Posteriors` of every sequence of `split`, encoded `batch_size` sequences at a time.

    Raises:
        InputError: a code is not finite, so no score of it would mean anything.
    """
    slices = batch_slices(split, batch_size)
    parts = [encode_batch(model, split.x[rows], take_rows(split.mask, rows)) for rows in slices]
    v_mean, z_mean = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    return Posteriors(v_mean, z_mean)


def encode_batch(model, x, mask=None):
    """`v_mean` (batch, v) and `z_mean` (batch, time, z) of one batch, as numpy arrays."""
    codes = model.encode(x, mask=mask)
    return to_finite_array("v_mean", codes["v_mean"]), to_finite_array("z_mean", codes["z_mean"])


def decode_batch(decode, z, v, mask=None):
    """Sequences (batch, time, features) from the two codes of one batch, as a numpy array."""
    return to_finite_array("output", decode(z, v) if mask is None else decode(z, v, mask=mask))


def _check_shape(name, array, shape):
    if array is not None and array.shape != shape:
        raise InputError(f"{name} has shape {array.shape}; it should be {shape}, to go with x")
