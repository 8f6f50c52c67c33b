"""Checkpoints of the authors' PyTorch code, read by NumPy alone: PyTorch need not be installed.

Nothing in the file is executed: what its pickle names is never imported, see `unpickling`. Nothing is read before its
size is known to be bounded. Both of PyTorch's formats are read, the zip archive (since 1.6) and the older one. Source
of the formats: torch/serialization.py of PyTorch 2.
"""

import io
import math
import zipfile
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from tsdsae_keras.base.safety import one_line, opened_zip, shown_names
from tsdsae_keras.errors import InputError
from tsdsae_keras.interop.unpickling import LARGEST, MOST_BYTES, Unpickler, plain, tensor_of

MAGIC, PROTOCOL = 0x1950A86A20F9469CFC6C, 1001
SURPLUS = ("audio_synth.",)  # the authors' mel inversion: constants, no weights
REMEDY = "give a .ckpt file as PyTorch Lightning wrote it, whole"
MOST_NUMBERS = 3 << 27  # bytes of all tensors, and of one block; the weights of a model take at most 2 << 27
MOST_READ = 1 << 32  # bytes of blocks, some of them again: tensors that share one can stand apart
DIRECTORY = 1 << 23  # bytes of an archive's list of parts


@dataclass(frozen=True)
class Checkpoint:
    """What is used of a checkpoint.

    Args:
        state: arrays by torch name; `from_reference_state` makes a model of them.
        epoch: that the file says it is of, or None.
        settings: the hyper-parameters as plain values; what cannot be one is None.
    """

    state: dict
    epoch: int | None = None
    settings: dict = field(default_factory=dict)


def read_checkpoint(path):
    """The state of a Lightning checkpoint, or of a bare saved `state_dict`, as arrays by torch name.

    Raises:
        InputError: the file is missing, no PyTorch file, damaged, or without a state.
    """
    return open_checkpoint(path).state


def open_checkpoint(path):
    """A `Checkpoint`; errors are those of `read_checkpoint`."""
    path = Path(path)
    if not path.is_file():
        raise InputError(f"{path} is {'a folder' if path.is_dir() else 'not there'}; {REMEDY}")
    try:
        with path.open("rb") as file:
            read = _read_zip if zipfile.is_zipfile(file) else _read_legacy
            file.seek(0)
            content, block, order = read(file)
            return _checkpoint(content, _Arrays(block, order))
    except InputError as error:
        raise InputError(f"{path} {error}") from None
    except Exception as error:  # a damaged pickle raises whatever its bytes happen to mean
        reason = one_line(error) or type(error).__name__
        raise InputError(f"{path} is no PyTorch checkpoint, or it is damaged ({reason}); {REMEDY}") from error


def _checkpoint(content, array):
    content = content if isinstance(content, dict) else {}
    state = content.get("state_dict", content)
    tensors = _tensors(state) if isinstance(state, dict) else {}
    if not tensors:
        raise InputError(f"holds no state_dict of tensors; its keys are: {shown_names(content) or 'none'}")
    settings, epoch = plain(content.get("hyper_parameters")), content.get("epoch")
    return Checkpoint(
        {name: array(tensor) for name, tensor in tensors.items() if not name.startswith(SURPLUS)},
        epoch if type(epoch) is int and 0 <= epoch < LARGEST else None,
        settings if isinstance(settings, dict) else {},
    )


def _tensors(state):
    """What `tensor_of` gives by name, or nothing where something is no tensor."""
    tensors = {name: tensor_of(value) for name, value in state.items() if isinstance(name, str)}
    return tensors if len(tensors) == len(state) and None not in tensors.values() else {}


def _read_zip(file):
    """The content, a function from storage to bytes, and the byte order."""
    archive = opened_zip(file, DIRECTORY)
    roots = [name.removesuffix("data.pkl") for name in archive.namelist() if name.endswith("/data.pkl")]
    if len(roots) != 1:
        raise InputError(f"is a zip archive that PyTorch did not write (no data.pkl in it); {REMEDY}")
    root = roots[0]
    big = f"{root}byteorder" in archive.namelist() and _part(archive, f"{root}byteorder", 64) == b"big"
    content = Unpickler(io.BytesIO(_part(archive, f"{root}data.pkl", MOST_BYTES))).load()
    return content, lambda storage: _part(archive, f"{root}data/{storage.key}", MOST_NUMBERS), ">" if big else "<"


def _part(archive, name, most):
    """A part of an archive; PyTorch compresses none, so none can be larger than the file."""
    part = archive.getinfo(name)
    if part.compress_type != zipfile.ZIP_STORED:
        raise InputError(f"has compressed parts, which PyTorch does not write; {REMEDY}")
    if part.file_size > most:
        raise InputError(f"has a part of {part.file_size} bytes; at most {most} are read")
    return archive.read(name)


def _read_legacy(file):
    """As `_read_zip`: five pickles, then every block, its count before it."""
    if Unpickler(file).load() != MAGIC or Unpickler(file).load() != PROTOCOL:
        raise ValueError("it does not begin as one")
    little = Unpickler(file).load().get("little_endian", True)
    unpickler = Unpickler(file)
    content, blocks = unpickler.load(), {}
    for key in Unpickler(file).load():
        storage = unpickler.storages[key]
        if int.from_bytes(file.read(8), "little" if little else "big") != storage.count:
            raise ValueError(f"block {key} has another length than stated")
        blocks[key] = file.tell(), storage.count * np.dtype(_type(storage)).itemsize
        file.seek(blocks[key][1], io.SEEK_CUR)
    return content, lambda storage: _block(file, *blocks[storage.key]), "<" if little else ">"


def _block(file, start, length):
    if length > MOST_NUMBERS:
        raise InputError(f"has a block of {length} bytes; at most {MOST_NUMBERS} are read")
    file.seek(start)
    return file.read(length)


class _Arrays:
    """Copies tensors out of their blocks, of which one is in memory at a time.

    Args:
        read: from storage to bytes.
        order: of bytes.
    """

    def __init__(self, read, order):
        self.read, self.order = read, order
        self.key, self.block = None, b""
        self.to_read, self.to_copy = MOST_READ, MOST_NUMBERS

    def __call__(self, tensor):
        storage, offset, shape, strides = tensor
        numbers = np.frombuffer(self._block(storage), self.order + _type(storage))
        _check_within(len(numbers), offset, shape, strides)
        self.to_copy -= math.prod(shape) * numbers.itemsize
        if self.to_copy < 0:
            raise InputError(f"has tensors of more than {MOST_NUMBERS} bytes in all, more than any model can have")
        steps = [stride * numbers.itemsize for stride in strides]
        view = np.lib.stride_tricks.as_strided(numbers[offset:], shape, steps, writeable=False)
        return view.astype(numbers.dtype.newbyteorder("="))

    def _block(self, storage):
        if storage.key != self.key:
            self.block = b""  # gone before the next one comes
            self.key, self.block = storage.key, self.read(storage)
            self.to_read -= len(self.block)
        if self.to_read < 0:
            raise InputError(f"has tensors in such an order that more than {MOST_READ} bytes would be read")
        return self.block


def _type(storage):
    if storage.type is None:
        raise InputError("holds numbers of a type that NumPy lacks; convert the model by .float() and save it again")
    return storage.type


def _check_within(length, offset, shape, strides):
    """ValueError unless a tensor lies within its block."""
    if not all(type(n) is int and n >= 0 for n in (offset, *shape, *strides)) or len(shape) != len(strides):
        raise ValueError("a tensor has a shape or strides that are no whole numbers of at least 0")
    size = math.prod(shape)
    end = 1 + offset + sum((n - 1) * stride for n, stride in zip(shape, strides, strict=True)) if size else 0
    if max(size, end) > length:
        raise ValueError(f"a tensor of shape {tuple(shape)} lies outside its block of {length} numbers")
