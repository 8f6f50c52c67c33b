"""Sequences taken a batch at a time, and a model's tensors as arrays."""

import numpy as np

from tsdsae_keras.errors import InputError

FRAMES_AT_ONCE = 1 << 16


def batch_size_for(frames, most=64):
    """How many sequences of `frames` frames to take at a time: `most`, fewer where they are long, at least 1."""
    return max(1, min(most, FRAMES_AT_ONCE // frames))


def batch_slices(sized, batch_size):
    """The slices that cut `sized` into batches, in order; the last may be shorter."""
    return [slice(start, start + batch_size) for start in range(0, len(sized), batch_size)]


def in_batches(function, rows, batch_size=32):
    """function(rows), a batch of them at a time, joined along the first axis."""
    return np.concatenate([function(rows[part]) for part in batch_slices(rows, batch_size)])


def take_rows(array, rows):
    """The given rows of an array; None where the array is None, such as the mask of sequences without padding."""
    return None if array is None else array[rows]


def to_finite_array(name, tensor):
    """A tensor of any backend as a numpy array.

    Raises:
        InputError: it holds nan or infinity, so no score of it would mean anything; the error calls it `name`.
    """
    tensor = tensor.detach().cpu() if hasattr(tensor, "detach") else tensor
    array = np.asarray(tensor)
    if not np.isfinite(array).all():
        raise InputError(f"the model's {name} holds nan or infinity; train it again before evaluating it")
    return array
