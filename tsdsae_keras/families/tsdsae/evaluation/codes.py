"""What the metrics take: labelled sequences, and a model's codes of them at their means.

A model here is any object with ``encode(x, mask=None)``, a dict that holds `v_mean` (batch, v) and `z_mean`
(batch, time, z), and ``decode(z, v)``, sequences (batch, time, features); where sequences are masked, its
``decode`` takes `mask` too. Both take numpy arrays and may return tensors of any backend.
"""

from dataclasses import dataclass

import numpy as np

from tsdsae_keras.errors import InputError

FRAMES_AT_ONCE = 1 << 16


@dataclass(frozen=True)
class Split:
    """Sequences with what is known of them.

    Attributes:
        x: (n, time, features) sequences, log-mel in nats; an array, or what stays on disk and has the shape, `ndim` and
            indices of one, and a method `read`.
        instrument: (n,) one label a sequence, integers or strings; None when nobody knows.
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
class Codes:
    """Codes at their means: `v_mean` (n, v), one a sequence, and `z_mean` (n, time, z), one a frame."""

    v_mean: np.ndarray
    z_mean: np.ndarray


def encode(model, split, batch_size):
    """Codes of every sequence of `split`, found `batch_size` sequences at a time.

    Raises:
        InputError: a code is not finite, so no score of it would mean anything.
    """
    parts = [encode_batch(model, split.x[rows], part(split.mask, rows)) for rows in batches(split, batch_size)]
    v_mean, z_mean = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    return Codes(v_mean, z_mean)


def encode_batch(model, x, mask=None):
    """`v_mean` (batch, v) and `z_mean` (batch, time, z) of one batch, as numpy arrays."""
    found = model.encode(x, mask=mask)
    return finite("v_mean", found["v_mean"]), finite("z_mean", found["z_mean"])


def decode_batch(decode, z, v, mask=None):
    """Sequences (batch, time, features) from the two codes of one batch, as a numpy array."""
    return finite("output", decode(z, v) if mask is None else decode(z, v, mask=mask))


def at_once(frames, most=64):
    """How many sequences of so many frames are taken at a time: `most`, fewer where sequences are long, at least 1."""
    return max(1, min(most, FRAMES_AT_ONCE // frames))


def batches(sized, batch_size):
    """The slices that cut `sized` into batches, in order; the last may be shorter."""
    return [slice(start, start + batch_size) for start in range(0, len(sized), batch_size)]


def part(array, rows):
    """The given rows of an array that may be None."""
    return None if array is None else array[rows]


def finite(name, tensor):
    """A backend's tensor as a numpy array; InputError when it holds nan or infinity."""
    tensor = tensor.detach().cpu() if hasattr(tensor, "detach") else tensor
    array = np.asarray(tensor)
    if not np.isfinite(array).all():
        raise InputError(f"the model's {name} holds nan or infinity; train it again before evaluating it")
    return array


def _check_shape(name, array, shape):
    if array is not None and array.shape != shape:
        raise InputError(f"{name} has shape {array.shape}; it should be {shape}, to go with x")
