"""Untrusted pickles, read without running anything in them.

A pickle is a program: it names classes and functions and says what to call them with. Here a name means what a table
says it means, and nothing else is ever imported. Lists, dicts, tuples, texts and numbers need no name.
"""

import pickle
import re

import numpy as np

from tsdsae_keras.errors import InputError
from tsdsae_keras.untrusted import one_line, reason

MOST_BYTES = 1 << 30  # of a file read by `load_pickle`
MOST_UNKNOWN = 1000  # names in one pickle that the table lacks


class Unknown:
    """What a file made of a class that the table lacks: its state, and nothing that it does.

    Attributes:
        of: the name of the class, such as "omegaconf.dictconfig.DictConfig".
        state: what `__setstate__` would have been given, or None.
    """

    of, state = "", None

    def __new__(cls, *args, **options):
        return object.__new__(cls)

    def __setstate__(self, state):
        self.state = state

    def _ignore(self, *args):
        pass

    append = extend = add = __setitem__ = _ignore  # of classes that inherit from list, set and dict


class _Tuple(tuple):
    """As a key it holds no tuples: Python hashes a tuple of shared tuples again and again, which can take for ever."""

    def __hash__(self):
        if any(isinstance(each, tuple) for each in self):
            raise pickle.UnpicklingError("a key in it is a tuple of tuples")
        return super().__hash__()


def _reconstruct(kind, shape, code):
    """An array that BUILD fills; NumPy compares the length of its bytes with its shape then."""
    return np.empty(0, "i1")


def _dtype(code, *options):
    if not isinstance(code, str) or not re.fullmatch(r"[<>|=]?[biufcSU?]\d{0,3}", code):
        raise pickle.UnpicklingError(f"it holds arrays of the type {one_line(code, 20)}, not of numbers or texts")
    return np.dtype(code)


def _scalar(dtype, data):
    return _from_buffer(data, dtype, (1,), "C")[0]


def _from_buffer(data, dtype, shape, order):
    if not isinstance(data, bytes | bytearray) or not isinstance(dtype, np.dtype):
        raise pickle.UnpicklingError("it holds an array that is not made of bytes")
    return np.frombuffer(data, dtype).reshape(shape, order=order).copy(order)


def _encode(text, encoding):
    """Bytes, as Python 3 writes them in the formats of Python 2."""
    return text.encode("latin-1")


NUMPY = {"numpy.dtype": _dtype, "numpy.ndarray": None, "_codecs.encode": _encode, "__builtin__.bytes": lambda: b""}
for _core in ("numpy.core", "numpy._core"):  # before and since NumPy 2
    NUMPY |= {f"{_core}.multiarray._reconstruct": _reconstruct, f"{_core}.multiarray.scalar": _scalar}
    NUMPY |= {f"{_core}.numeric._frombuffer": _from_buffer}


# The unpickler in C would take 64 GiB for a memory slot of a high number; the one in Python keeps its slots in a dict.
class RestrictedUnpickler(pickle._Unpickler):
    """Reads one pickle; a name in it means what `allowed` says.

    Args:
        file: open for reading bytes; it is left right behind the pickle.
        allowed: what is used for a name: {"module.name": object}.
        keep_unknown: whether other names become subclasses of `Unknown`, rather than an error.
        persistent_load: what objects outside the pickle are, from what the pickle says of them; by default an error.

    Raises:
        pickle.UnpicklingError: a name that is not allowed; when damaged, other errors too.
    """

    dispatch = dict(pickle._Unpickler.dispatch)

    def __init__(self, file, allowed, *, keep_unknown=False, persistent_load=None):
        super().__init__(file, encoding="latin-1")
        self.allowed, self.keep_unknown, self.unknown = allowed, keep_unknown, {}
        if persistent_load is not None:
            self.persistent_load = persistent_load

    def find_class(self, module, name):
        name = f"{module}.{name}"
        if name in self.allowed:
            return self.allowed[name]
        if not self.keep_unknown or len(self.unknown) > MOST_UNKNOWN:
            raise pickle.UnpicklingError(f"it names {one_line(name, 60)}; such things are not read")
        if name not in self.unknown:
            self.unknown[name] = type("Unknown", (Unknown,), {"of": name})
        return self.unknown[name]

    def load_build(self):
        # Only here can a file set attributes; it must not reach those of a class or a function of the table.
        state, made = self.stack.pop(), self.stack[-1]
        if isinstance(made, Unknown | np.ndarray):
            made.__setstate__(state)
        elif isinstance(made, np.dtype) and made.newbyteorder(state[1]) != made:
            raise pickle.UnpicklingError("its numbers are in another byte order")

    dispatch[pickle.BUILD[0]] = load_build
    for _code in (pickle.TUPLE, pickle.TUPLE1, pickle.TUPLE2, pickle.TUPLE3):

        def _load_tuple(self, load=dispatch[_code[0]]):
            load(self)
            self.stack[-1] = _Tuple(self.stack[-1])

        dispatch[_code[0]] = _load_tuple


def load_pickle(path, allowed=NUMPY):
    """What is in a pickle of plain data: lists, dicts, tuples, texts, numbers, and NumPy arrays of them.

    Args:
        path: of the file.
        allowed: what is used for a name in it: {"module.name": object}; all others are refused.

    Raises:
        InputError: the file is missing, damaged, too large, or names something that is not allowed.
    """
    try:
        with open(path, "rb") as file:
            if file.seek(0, 2) > MOST_BYTES:
                raise ValueError(f"it has more than {MOST_BYTES} bytes")
            file.seek(0)
            return RestrictedUnpickler(file, allowed).load()
    except Exception as error:  # a damaged pickle raises whatever its bytes happen to mean
        raise InputError(f"{path} cannot be read as a pickle of plain data: {reason(error)}") from error
