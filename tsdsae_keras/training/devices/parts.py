"""Parts of batches: what one process reads, and what one replica sees."""

import contextlib

import keras
import tensorflow as tf

from tsdsae_keras.data.prepared.generator import from_generator


def part_of(stream, index, count):
    """The batches of a stream, of each only the rows of part `index` of `count`, in their order.

    Prepared sequences are read only where they are needed; what a data set generates is generated whole, because all
    rows of a batch come from one sequence of random numbers.
    """
    if count == 1:
        return stream.dataset
    if hasattr(stream, "part"):
        return stream.part(index, count)

    def cut(batch):
        rows = tf.shape(tf.nest.flatten(batch)[0])[0] // count
        return tf.nest.map_structure(lambda x: _with_rows(x[index * rows : (index + 1) * rows], x, 1, count), batch)

    return dataset_of(stream).map(cut)


def repeat_rows(stream, count):
    """The batches of a stream, each holding its rows `count` times: split by a strategy, every part is the whole."""
    return dataset_of(stream).map(
        lambda batch: tf.nest.map_structure(lambda x: _with_rows(tf.concat([x] * count, axis=0), x, count, 1), batch)
    )


def dataset_of(stream):
    """A stream's `tf.data.Dataset`, also where it is a `keras.utils.PyDataset`."""
    batches = stream.dataset
    if not isinstance(batches, keras.utils.PyDataset):
        return batches
    signature = {name: tf.TensorSpec((None, *x.shape[1:]), x.dtype) for name, x in batches[0].items()}
    return from_generator(lambda: (batches[place] for place in range(len(batches))), signature, len(batches))


def leave_gpus():
    """Keeps TensorFlow, which only reads data here, from taking the memory of GPUs that another backend computes on."""
    with contextlib.suppress(RuntimeError):  # it is at work already
        tf.config.set_visible_devices([], "GPU")


def _with_rows(result, x, times, over):
    """The result with as many rows as those of x times and over so much, where they are known."""
    known = None if x.shape[0] is None else x.shape[0] * times // over
    return tf.ensure_shape(result, (known, *x.shape[1:]))
