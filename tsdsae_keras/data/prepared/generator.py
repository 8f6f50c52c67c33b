"""What a Python generator yields as a `tf.data.Dataset`, for every stream."""

import functools

import keras  # noqa: F401 - first: with PyTorch underneath, torch must be imported before tensorflow
import tensorflow as tf

from tsdsae_keras.process import keep_memory_again


def from_generator(generate, signature, batches):
    """The batches that `generate` yields, on the CPU also where there is a GPU.

    Args:
        generate: a function without arguments that gives the batches of an epoch.
        signature: `tf.TensorSpec` of a batch, or a dict of such.
        batches: how many there are: with their number known Keras shows a whole progress bar.
    """
    _begin_generators()
    options = tf.data.Options()
    # There is nothing to tune, and with PyTorch loaded an iterator often ends only when the tuner's thread wakes,
    # which sleeps twice as long each time: 1.7 s of steps then took 2.56 s, and 11 s would take 20.48 s.
    options.autotune.enabled = False
    with tf.device("CPU:0"):
        dataset = tf.data.Dataset.from_generator(generate, output_signature=signature)
        return dataset.apply(tf.data.experimental.assert_cardinality(batches)).with_options(options)


@functools.cache
def _begin_generators():
    """Runs a first data set from a generator, of nothing, and puts the allocator back to what it was.

    On Python 3.11 TensorFlow makes glibc map every array above 128 KiB on its own once there is such a data set: a step
    of audio pre-training on PyTorch then met 210,000 page faults and took two and a half times as long.
    """
    with tf.device("CPU:0"):
        list(tf.data.Dataset.from_generator(lambda: iter(()), output_signature=tf.TensorSpec(())))
    keep_memory_again()
