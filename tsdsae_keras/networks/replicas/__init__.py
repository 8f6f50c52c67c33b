"""Replicas of a model that each see a part of a batch: what must be taken over the whole of it.

On TensorFlow and PyTorch every device runs the train step on its part. JAX needs none of this: its program sees the
whole batch, wherever its rows are.

The train step averages the gradients of the replicas. So a mean over the examples of a part has the gradient of the
mean over the batch. The backward passes here belong to the same rule: a loss that every replica computes on gathered
rows has the gradient of the one loss, because what is gathered passes back the sum over replicas, and what is averaged
the average.
"""

import contextlib
import contextvars
import importlib
import itertools

import keras
from keras import ops

# Of the thread: TensorFlow traces each replica in a thread of its own.
_splitting = contextvars.ContextVar("splitting", default=False)


@contextlib.contextmanager
def split_batch():
    """While it is entered, a batch is the part of this replica: a train step. Elsewhere every batch is whole."""
    token = _splitting.set(True)
    try:
        yield
    finally:
        _splitting.reset(token)


def count():
    """How many replicas share the batch; 1 outside a train step."""
    return _of_backend().count() if _splitting.get() and _of_backend() else 1


def index():
    """Which of them this is, from 0."""
    return _of_backend().index() if count() > 1 else 0


def gather(x):
    """The rows of all replicas, in order: (n, ...) -> (count * n, ...)."""
    if count() == 1:
        return x
    if keras.backend.standardize_dtype(x.dtype) == "bool":
        return ops.cast(_of_backend().gather(ops.cast(x, "int32")), "bool")
    return _of_backend().gather(x)


def part(x, copies=1):
    """The rows of this replica: (count * n, ...) -> (n, ...), of each copy of the batch where rows are copies of it."""
    if count() == 1:
        return x
    rest = tuple(ops.shape(x)[1:])
    return ops.reshape(ops.reshape(x, (copies, count(), -1, *rest))[:, index()], (-1, *rest))


def average(values):
    """The average over replicas of each of some float tensors of equal shape on all, in one exchange."""
    if count() == 1:
        return list(values)
    flat = [ops.reshape(value, (-1,)) for value in values]
    ends = itertools.accumulate((ops.shape(each)[0] for each in flat), initial=0)
    whole = _of_backend().average(ops.concatenate(flat, axis=0))
    pieces = [whole[start:end] for start, end in itertools.pairwise(ends)]
    return [ops.reshape(piece, ops.shape(value)) for piece, value in zip(pieces, values, strict=True)]


def _of_backend():
    """The module of the backend in use, or None for JAX."""
    name = keras.backend.backend()
    return None if name == "jax" else importlib.import_module(f"tsdsae_keras.networks.replicas.{name}")
