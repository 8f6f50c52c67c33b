"""Files in PyTorch's formats, written with and without PyTorch, so that reading them is tested in either case."""

import importlib.util
import pickle
import zipfile

import numpy as np

NAMES = {"float32": "FloatStorage", "float64": "DoubleStorage", "int64": "LongStorage", "float16": "HalfStorage"}


class Made:
    """What a pickle makes by calling `module.name` with arguments, or with a state by `__setstate__`."""

    def __init__(self, module, name, *arguments, state=None):
        self.module, self.name, self.arguments, self.state = module, name, arguments, state


def write_bytes(path, content, root="archive"):
    """A zip as `torch.save` writes it, by the few opcodes it takes; arrays become tensors."""
    blocks = []
    pickled = b"\x80\x02" + code_of(content, blocks) + b"."
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"{root}/data.pkl", pickled)
        archive.writestr(f"{root}/byteorder", "little")
        for number, block in enumerate(blocks):
            archive.writestr(f"{root}/data/{number}", block)
        archive.writestr(f"{root}/version", "3\n")
    return path


def write_torch(path, content, **options):
    """The same by PyTorch."""
    import torch

    torch.save(_with_tensors(content, torch), path, **options)
    return path


def write_legacy(path, content):
    """The format before PyTorch 1.6."""
    return write_torch(path, content, _use_new_zipfile_serialization=False)


WRITERS = [write_bytes, *((write_torch, write_legacy) if importlib.util.find_spec("torch") else ())]


def _with_tensors(value, torch):
    if isinstance(value, np.ndarray):
        return torch.nn.Parameter(torch.tensor(value)) if value.dtype == "float32" else torch.tensor(value)
    if isinstance(value, dict):
        return type(value)((name, _with_tensors(each, torch)) for name, each in value.items())
    return [_with_tensors(each, torch) for each in value] if isinstance(value, list) else value


def code_of(value, blocks):
    """The opcodes (protocol 2) that put a value on the stack."""
    if isinstance(value, np.ndarray):
        return code_of(tensor_of(value, blocks), blocks)
    if isinstance(value, Made):
        return _write_made(value, blocks)
    if isinstance(value, dict):
        items = b"".join(code_of(each, blocks) for pair in value.items() for each in pair)
        return b"}(" + items + b"u"
    if isinstance(value, list | tuple):
        items = b"".join(code_of(each, blocks) for each in value)
        return b"](" + items + b"e" if isinstance(value, list) else b"(" + items + b"t"
    return pickle.dumps(value, 2)[2:-1]


def _write_made(made, blocks):
    found = f"c{made.module}\n{made.name}\n".encode()
    if made.name == "persistent":
        return code_of(made.arguments, blocks) + b"Q"
    if made.state is not None:
        return found + b")\x81" + code_of(made.state, blocks) + b"b"
    return found if made.arguments == (None,) else found + code_of(made.arguments, blocks) + b"R"


def tensor_of(array, blocks):
    kind = Made("torch", NAMES[array.dtype.name], None)
    storage = Made("", "persistent", "storage", kind, str(len(blocks)), "cpu", array.size)
    array = np.array(array, order="C")
    blocks.append(array.tobytes())
    strides = tuple(stride // array.itemsize for stride in array.strides)
    hooks = Made("collections", "OrderedDict")
    return Made("torch._utils", "_rebuild_tensor_v2", storage, 0, array.shape, strides, False, hooks)
