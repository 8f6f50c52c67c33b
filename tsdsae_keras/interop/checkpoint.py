"""Checkpoints of the authors' PyTorch code, read by NumPy alone: PyTorch need not be installed.

Nothing in the file is executed: what its pickle names is never imported, see `unpickling`. Both of PyTorch's formats
are read, the zip archive (since 1.6) and the older one. Source of the formats: torch/serialization.py of PyTorch 2.
"""

import io
import math
import zipfile
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from tsdsae_keras.errors import InputError
from tsdsae_keras.interop.unpickling import Parameter, Tensor, Unpickler, plain

MAGIC, PROTOCOL = 0x1950A86A20F9469CFC6C, 1001
SURPLUS = ("audio_synth.",)  # the authors' mel inversion: constants, no weights
REMEDY = "give a .ckpt file as PyTorch Lightning wrote it, whole"


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
            return _checkpoint(content, lambda tensor: _array(tensor, block, order))
    except InputError as error:
        raise InputError(f"{path} {error}") from None
    except Exception as error:  # a damaged pickle raises whatever its bytes happen to mean
        reason = (str(error).splitlines() or [""])[0] or type(error).__name__
        raise InputError(f"{path} is no PyTorch checkpoint, or it is damaged ({reason}); {REMEDY}") from error


def _checkpoint(content, array):
    content = content if isinstance(content, dict) else {}
    state = content.get("state_dict", content)
    if not _is_state(state):
        raise InputError(f"holds no state_dict of tensors; its keys are: {', '.join(map(str, content)) or 'none'}")
    settings, epoch = plain(content.get("hyper_parameters")), content.get("epoch")
    return Checkpoint(
        {name: array(value) for name, value in state.items() if not name.startswith(SURPLUS)},
        epoch if type(epoch) is int else None,
        settings if isinstance(settings, dict) else {},
    )


def _is_state(state):
    if not isinstance(state, dict) or not state:
        return False
    return all(isinstance(name, str) and isinstance(value, Tensor | Parameter) for name, value in state.items())


def _read_zip(file):
    """The content, a function from storage to bytes, and the byte order."""
    archive = zipfile.ZipFile(file)
    roots = [name.removesuffix("data.pkl") for name in archive.namelist() if name.endswith("/data.pkl")]
    if len(roots) != 1:
        raise InputError(f"is a zip archive that PyTorch did not write (no data.pkl in it); {REMEDY}")
    root = roots[0]
    big = f"{root}byteorder" in archive.namelist() and archive.read(f"{root}byteorder") == b"big"
    content = Unpickler(io.BytesIO(archive.read(f"{root}data.pkl"))).load()
    return content, lambda storage: archive.read(f"{root}data/{storage.key}"), ">" if big else "<"


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
        blocks[key] = file.read(storage.count * np.dtype(_type(storage)).itemsize)
    return content, lambda storage: blocks[storage.key], "<" if little else ">"


def _type(storage):
    if storage.type is None:
        raise InputError("holds numbers of a type that NumPy lacks; convert the model by .float() and save it again")
    return storage.type


def _array(tensor, block, order):
    """Copies a tensor out of its block, once it is sure that it lies within."""
    tensor = tensor.given[0] if isinstance(tensor, Parameter) else tensor
    storage, offset, shape, strides = tensor.given[:4]
    numbers = np.frombuffer(block(storage), order + _type(storage))
    size = math.prod(shape)
    end = 1 + offset + sum((n - 1) * stride for n, stride in zip(shape, strides, strict=True)) if size else 0
    if min((offset, *shape, *strides)) < 0 or max(size, end) > len(numbers):
        raise ValueError(f"a tensor of shape {tuple(shape)} lies outside its block of {len(numbers)} numbers")
    steps = [stride * numbers.itemsize for stride in strides]
    view = np.lib.stride_tricks.as_strided(numbers[offset:], shape, steps, writeable=False)
    return view.astype(numbers.dtype.newbyteorder("="))
