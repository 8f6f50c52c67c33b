"""Shards in NumPy's own format: .npy files, checked before their values are used."""

import contextlib
import io
import math
import threading
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tsdsae_keras.data.prepared.manifest import AGAIN
from tsdsae_keras.errors import InputError, quote

HEADER = 1 << 14  # bytes that hold the header of an .npy file; NumPy's take 128

# NumPy takes a header for Python, and two threads that parse Python at once can fail on Python 3.11 (CPython's issue
# 106905), so they wait for each other.
_PARSING = threading.Lock()


def map_array(path):
    """A read-only memory map of an .npy file, for any thread."""
    with _PARSING:
        return np.load(path, mmap_mode="r", allow_pickle=False)


@dataclass(frozen=True)
class NpyShard:
    """Where the values of one .npy file are: `path`, the byte they begin at, their type and their shape (n, ...)."""

    path: Path
    start: int
    dtype: np.dtype
    shape: tuple

    @contextlib.contextmanager
    def open_rows(self):
        """A function that reads row `row`, from its first values on, into an array (frames, ...).

        Files are read, not mapped: pages of a map would count as memory of the process.
        """
        size = self.dtype.itemsize * math.prod(self.shape[1:])
        with self.path.open("rb") as file:
            yield lambda row, out: self._read(file, self.start + row * size, out)

    def array(self):
        """All values: a read-only memory map, or in memory where the file is in object storage."""
        if isinstance(self.path, Path):
            return np.memmap(self.path, self.dtype, "r", self.start, self.shape)
        values = np.empty(self.shape, self.dtype)
        with self.path.open("rb") as file:
            self._read(file, self.start, values)
        return values

    def _read(self, file, start, out):
        file.seek(start)
        content = out.reshape(-1).view(np.uint8)  # a view, as rows are contiguous
        if file.readinto(memoryview(content)) != out.nbytes:
            raise InputError(f"{self.path} ends too early, so it was cut while in use; prepare it again")


def open_npy(path, dtype, shape):
    """The `NpyShard` of a file; InputError where it does not hold just this type and shape, (n, ...)."""
    held, start, size = _read_header(path)
    if held != (dtype, shape):
        shown = f"{held[0]} {quote(held[1])}"
        raise InputError(f"{path} holds {shown} instead of {dtype} {shape}: {AGAIN}")
    if size != path.stat().st_size:
        raise InputError(f"{path} has {path.stat().st_size} bytes instead of {size}: {AGAIN}")
    return NpyShard(path, start, np.dtype(dtype), shape)


def _read_header(path):
    """(type, shape) as an .npy file says, where its values begin, and the bytes of one that holds just that."""
    try:
        with path.open("rb") as file:
            start = io.BytesIO(file.read(HEADER))
        version = np.lib.format.read_magic(start)
        read = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}[version]
        with _PARSING:
            shape, fortran, dtype = read(start)
        if fortran and len(shape) > 1:
            raise ValueError("columns first")
        return (dtype.str, shape), start.tell(), start.tell() + math.prod(shape) * dtype.itemsize
    except Exception as error:  # a header is Python source: it raises whatever its bytes happen to mean
        raise InputError(f"{path} is not a readable .npy file: {AGAIN}") from error
