"""TFRecord shards of prepared folders, and prepared folders in object storage.

A shard `<split>-<number>.tfrecord` holds one tf.train.Example a sequence: for every array a feature of one byte string,
its values little-endian, in the type and shape that the manifest states. Labels come first, in alphabetical order, and
`features` last. So the records of a shard are of one length and differ in values alone: where each value stands is
known before a file is opened, and a file is taken only if it holds just what must stand between them. TensorFlow is
needed to write shards and to reach object storage, not to read shards on a disk.
Sources: the TFRecord format (a length, its masked CRC-32C, the data, their masked CRC-32C) as tensorflow.org/tutorials/
load_data/tfrecord states it; the wire format of Protocol Buffers, protobuf.dev/programming-guides/encoding.
"""

import contextlib
import io
import math
import re
import struct
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import numpy as np

from tsdsae_keras.data.prepared.manifest import AGAIN
from tsdsae_keras.data.prepared.sequences import Shard
from tsdsae_keras.errors import InputError
from tsdsae_keras.files import replacing, sha256_of

LARGEST_RECORD = (1 << 31) - 1  # bytes: Protocol Buffers read no longer ones
_FRAME, _TAIL = 12, 4  # bytes before and after the data of a record
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")


class RecordLayout:
    """Where everything stands in the records of one shard.

    Attributes:
        step: bytes from record to record.
        starts: {array: the byte of a record at which its values begin}.
        constants: [(byte, content)] of all that is the same in every record but for the CRC-32C of the data.

    Args:
        arrays: {name: (type as numpy writes it, shape of one sequence's values)}.

    Raises:
        InputError: a type that NumPy does not have, or records of more than 2 GiB.
    """

    def __init__(self, arrays):
        names = sorted(arrays, key=lambda name: (name == "features", name))
        sizes = [_type(arrays[name][0]).itemsize * math.prod(arrays[name][1]) for name in names]
        entries = [_entry(name.encode(), size) for name, size in zip(names, sizes, strict=True)]
        body = sum(map(len, entries)) + sum(sizes)
        head = _field(1, body)
        length = len(head) + body
        if length > LARGEST_RECORD:
            raise InputError(
                f"one sequence takes {length} bytes, a record at most {LARGEST_RECORD}: use the npy format"
            )
        frame = struct.pack("<Q", length)
        self.step = _FRAME + length + _TAIL
        self.starts, self.constants, place = {}, [(0, frame + struct.pack("<I", _masked_crc(frame)))], _FRAME
        entries[0] = head + entries[0]
        for name, entry, size in zip(names, entries, sizes, strict=True):
            self.constants.append((place, entry))
            self.starts[name] = place + len(entry)
            place += len(entry) + size

    def record(self, values):
        """The serialised tf.train.Example of one sequence; `values`: {array: bytes}."""
        pieces = zip(self.constants[1:], self.starts, strict=True)
        return b"".join(part for (_, entry), name in pieces for part in (entry, values[name]))

    def check(self, path, count, every=True):
        """InputError unless a file holds `count` such records; not `every`: its size and the first record only."""
        size = path.stat().st_size
        if size != count * self.step:
            raise InputError(f"{path} has {size} bytes instead of {count * self.step} for {count} records: {AGAIN}")
        with path.open("rb") as file:
            for number in range(count if every else 1):
                for place, content in self.constants:
                    file.seek(number * self.step + place)
                    if file.read(len(content)) != content:
                        raise InputError(f"record {number} of {path} is damaged or not of these data: {AGAIN}")


@dataclass(frozen=True)
class SteppedShard(Shard):
    """A `Shard` whose rows follow one another at `step` bytes."""

    step: int

    @contextlib.contextmanager
    def opened(self):
        with self.path.open("rb") as file:

            def read(row, out):
                read_at(file, self.start + row * self.step, out, self.path)

            yield read


def write_records(path, arrays):
    """Replaces a file by the records of some arrays (n, ...); returns its size and SHA-256."""
    arrays = {name: np.asarray(array, array.dtype.newbyteorder("<"), order="C") for name, array in arrays.items()}
    layout = RecordLayout({name: (array.dtype.str, array.shape[1:]) for name, array in arrays.items()})
    with replacing(path) as beside:
        with _tensorflow().io.TFRecordWriter(str(beside)) as writer:
            for rows in zip(*arrays.values(), strict=True):
                writer.write(layout.record({name: row.tobytes() for name, row in zip(arrays, rows, strict=True)}))
        stated = {"bytes": beside.stat().st_size, "sha256": sha256_of(beside)}
    return stated


def values_at(path, start, step, dtype, shape):
    """The values, `shape` (n, ...), of which each row begins `step` bytes behind the one before.

    A read-only memory map; in memory where the file stands in object storage.
    """
    if isinstance(path, Path):
        mapped = np.memmap(path, np.uint8, "r")
        inner = np.dtype(dtype).itemsize * np.cumprod((1, *shape[:0:-1]), dtype=np.int64)[-2::-1]
        return np.ndarray(shape, dtype, mapped, start, (step, *inner.tolist()))
    values = np.empty(shape, dtype)
    rows = values.reshape(shape[0], -1).view(np.uint8)
    with path.open("rb") as file:
        if step == rows.shape[1]:
            read_at(file, start, rows, path)
        else:
            for number, row in enumerate(rows):
                read_at(file, start + number * step, row, path)
    return values


def read_at(file, start, out, path):
    """Fills an array with the bytes of an open file from `start` on."""
    file.seek(start)
    if file.readinto(memoryview(out).cast("B")) != out.nbytes:
        raise InputError(f"{path} ends too early, so it was cut while in use; prepare it again")


def place_of(folder):
    """The path of a folder: a `Path`, or a `RemotePath` for a URL such as gs://bucket/data."""
    if isinstance(folder, RemotePath) or (isinstance(folder, str) and _URL.match(folder)):
        return RemotePath(str(folder))
    return Path(folder)


class RemotePath:
    """A file or folder by its URL, with what of pathlib reading takes; TensorFlow's file systems read it.

    Args:
        url: such as gs://bucket/data.

    Raises:
        InputError: at any access that fails, with the reason.
    """

    def __init__(self, url):
        self.url = url.rstrip("/")

    def __truediv__(self, name):
        return RemotePath(f"{self.url}/{name}")

    def __str__(self):
        return self.url

    def __repr__(self):
        return f"RemotePath({self.url!r})"

    @property
    def name(self):
        return self.url.rpartition("/")[2]

    def resolve(self):
        return self

    def is_symlink(self):
        return False

    def is_dir(self):
        with _told(self):
            return _gfile().isdir(self.url)

    def is_file(self):
        with _told(self):
            return _gfile().exists(self.url) and not _gfile().isdir(self.url)

    def iterdir(self):
        with _told(self):
            return (self / name for name in _gfile().listdir(self.url))

    def stat(self):
        with _told(self):
            return SimpleNamespace(st_size=_gfile().stat(self.url).length)

    def open(self, mode="rb"):
        """The file, for reading bytes."""
        with _told(self):
            return io.BufferedReader(_RemoteFile(self, _gfile().GFile(self.url, mode)), 1 << 16)


class _RemoteFile(io.RawIOBase):
    def __init__(self, path, file):
        self._path, self._file, self._size = path, file, path.stat().st_size

    def readable(self):
        return True

    def seekable(self):
        return True

    def seek(self, place, whence=io.SEEK_SET):
        with _told(self._path):
            place += {io.SEEK_SET: 0, io.SEEK_CUR: self._file.tell(), io.SEEK_END: self._size}[whence]
            self._file.seek(min(place, self._size))  # beyond the end there is nothing to read, which is no error
            return place

    def tell(self):
        return self._file.tell()

    def readinto(self, out):
        with _told(self._path):
            content = self._file.read(len(out))
        out[: len(content)] = content
        return len(content)

    def close(self):
        if not self.closed:
            self._file.close()
        super().close()


@contextlib.contextmanager
def _told(path):
    """Turns what TensorFlow raises into one line."""
    try:
        yield
    except _tensorflow().errors.OpError as error:
        reason = " ".join("".join(c if c.isprintable() else " " for c in error.message).split())[:200]
        raise InputError(f"{path} cannot be read ({reason}); see that the URL is right and access is given") from None


def _tensorflow():
    import keras  # noqa: F401 - first: with PyTorch underneath, torch must be imported before tensorflow
    import tensorflow

    return tensorflow


def _gfile():
    return _tensorflow().io.gfile


def _type(text):
    try:
        found = np.dtype(text)
    except TypeError:
        found = None
    if found is None or found.str != text:
        raise InputError(f"{text} is no type that NumPy has: {AGAIN}")
    return found


def _entry(name, size):
    """What stands before the `size` bytes of one entry of an Example: its name, and that one byte string follows."""
    feature = _field(1, size)
    feature = _field(1, len(feature) + size) + feature
    inner = _field(1, len(name)) + name + _field(2, len(feature) + size) + feature
    return _field(1, len(inner) + size) + inner


def _field(number, length):
    """The start of a field of so many bytes."""
    start = bytearray([number << 3 | 2])
    while length > 127:
        start.append(length & 127 | 128)
        length >>= 7
    return bytes([*start, length])


def _masked_crc(content):
    crc = 0xFFFFFFFF
    for byte in content:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    crc ^= 0xFFFFFFFF
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF
