"""Replicas on TensorFlow: those of `tf.distribute.MirroredStrategy`, of which each step runs one on every device."""

import tensorflow as tf


def count():
    """Replicas of the strategy whose step is being traced; 1 where there is none."""
    return tf.distribute.get_strategy().num_replicas_in_sync if tf.distribute.get_replica_context() else 1


def index():
    """Which of them this is."""
    return _context().replica_id_in_sync_group


def gather(x):
    """All rows, as a sum of what each replica pads with zeros to the place of its rows.

    The sum is what the strategy differentiates well: its gradient is the sum over replicas, cut to these rows.
    """
    rows = tf.shape(x)[0]
    before = index() * rows
    rest = [[0, 0]] * (len(x.shape) - 1)
    padded = tf.pad(x, [[before, (count() - 1) * rows - before], *rest])
    known = None if x.shape[0] is None else count() * x.shape[0]
    return tf.ensure_shape(_context().all_reduce(tf.distribute.ReduceOp.SUM, padded), (known, *x.shape[1:]))


def average(x):
    """The average, there and back."""
    return _context().all_reduce(tf.distribute.ReduceOp.MEAN, x)


def _context():
    return tf.distribute.get_replica_context()
