"""Pickles of plain data and NumPy arrays, read without executing anything in them.

A pickle is a program: it names classes and functions and says what to call them with. Here the few names that NumPy
writes mean what a table says they mean, and any other name is refused.
"""

import math
import pickle

import numpy as np

from tsdsae_keras.errors import InputError
from tsdsae_keras.untrusted import reason

KINDS = "biuf?"  # of numbers in an array: signed and unsigned integers, floats, booleans


class _Dtype:
    """A type of numbers such as ("b1", False, True); its byte order comes as a state."""

    def __init__(self, code, *_):
        self.code, self.order = str(code).lstrip("<>|="), "<"
        if self.code[:1] not in KINDS or not self.code[1:].isdigit() or np.dtype(self.code).hasobject:
            raise ValueError(f"arrays of {self.code[:20]} are not numbers")

    def __setstate__(self, state):
        self.order = ">" if state[1] == ">" else "<"

    def to_numpy(self):
        return np.dtype(self.code).newbyteorder(self.order)


class _Array:
    """An array that NumPy pickled: (version, shape, type, column order, bytes) come as a state."""

    def __init__(self, *_):
        self.value = None

    def __setstate__(self, state):
        _, shape, dtype, by_columns, content = state
        self.value = _to_array(content, dtype, shape, "F" if by_columns else "C")


def _to_array(content, dtype, shape, order="C"):
    dtype = dtype.to_numpy()
    if math.prod(shape) * dtype.itemsize != len(content):
        raise ValueError(f"an array of shape {shape} does not fit its {len(content)} bytes")
    return np.frombuffer(content, dtype).reshape(shape, order=order)


def _from_buffer(content, dtype, shape, order):
    array = _Array()
    array.value = _to_array(content, dtype, shape, order)
    return array


def _to_bytes(text="", encoding="latin-1"):
    return text.encode("latin-1")  # as pickles before protocol 3 write bytes


NAMES = {"numpy.dtype": _Dtype, "numpy.ndarray": _Array, "_codecs.encode": _to_bytes, "__builtin__.bytes": _to_bytes}
for home in ("numpy.core", "numpy._core"):
    NAMES |= {f"{home}.multiarray._reconstruct": _Array, f"{home}.numeric._frombuffer": _from_buffer}


# Python's own unpickler: for a memory slot of a high number the one in C would take 64 GiB.
class _Unpickler(pickle._Unpickler):
    def find_class(self, module, name):
        if f"{module}.{name}" not in NAMES:
            raise ValueError(f"it names {module[:40]}.{name[:40]}, and only plain data and arrays are read")
        return NAMES[f"{module}.{name}"]


def load_pickle(path):
    """What a pickle holds: lists, tuples, dicts, texts, numbers and arrays of numbers.

    Raises:
        InputError: it cannot be read, or holds anything else; nothing in it was executed.
    """
    try:
        with open(path, "rb") as file:
            return _to_plain(_Unpickler(file, encoding="latin-1").load())
    except Exception as error:  # an unpickler raises whatever its bytes happen to mean
        raise InputError(f"{path} cannot be read as a pickle of plain data: {reason(error)}") from None


def _to_plain(value):
    if isinstance(value, _Array):
        return value.value
    if isinstance(value, dict):
        return {name: _to_plain(each) for name, each in value.items()}
    return type(value)(map(_to_plain, value)) if type(value) in (list, tuple) else value
