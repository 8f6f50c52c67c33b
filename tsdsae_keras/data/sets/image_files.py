"""Files of large arrays of images, read a few frames at a time.

A compressed file is unpacked once, block by block, into the cache folder, as an .npy file that is mapped into memory.
"""

import hashlib
import math
import zipfile
from pathlib import Path

import numpy as np

from tsdsae_keras.data.prepared.npy import map_array
from tsdsae_keras.errors import InputError
from tsdsae_keras.files import replacing
from tsdsae_keras.untrusted import one_line

BLOCK = 1 << 26  # bytes unpacked at a time


def map_npz(path, name, cache):
    """An array of an .npz file, unpacked into the cache and mapped.

    Args:
        path: of the file.
        name: of the array.
        cache: folder.

    Raises:
        InputError: the file cannot be read, or has no such array of numbers.
    """
    try:
        with zipfile.ZipFile(path) as archive, archive.open(f"{name}.npy") as member:
            shape, dtype = _head(member)
            rows = max(1, BLOCK // max(1, dtype.itemsize * math.prod(shape[1:])))
            blocks = (_rows(member, min(rows, shape[0] - start), shape, dtype) for start in range(0, shape[0], rows))
            return _unpack(path, cache, name, shape, dtype, blocks)
    except (OSError, KeyError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise InputError(f"{path} cannot be read as an .npz file with {name!r} ({one_line(error, 80)})") from None


def _head(member):
    version = np.lib.format.read_magic(member)
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, fortran, dtype = read(member)
    if fortran or dtype.kind not in "uifb" or not shape:
        raise ValueError(f"an array of {dtype}, {shape}")
    return shape, dtype


def _rows(member, count, shape, dtype):
    block = np.frombuffer(member.read(count * dtype.itemsize * math.prod(shape[1:])), dtype)
    return block.reshape(count, *shape[1:])


def map_hdf5(path, name, cache):
    """As `map_npz`, a dataset of an HDF5 file."""
    import h5py

    try:
        with h5py.File(path, "r") as file:
            if not isinstance(file.get(name), h5py.Dataset) or file[name].external or not file[name].shape:
                raise ValueError(f"it has {', '.join(list(file)[:8]) or 'nothing'}")
            data = file[name]
            rows = max(1, BLOCK // max(1, data.dtype.itemsize * math.prod(data.shape[1:])))
            blocks = (data[start : start + rows] for start in range(0, len(data), rows))
            return _unpack(path, cache, name, data.shape, data.dtype, blocks)
    except (OSError, ValueError) as error:
        raise InputError(f"{path} cannot be read as an HDF5 file with {name!r} ({one_line(error, 80)})") from None


def _unpack(path, cache, name, shape, dtype, blocks):
    """The mapped array in the cache, made from blocks where it is not there yet."""
    # Not the content's hash: a file of gigabytes would be read twice.
    known = Path(path).stat()
    target = Path(cache) / f"{Path(path).stem}-{name}-{known.st_size}-{known.st_mtime_ns}.npy"
    if not target.is_file():
        target.parent.mkdir(parents=True, exist_ok=True)
        with replacing(target) as temporary:
            array = np.lib.format.open_memmap(temporary, "w+", dtype, shape)
            start = 0
            for block in blocks:
                array[start : start + len(block)] = block
                start += len(block)
            array.flush()
            del array
    return map_array(target)


def image_reader(images, grid, path):
    """A function of class indices (n, k) to frames (n, h, w, c) float32 between 0 and 1, from a file of the whole grid.

    Args:
        images: (frames, h, w) or (frames, h, w, c), uint8 or bool, in the order of `grid.index`.
        grid: `transitions.Grid`.
        path: for messages.

    Raises:
        InputError: frames are missing, or of another type.
    """
    if len(images) != math.prod(grid.sizes):
        sizes = " x ".join(map(str, grid.sizes))
        raise InputError(f"{path} holds {len(images)} frames; a grid of {sizes} factors has {math.prod(grid.sizes)}")
    if images.dtype not in (np.uint8, bool) or images.ndim not in (3, 4):
        raise InputError(f"{path} holds {images.dtype} {images.shape}; it should be uint8, (frames, h, w, channels)")
    # dSprites has 0 and 1, photographs go to 255.
    top = 1.0 if images.dtype == bool or int(np.max(images[:64])) <= 1 else 255.0

    def frames(factors):
        index = grid.index(factors)
        order = np.argsort(index)  # the file is read from its beginning to its end
        found = np.empty((len(index), *images.shape[1:]), "float32")
        found[order] = images[index[order]]
        return (found if found.ndim == 4 else found[..., None]) / top

    return frames


def file_identity(path):
    """What tells a file from another: its size and the SHA-256 of its first megabyte."""
    with open(path, "rb") as file:
        return f"{Path(path).stat().st_size} {hashlib.sha256(file.read(1 << 20)).hexdigest()}"
