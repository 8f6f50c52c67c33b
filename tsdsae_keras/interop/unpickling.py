"""PyTorch's pickles read without PyTorch, and without running anything that is named in them.

A pickle names functions and classes and has them called. Here every name leads to a stand-in that keeps what it is
given and does nothing, but for those that say where a tensor's numbers lie.
"""

import pickle
from typing import NamedTuple

TYPES = {
    "DoubleStorage": "f8",
    "FloatStorage": "f4",
    "HalfStorage": "f2",
    "LongStorage": "i8",
    "IntStorage": "i4",
    "ShortStorage": "i2",
    "CharStorage": "i1",
    "ByteStorage": "u1",
    "BoolStorage": "?",
}


class Inert:
    """Whatever a file names that is not known here: can be made, called and filled, and does nothing.

    `given` are the arguments it was made with, `state` is what its attributes would have been.
    """

    given, state = (), None

    def __init__(self, *given):
        self.given = given

    def __call__(self, *given):
        return Inert(*given)

    def __setstate__(self, state=None):
        self.state = state

    def __setitem__(self, key, value):
        """Drops it."""

    def append(self, value):
        """Drops it."""

    def extend(self, values):
        """Drops them."""


class Tensor(Inert):
    """A tensor not read yet; `given` are a `Storage`, an offset, a shape, strides and what does not matter here."""


class Parameter(Inert):
    """A `Tensor` that was to be trained."""


class OrderedDict(dict):
    """A dict that takes no attributes from the file."""

    def __setstate__(self, state=None):
        """Drops it."""


class Storage(NamedTuple):
    """Where numbers lie: the key of a block, NumPy's type without byte order (None: unknown here), their count."""

    key: str
    type: str | None
    count: int


KNOWN = {
    ("collections", "OrderedDict"): OrderedDict,
    ("torch._utils", "_rebuild_tensor"): Tensor,
    ("torch._utils", "_rebuild_tensor_v2"): Tensor,
    ("torch._utils", "_rebuild_parameter"): Parameter,
    **{("torch", name): kind for name, kind in TYPES.items()},
}


class Unpickler(pickle.Unpickler):
    """Reads one pickle of a PyTorch file; `storages` are those it speaks of, by key.

    Args:
        file: open for reading bytes.
    """

    def __init__(self, file):
        super().__init__(file, encoding="utf-8")
        self.storages = {}

    def find_class(self, module, name):
        return KNOWN.get((module, name), Inert)

    def persistent_load(self, pid):
        what, kind, key, _, count, *view = pid
        if what != "storage" or not isinstance(key, str) or any(view):
            raise pickle.UnpicklingError("it refers to something that is not a plain storage")
        self.storages[key] = Storage(key, kind if kind in TYPES.values() else None, int(count))
        return self.storages[key]


def plain(value):
    """A value without stand-ins: OmegaConf's nodes become what they hold, all others None."""
    if isinstance(value, Inert):
        held = value.state if isinstance(value.state, dict) else {}
        return plain(held.get("_content", held.get("_val")))
    if isinstance(value, dict):
        return {key: plain(each) for key, each in value.items()}
    return [plain(each) for each in value] if isinstance(value, list | tuple) else value
