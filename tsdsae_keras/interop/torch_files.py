"""Checkpoints in PyTorch's formats, read by NumPy alone: PyTorch need not be installed, and nothing in them is run.

A pickle is a program: it names classes and functions and says what to call them with. Here a few names mean what a
table says they mean, every other name means `Unknown`, and nothing is imported. Both formats are read, the zip archive
(since PyTorch 1.6) and the older one. Source: torch/serialization.py of PyTorch 2.
"""

import io
import math
import pickle
import zipfile
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from tsdsae_keras.errors import InputError
from tsdsae_keras.untrusted import one_line, reason, shown_names

MAGIC, PROTOCOL = 0x1950A86A20F9469CFC6C, 1001
REMEDY = "give a .ckpt file as PyTorch Lightning wrote it, whole"
MOST_PICKLED = 1 << 22  # bytes of the pickle, which holds names and shapes; the numbers are outside it
TYPES = {"Double": "f8", "Float": "f4", "Half": "f2", "Long": "i8", "Int": "i4", "Short": "i2"}
TYPES = {f"torch.{name}Storage": code for name, code in (TYPES | {"Char": "i1", "Byte": "u1", "Bool": "?"}).items()}


class Unknown:
    """An object of a class that the table lacks: the state it was pickled with, and nothing that it does."""

    state = None

    def __new__(cls, *args, **options):
        return object.__new__(cls)

    def __setstate__(self, state):
        self.state = state

    def _ignore(self, *args):
        pass

    append = extend = add = __setitem__ = _ignore  # of classes that inherit from list, set and dict


class _Storage(NamedTuple):
    key: str
    type: str
    count: int


class _Tensor(NamedTuple):
    """A tensor as a file describes it; nothing is known to be true of it yet."""

    storage: object
    offset: object
    shape: object
    strides: object


@dataclass(frozen=True)
class Checkpoint:
    """What is used of a checkpoint.

    Args:
        state: arrays by torch name, as in a `state_dict`.
        epoch: as the file says, or None.
        settings: its hyper-parameters as they were unpickled; read them by `setting`.
    """

    state: dict
    epoch: int | None
    settings: object

    def setting(self, *names, default=None):
        """A hyper-parameter as a plain value or a list of those, such as `setting("model", "z_dim")`."""
        value = self.settings
        for name in names:
            value = _unwrap(value)
            if not isinstance(value, dict) or name not in value:
                return default
            value = value[name]
        value = _unwrap(value)
        return [_plain(each) for each in value[:100]] if isinstance(value, list) else _plain(value)


# Python's own unpickler: for a memory slot of a high number the one in C would take 64 GiB.
class _Unpickler(pickle._Unpickler):
    """Reads one pickle, its storages into a dict by key."""

    def __init__(self, file, storages):
        super().__init__(file, encoding="latin-1")
        self.storages = storages
        # Functions of this one pickle: it can set attributes of what it names.
        tensor = {f"torch._utils._rebuild_tensor{end}": lambda *given: _Tensor(*given[:4]) for end in ("", "_v2")}
        parameter = {"torch._utils._rebuild_parameter": lambda tensor, *_: tensor}
        self.names = TYPES | tensor | parameter | {"collections.OrderedDict": OrderedDict}

    def find_class(self, module, name):
        return self.names.get(f"{module}.{name}", Unknown)

    def persistent_load(self, given):
        what, kind, key, _, count, *view = given
        if what != "storage" or any(view):
            raise ValueError("it refers to something that is not a plain storage")
        return self.storages.setdefault(key, _Storage(key, kind, count))


def read_checkpoint(path, remedy=REMEDY, nested=("state_dict",)):
    """A `Checkpoint`: of PyTorch Lightning, or of a bare saved `state_dict`.

    Args:
        path: of the file.
        remedy: what to give instead, at the end of an error.
        nested: keys of dicts around the state, from the outermost to the innermost; those that are not there are passed
            over.

    Raises:
        InputError: the file is missing, not PyTorch's, damaged, or without a state.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(f"{path} is {'a folder' if path.is_dir() else 'not there'}; {remedy}")
    try:
        return (_read_zip if zipfile.is_zipfile(path) else _read_legacy)(path, nested)
    except InputError as error:
        raise InputError(f"{path} {error}; {remedy}") from None
    except Exception as error:  # a damaged pickle raises whatever its bytes happen to mean
        raise InputError(f"{path} is not a PyTorch file, or it is damaged ({reason(error)}); {remedy}") from error


def _read_zip(path, nested):
    with zipfile.ZipFile(path) as archive:
        roots = [name.removesuffix("data.pkl") for name in archive.namelist() if name.endswith("/data.pkl")]
        if len(roots) != 1:
            raise InputError("is a zip archive that PyTorch did not write (no data.pkl in it)")
        # PyTorch compresses nothing, so no part can be larger than the file.
        if any(part.compress_type != zipfile.ZIP_STORED for part in archive.infolist()):
            raise InputError("has compressed parts, which PyTorch does not write")
        if archive.getinfo(f"{roots[0]}data.pkl").file_size > MOST_PICKLED:
            raise InputError(f"has a pickle of more than {MOST_PICKLED} bytes")
        content = _Unpickler(io.BytesIO(archive.read(f"{roots[0]}data.pkl")), {}).load()
        order = f"{roots[0]}byteorder"
        big = order in archive.namelist() and archive.read(order) == b"big"
        most = 2 * path.stat().st_size
        return _checkpoint(content, nested, lambda key: archive.read(f"{roots[0]}data/{key}"), "<>"[big], most)


def _read_legacy(path, nested):
    """Five pickles: two magic numbers, the machine, the content, the keys of its blocks; then each block."""
    size = path.stat().st_size
    with path.open("rb") as file:
        pickled, storages, blocks = io.BytesIO(file.read(MOST_PICKLED)), {}, {}
        magic, protocol, machine, content, keys = (_Unpickler(pickled, storages).load() for _ in range(5))
        if (magic, protocol) != (MAGIC, PROTOCOL):
            raise ValueError("it does not begin as one")
        little = machine.get("little_endian", True)
        file.seek(pickled.tell())
        for key in keys:
            count = int.from_bytes(file.read(8), "little" if little else "big")
            if count != storages[key].count:
                raise ValueError("a block has another length than stated")
            blocks[key] = file.read(min(size, count * _type(storages[key]).itemsize))
        return _checkpoint(content, nested, blocks.get, "<" if little else ">", 2 * size)


def _checkpoint(content, nested, read, order, most):
    """A `Checkpoint` of what a pickle holds.

    Args:
        content: what was unpickled.
        nested: as in `read_checkpoint`.
        read: gives the bytes of a storage by its key.
        order: of the bytes, "<" or ">".
        most: bytes of all tensors together, of which many may share a storage.
    """
    content = content if isinstance(content, dict) else {}
    tensors, state = content, {}
    for key in nested:
        tensors = tensors[key] if isinstance(tensors, dict) and key in tensors else tensors
    if not isinstance(tensors, dict) or not tensors or not all(map(_is_named_tensor, tensors.items())):
        raise InputError(f"holds no state_dict of tensors; its keys are: {shown_names(map(_plain, content)) or 'none'}")
    for name, tensor in tensors.items():
        view = _view(tensor, read, order)
        most -= view.nbytes
        if most < 0:
            raise InputError("has tensors that share their numbers: together they are more than twice the file")
        state[name] = view.astype(view.dtype.newbyteorder("="))
    epoch = _plain(content.get("epoch"))
    return Checkpoint(state, epoch if type(epoch) is int else None, content.get("hyper_parameters"))


def _is_named_tensor(item):
    return isinstance(item[0], str) and isinstance(item[1], _Tensor)


def _view(tensor, read, order):
    """A tensor's numbers in their storage."""
    storage, offset, shape, strides = tensor
    numbers = np.frombuffer(read(storage.key), _type(storage).newbyteorder(order))
    # NumPy's own checks let pass an empty buffer, and strides whose sum is beyond 64 bits.
    if any(type(n) is not int or n < 0 for n in (offset, *shape, *strides)):
        raise ValueError("a tensor has a shape or strides that are not whole numbers of at least 0")
    end = offset + sum((n - 1) * stride for n, stride in zip(shape, strides, strict=True)) + 1 if all(shape) else 0
    if max(math.prod(shape), end) > len(numbers):
        raise ValueError(f"a tensor lies outside its storage of {len(numbers)} numbers")
    steps = [stride * numbers.itemsize for stride in strides]
    return np.lib.stride_tricks.as_strided(numbers[offset:], shape, steps, writeable=False)


def _type(storage):
    if storage.type not in TYPES.values():
        raise InputError("holds numbers of a type that NumPy lacks; convert the model by .float() and save it again")
    return np.dtype(storage.type)


def _unwrap(value):
    """What a node of OmegaConf holds; other values as they are."""
    if isinstance(value, Unknown) and isinstance(value.state, dict):
        return value.state.get("_content", value.state.get("_val"))
    return value


def _plain(value):
    """A text on one line, or a number; None for all else."""
    value = _unwrap(value)
    if isinstance(value, str):
        return one_line(value)
    return value if isinstance(value, float) or (isinstance(value, int) and abs(value) < 1 << 53) else None
