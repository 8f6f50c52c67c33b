"""PyTorch's pickles read without PyTorch, and without running anything that is named in them.

A pickle is a program for a small machine with a stack. Here is that machine, but a name is never looked up and a call
calls nothing: both leave a note of what was asked for. What a program can cost is bounded by its length: its steps are
counted, its text is cut, its memory is a dict, and nothing but strings and numbers is ever hashed. The machine that
Python brings hangs on a key that is a tuple of shared tuples, and takes 64 GiB for a memory slot of a high number.
Source of the instructions: pickletools of Python, which also cuts a pickle into them.
"""

import pickletools
from typing import NamedTuple

MOST_STEPS = 200_000  # a checkpoint of these models takes a few thousand
MOST_BYTES = 1 << 26
MOST_VALUES, DEEPEST, LONGEST, LARGEST = 10_000, 100, 200, 1 << 53  # of what `plain` gives
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


class Name(NamedTuple):
    """What a file names: a class or a function, never looked up."""

    module: str
    name: str


class Made:
    """What a file wanted to be made by a call: `of` is what was called, `given` the arguments, `state` the rest."""

    __slots__ = ("given", "of", "state")

    def __init__(self, of, given=()):
        self.of, self.given, self.state = of, given, None


class Storage(NamedTuple):
    """Where numbers lie: the key of a block, NumPy's type without byte order (None: unknown here), their count."""

    key: str
    type: str | None
    count: int


ORDERED = Name("collections", "OrderedDict")
TENSORS = {Name("torch._utils", "_rebuild_tensor"), Name("torch._utils", "_rebuild_tensor_v2")}
PARAMETER = Name("torch._utils", "_rebuild_parameter")


def tensor_of(value):
    """(`Storage`, offset, shape, strides) as a file has them, where a value is a tensor or a parameter; else None."""
    if _is_made(value, {PARAMETER}) and value.given:
        value = value.given[0]
    return value.given[:4] if _is_made(value, TENSORS) and len(value.given) >= 4 else None


def _is_made(value, names):
    return isinstance(value, Made) and isinstance(value.of, Name) and value.of in names


def plain(value):
    """A value without notes: OmegaConf's nodes become what they hold, all others None, as does what is too deep.

    Raises:
        ValueError: it would be very many values.
    """
    return _plain(value, DEEPEST, iter(range(MOST_VALUES)))


def _plain(value, depth, values):
    if next(values, None) is None:  # lists that hold one list twice, and so on, would be many
        raise ValueError(f"its settings are more than {MOST_VALUES} values")
    if isinstance(value, Made):
        held = value.state if isinstance(value.state, dict) else {}
        value = held.get("_content", held.get("_val"))
        return _plain(value, depth - 1, values) if depth else None
    if isinstance(value, dict) and depth:
        return {_plain(key, 1, values): _plain(each, depth - 1, values) for key, each in value.items()}
    if isinstance(value, list | tuple) and not isinstance(value, Name | Storage) and depth:
        return [_plain(each, depth - 1, values) for each in value]
    return _plain_leaf(value)


def _plain_leaf(value):
    if isinstance(value, str):
        return "".join(sign if sign.isprintable() else " " for sign in value[:LONGEST])
    if isinstance(value, int):
        return value if abs(value) < LARGEST else None
    return value if isinstance(value, float) else None


class _Bounded:
    """A file of which only so many bytes can be read."""

    def __init__(self, file, most):
        self.file, self.left = file, most

    def read(self, n):
        self._spend(n)
        return self.file.read(n)

    def readline(self):
        line = self.file.readline(self.left + 1)
        self._spend(len(line))
        return line

    def _spend(self, n):
        self.left -= n
        if self.left < 0:
            raise ValueError(f"a pickle in it is longer than {MOST_BYTES} bytes")


class Unpickler:
    """Reads one pickle of a PyTorch file; `storages` are those it speaks of, by key.

    Args:
        file: open for reading bytes; it is left right behind the pickle.
    """

    def __init__(self, file):
        self.file, self.storages = _Bounded(file, MOST_BYTES), {}
        self.stack, self.below, self.memo, self.left = [], [], {}, MOST_STEPS

    def load(self):
        """What the pickle makes: plain values, `Name`, `Made` and `Storage`.

        Raises:
            ValueError, LookupError, TypeError: it is no pickle, too long, or broken.
        """
        for opcode, argument, _ in pickletools.genops(self.file):
            self._spend(1)
            if opcode.name == "STOP":
                return self.stack.pop()
            if opcode.name in VALUES:
                self.stack.append(argument)
            elif opcode.name in NEW:
                self.stack.append(NEW[opcode.name]())
            elif opcode.name not in NOTHING:
                self._do(opcode.name, argument)
        raise ValueError("its pickle has no end")

    def _spend(self, steps):
        self.left -= steps
        if self.left < 0:
            raise ValueError(f"its pickle has more than {MOST_STEPS} steps")

    def _do(self, name, argument):
        if name not in STEPS:
            raise ValueError(f"its pickle has the step {name}, which PyTorch does not write")
        action, takes, gives = STEPS[name]
        taken = self._since_mark() if takes is MARK else [self.stack.pop() for _ in range(takes)][::-1]
        result = action(self, argument, taken)
        if gives:
            self.stack.append(result)

    def _mark(self, argument, taken):
        self.below.append(self.stack)
        self.stack = []

    def _since_mark(self):
        taken, self.stack = self.stack, self.below.pop()
        return taken

    def _put(self, argument, taken):
        self.memo[len(self.memo) if argument is None else argument] = self.stack[-1]

    def _get(self, argument, taken):
        return self.memo[argument]

    def _extend(self, argument, taken):
        if isinstance(self.stack[-1], list):
            self.stack[-1].extend(taken)

    def _set_items(self, argument, taken):
        if isinstance(self.stack[-1], dict):
            _fill(self.stack[-1], zip(taken[::2], taken[1::2], strict=True))

    def _call(self, argument, taken):
        of, given = taken
        if not isinstance(given, tuple):
            raise ValueError("it calls something without a tuple of arguments")
        if of != ORDERED:
            return Made(of, given)
        pairs = given[0] if given else ()
        self._spend(len(pairs))  # the same list can be given again and again
        return _fill({}, ((key, value) for key, value in pairs))

    def _build(self, argument, taken):
        if isinstance(self.stack[-1], Made):
            self.stack[-1].state = taken[0]

    def _persistent(self, argument, taken):
        given = taken[0] if isinstance(taken[0], tuple) and len(taken[0]) in (5, 6) else (None,) * 5
        what, kind, key, _, count, *view = given
        if what != "storage" or not isinstance(key, str) or any(view) or type(count) is not int or count < 0:
            raise ValueError("it refers to something that is not a plain storage")
        known = TYPES.get(kind.name) if isinstance(kind, Name) and kind.module == "torch" else None
        self.storages[key] = Storage(key, known, count)
        return self.storages[key]


def _named(self, argument, taken):
    if not all(isinstance(part, str) for part in taken):
        raise ValueError("a name in it is no text")
    return Name(*taken)


def _fill(target, pairs):
    """Puts pairs into a dict; a key that is neither text nor a small number is of nothing that is used here."""
    for key, value in pairs:
        if type(key) is str or (type(key) is int and abs(key) < LARGEST):
            target[key] = value
    return target


MARK = "all since the mark"
VALUES = {opcode.name for opcode in pickletools.opcodes if opcode.arg and opcode.name.startswith(("INT", "BININT"))}
VALUES |= {"LONG", "LONG1", "LONG4", "FLOAT", "BINFLOAT", "STRING", "BINSTRING", "SHORT_BINSTRING", "UNICODE"}
VALUES |= {"SHORT_BINUNICODE", "BINUNICODE", "BINUNICODE8", "SHORT_BINBYTES", "BINBYTES", "BINBYTES8", "BYTEARRAY8"}
NEW = {"NONE": lambda: None, "NEWTRUE": lambda: True, "NEWFALSE": lambda: False, "EMPTY_TUPLE": tuple}
NEW |= {"EMPTY_LIST": list, "EMPTY_DICT": dict, "EMPTY_SET": lambda: Made(None)}
NOTHING = {"PROTO", "FRAME"}
# step: (what is done, values taken off the stack, whether one is put on it)
STEPS = {
    "MARK": (Unpickler._mark, 0, False),
    "POP": (lambda self, argument, taken: None, 1, False),
    "POP_MARK": (lambda self, argument, taken: None, MARK, False),
    "DUP": (lambda self, argument, taken: self.stack[-1], 0, True),
    "LIST": (lambda self, argument, taken: taken, MARK, True),
    "TUPLE": (lambda self, argument, taken: tuple(taken), MARK, True),
    **{f"TUPLE{n}": (lambda self, argument, taken: tuple(taken), n, True) for n in (1, 2, 3)},
    "DICT": (lambda self, argument, taken: _fill({}, zip(taken[::2], taken[1::2], strict=True)), MARK, True),
    "FROZENSET": (lambda self, argument, taken: Made(None), MARK, True),
    "APPEND": (Unpickler._extend, 1, False),
    "APPENDS": (Unpickler._extend, MARK, False),
    "ADDITEMS": (lambda self, argument, taken: None, MARK, False),
    "SETITEM": (Unpickler._set_items, 2, False),
    "SETITEMS": (Unpickler._set_items, MARK, False),
    **dict.fromkeys(("PUT", "BINPUT", "LONG_BINPUT", "MEMOIZE"), (Unpickler._put, 0, False)),
    **dict.fromkeys(("GET", "BINGET", "LONG_BINGET"), (Unpickler._get, 0, True)),
    "GLOBAL": (lambda self, argument, taken: Name(*argument.split(" ", 1)), 0, True),
    "STACK_GLOBAL": (_named, 2, True),
    "REDUCE": (Unpickler._call, 2, True),
    "NEWOBJ": (Unpickler._call, 2, True),
    "NEWOBJ_EX": (lambda self, argument, taken: self._call(argument, taken[:2]), 3, True),
    "INST": (lambda self, argument, taken: Made(Name(*argument.split(" ", 1)), tuple(taken)), MARK, True),
    "OBJ": (lambda self, argument, taken: Made(taken[0], tuple(taken[1:])), MARK, True),
    "BUILD": (Unpickler._build, 1, False),
    "BINPERSID": (Unpickler._persistent, 1, True),
}
