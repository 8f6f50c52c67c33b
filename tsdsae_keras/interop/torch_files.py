"""Checkpoints in PyTorch's formats, read by NumPy alone: PyTorch need not be installed, and nothing in them is run.

Both formats are read, the zip archive (since PyTorch 1.6) and the older one. Source: torch/serialization.py of
PyTorch 2.
"""

import functools
import io
import math
import zipfile
from collections import OrderedDict
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from tsdsae_keras.errors import InputError
from tsdsae_keras.interop.pickles import RestrictedUnpickler, Unknown
from tsdsae_keras.untrusted import open_zip, reason, shown_names

MAGIC, PROTOCOL = 0x1950A86A20F9469CFC6C, 1001
REMEDY = "give a .ckpt file as PyTorch Lightning wrote it, whole"
MOST_PICKLED = 1 << 22  # bytes of the pickle, which holds names and shapes; numbers stand apart from it
MOST_SETTINGS, DEEPEST, LONGEST, LARGEST = 10_000, 100, 200, 1 << 53
TYPES = {"Double": "f8", "Float": "f4", "Half": "f2", "Long": "i8", "Int": "i4", "Short": "i2"}
TYPES = {f"torch.{name}Storage": code for name, code in (TYPES | {"Char": "i1", "Byte": "u1", "Bool": "?"}).items()}


@dataclass(frozen=True)
class Checkpoint:
    """What is used of a checkpoint.

    Args:
        state: arrays by torch name, as in a `state_dict`.
        epoch: as the file says, or None.
        settings: its hyper-parameters as plain values; what has no plain value is None.
    """

    state: dict
    epoch: int | None = None
    settings: dict = field(default_factory=dict)


@dataclass(eq=False, repr=False)
class _Storage:
    """Where numbers stand: the key of a block, NumPy's type without byte order (None: unknown), their count."""

    key: str
    type: str | None
    count: int


@dataclass(eq=False, repr=False)
class _Tensor:
    """A tensor as a file describes it; nothing is known to be true of it yet."""

    storage: object
    offset: object
    shape: object
    strides: object


ALLOWED = {
    "collections.OrderedDict": OrderedDict,
    "torch._utils._rebuild_tensor": lambda *given: _Tensor(*given[:4]),
    "torch._utils._rebuild_tensor_v2": lambda *given: _Tensor(*given[:4]),
    "torch._utils._rebuild_parameter": lambda tensor, *_: tensor,
}


def read_checkpoint(path):
    """A `Checkpoint`: of PyTorch Lightning, or of a bare saved `state_dict`.

    Raises:
        InputError: the file is missing, not PyTorch's, damaged, or without a state.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(f"{path} is {'a folder' if path.is_dir() else 'not there'}; {REMEDY}")
    try:
        read = _read_zip if zipfile.is_zipfile(path) else _read_legacy
        return read(path, functools.partial(_checkpoint, most=2 * path.stat().st_size))
    except InputError as error:
        raise InputError(f"{path} {error}") from None
    except Exception as error:  # a damaged pickle raises whatever its bytes happen to mean
        raise InputError(f"{path} is not a PyTorch file, or it is damaged ({reason(error)}); {REMEDY}") from error


def _read_zip(path, finish):
    with open_zip(path) as archive:
        roots = [name.removesuffix("data.pkl") for name in archive.namelist() if name.endswith("/data.pkl")]
        if len(roots) != 1:
            raise InputError(f"is a zip archive that PyTorch did not write (no data.pkl in it); {REMEDY}")
        # PyTorch compresses nothing, so no part can be larger than the file.
        if any(part.compress_type != zipfile.ZIP_STORED for part in archive.infolist()):
            raise InputError(f"has compressed parts, which PyTorch does not write; {REMEDY}")
        if archive.getinfo(f"{roots[0]}data.pkl").file_size > MOST_PICKLED:
            raise InputError(f"has a pickle of more than {MOST_PICKLED} bytes; {REMEDY}")
        content = _unpickle(io.BytesIO(archive.read(f"{roots[0]}data.pkl")), {})
        order = f"{roots[0]}byteorder"
        big = order in archive.namelist() and archive.read(order) == b"big"
        return finish(content, lambda storage: archive.read(f"{roots[0]}data/{storage.key}"), ">" if big else "<")


def _read_legacy(path, finish):
    """Five pickles: two magic numbers, the machine, the content, the keys of its blocks; then each block."""
    with path.open("rb") as file:
        pickled, storages = io.BytesIO(file.read(MOST_PICKLED)), {}
        if _unpickle(pickled, {}) != MAGIC or _unpickle(pickled, {}) != PROTOCOL:
            raise ValueError("it does not begin as one")
        order = "<" if _unpickle(pickled, {}).get("little_endian", True) else ">"
        content, keys, blocks = _unpickle(pickled, storages), _unpickle(pickled, {}), {}
        file.seek(pickled.tell())
        for storage in map(storages.get, keys):
            count = int.from_bytes(file.read(8), "little" if order == "<" else "big")
            if count != storage.count:
                raise ValueError(f"block {storage.key} has another length than stated")
            blocks[storage.key] = file.tell(), count * np.dtype(_code(storage)).itemsize
            file.seek(blocks[storage.key][1], io.SEEK_CUR)
        return finish(content, lambda storage: _block(file, *blocks[storage.key]), order)


def _block(file, start, length):
    file.seek(start)
    return file.read(length)


def _unpickle(file, storages):
    """What a pickle holds; the storages it speaks of are put into a dict by key."""

    def storage(given):
        what, kind, key, _, count, *view = given
        if what != "storage" or type(key) is not str or type(count) is not int or count < 0 or any(view):
            raise ValueError("it refers to something that is not a plain storage")
        return storages.setdefault(key, _Storage(key, TYPES.get(getattr(kind, "of", None)), count))

    return RestrictedUnpickler(file, ALLOWED, keep_unknown=True, persistent_load=storage).load()


def _checkpoint(content, read, order, most):
    """A `Checkpoint` of what a pickle holds; `read` gives the bytes of a storage, all tensors may take `most`."""
    content = content if isinstance(content, dict) else {}
    tensors = content.get("state_dict", content)
    if not isinstance(tensors, dict) or not tensors or not all(map(_is_named_tensor, tensors.items())):
        keys = [key if isinstance(key, str) else type(key).__name__ for key in content]
        raise InputError(f"holds no state_dict of tensors; its keys are: {shown_names(keys) or 'none'}")
    read, state = functools.lru_cache(maxsize=1)(read), {}  # tensors that share a block follow one another
    for name, tensor in tensors.items():
        state[name] = _array(tensor, read, order)
        most -= state[name].nbytes
        if most < 0:
            raise InputError("has tensors that share their numbers: together they are more than twice the file")
    epoch, settings = content.get("epoch"), _plain(content.get("hyper_parameters"), DEEPEST, iter(range(MOST_SETTINGS)))
    known = type(epoch) is int and 0 <= epoch < LARGEST
    return Checkpoint(state, epoch if known else None, settings if isinstance(settings, dict) else {})


def _is_named_tensor(item):
    return isinstance(item[0], str) and isinstance(item[1], _Tensor)


def _array(tensor, read, order):
    """A copy of a tensor's numbers, which must lie within their block."""
    offset, shape, strides = tensor.offset, tensor.shape, tensor.strides
    if not all(type(n) is int and n >= 0 for n in (offset, *shape, *strides)) or len(shape) != len(strides):
        raise ValueError("a tensor has a shape or strides that are not whole numbers of at least 0")
    numbers = np.frombuffer(read(tensor.storage), order + _code(tensor.storage))
    size = math.prod(shape)
    end = 1 + offset + sum((n - 1) * stride for n, stride in zip(shape, strides, strict=True)) if size else 0
    if max(size, end) > len(numbers):
        raise ValueError(f"a tensor of shape {tuple(shape)} lies outside its block of {len(numbers)} numbers")
    steps = [stride * numbers.itemsize for stride in strides]
    view = np.lib.stride_tricks.as_strided(numbers[offset:], shape, steps, writeable=False)
    return view.astype(numbers.dtype.newbyteorder("="))


def _code(storage):
    if storage.type is None:
        raise InputError("holds numbers of a type that NumPy lacks; convert the model by .float() and save it again")
    return storage.type


def _plain(value, depth, values):
    """Settings as plain values: OmegaConf's nodes become what they hold; other objects, and what is too deep, None."""
    if next(values, None) is None:  # lists that hold one list twice, and so on, would be many
        raise ValueError(f"its settings are more than {MOST_SETTINGS} values")
    if isinstance(value, Unknown):
        held = value.state if isinstance(value.state, dict) else {}
        value = held.get("_content", held.get("_val"))
        depth -= 1
    if isinstance(value, dict) and depth > 0:
        return {_plain(key, 0, values): _plain(each, depth - 1, values) for key, each in value.items()}
    if isinstance(value, list | tuple) and depth > 0:
        return [_plain(each, depth - 1, values) for each in value]
    if isinstance(value, str):
        return "".join(sign if sign.isprintable() else " " for sign in value[:LONGEST])
    return value if isinstance(value, float) or (isinstance(value, int) and abs(value) < LARGEST) else None
