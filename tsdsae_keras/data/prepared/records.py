"""TFRecord shards: one tf.train.Example a sequence, for every array a feature of one byte string, little-endian.

The records of a shard have the same names, types and shapes, so they are of one length and can be read in any order.
"""

import contextlib
import functools
import math

import numpy as np

from tsdsae_keras.data.prepared.manifest import AGAIN
from tsdsae_keras.errors import InputError
from tsdsae_keras.files import replacing, sha256_of

LARGEST_RECORD = (1 << 31) - 1  # bytes: Protocol Buffers read no longer ones
# TFRecord puts a length of 8 bytes and its checksum of 4 before the data of a record, and a checksum of 4 behind it.
_HEAD, _TAIL = 12, 4
_MOST_AROUND = 1024  # bytes of names and lengths that may surround one value


def write_records(path, arrays):
    """Replaces a file by the records of some arrays (n, ...); returns its size and SHA-256."""
    size = sum(array.nbytes // len(array) + _MOST_AROUND for array in arrays.values())
    if size > LARGEST_RECORD:
        raise InputError(f"one sequence takes {size} bytes, a record at most {LARGEST_RECORD}: use the npy format")
    tf = _tensorflow()
    arrays = {name: np.asarray(array, array.dtype.newbyteorder("<"), order="C") for name, array in arrays.items()}
    with replacing(path) as temporary:
        with tf.io.TFRecordWriter(str(temporary)) as writer:
            for rows in zip(*arrays.values(), strict=True):
                writer.write(_serialize(tf, dict(zip(arrays, rows, strict=True))))
        return {"bytes": temporary.stat().st_size, "sha256": sha256_of(temporary)}


class RecordShard:
    """The records of one file: `count` of them, with {name: (type as NumPy writes it, shape of one sequence's values)}.

    Opening it reads all of them once, which compares their checksums and shows whether they hold what was stated. After
    that, `features` are read record by record, and all other arrays, which are small, stay in memory.

    Attributes:
        labels: {name: array (count, ...)} of all arrays but the features.
        shape: (count, ...) of the features.
        dtype: of the features.

    Raises:
        InputError: the file is damaged or holds something else.
    """

    def __init__(self, path, count, arrays):
        self.path, self._arrays = path, {name: (_dtype(kind), tuple(shape)) for name, (kind, shape) in arrays.items()}
        self.dtype, shape = self._arrays["features"]
        self.shape = (count, *shape)
        self._step = self._check_size()
        records = [self._read_labels(number, record) for number, record in enumerate(self._read_all())]
        if len(records) != count:
            raise self._damage_error(len(records))
        self.labels = {name: np.stack([each[name] for each in records]) for name in arrays if name != "features"}

    @contextlib.contextmanager
    def open_rows(self):
        """A function that reads the features of record `row`, from the first on, into an array."""
        with self.path.open("rb") as file:

            def read(row, out):
                file.seek(row * self._step)
                record = file.read(self._step)[_HEAD:-_TAIL]
                out[...] = self._parse(row, record, ["features"])["features"][: len(out)]

            yield read

    def array(self, name):
        """All values of one array, (count, ...)."""
        if name != "features":
            return self.labels[name]
        values = np.empty(self.shape, self.dtype)
        with self.open_rows() as read:
            for row, out in enumerate(values):
                read(row, out)
        return values

    def _check_size(self):
        """Bytes of a record, once the file cannot be of a quite different size: nothing is read before that."""
        size, count = self.path.stat().st_size, self.shape[0]
        least = count * sum(dtype.itemsize * math.prod(shape) for dtype, shape in self._arrays.values())
        if size % count or not least <= size <= least + count * len(self._arrays) * _MOST_AROUND:
            raise InputError(f"{self.path} has {size} bytes instead of some more than {least}: {AGAIN}")
        return size // count

    def _read_all(self):
        tf = _tensorflow()
        records = tf.data.TFRecordDataset(str(self.path))
        options = tf.data.Options()
        options.autotune.enabled = False  # its thread would delay the end of the iterator
        iterator = records.with_options(options).as_numpy_iterator()
        try:
            yield from iterator
        except tf.errors.OpError as error:
            raise self._damage_error() from error

    def _read_labels(self, number, record):
        values = self._parse(number, record, self._arrays)
        # Copies, so that the features of the record can be freed.
        return {name: value.copy() for name, value in values.items() if name != "features"}

    def _parse(self, number, record, names):
        """The values of some arrays in one serialised record."""
        if len(record) != self._step - _HEAD - _TAIL:
            raise self._damage_error(number)
        try:
            features = _tensorflow().train.Example.FromString(record).features.feature
            values = {}
            for name in names:
                dtype, shape = self._arrays[name]
                values[name] = np.frombuffer(features[name].bytes_list.value[0], dtype).reshape(shape)
        except Exception as error:  # protobuf's DecodeError, or a value that is missing or of another length
            raise self._damage_error(number) from error
        return values

    def _damage_error(self, number=None):
        which = str(self.path) if number is None else f"record {number} of {self.path}"
        return InputError(f"{which} is damaged or not of these data: {AGAIN}")


def _serialize(tf, values):
    features = {
        name: tf.train.Feature(bytes_list=tf.train.BytesList(value=[value.tobytes()])) for name, value in values.items()
    }
    example = tf.train.Example(features=tf.train.Features(feature=features))
    return example.SerializeToString(deterministic=True)  # the same bytes whenever a set is prepared


@functools.cache
def _dtype(text):
    try:
        return np.dtype(text)
    except TypeError as error:
        raise InputError(f"{text} is not a type that NumPy has: {AGAIN}") from error


def _tensorflow():
    import keras  # noqa: F401 - first: with PyTorch underneath, torch must be imported before tensorflow
    import tensorflow

    return tensorflow
