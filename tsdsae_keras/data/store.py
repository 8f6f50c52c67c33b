"""Prepared folders: sequences and labels on disk, checked against their manifest before anything is read.

A folder holds .npy shards named `<split>-<number>.<array>.npy` and `manifest.json`, which names every shard with its
size and SHA-256, every array with its type and shape, the settings, and what the labels mean. The array `features`
(T, F) is always there; all others are labels.
"""

import hashlib
import io
import json
import math
import re
import reprlib
from pathlib import Path

import numpy as np

from tsdsae_keras.data.files import sha256_of
from tsdsae_keras.errors import InputError

FORMAT = "tsdsae-prepared"
VERSION = 1
MANIFEST = "manifest.json"
ALIGNMENT = 64
AGAIN = "delete the folder and prepare it again"
LARGEST = 1 << 22  # bytes of a manifest; its values take up to twenty times as much memory
HEADER = 1 << 14  # bytes in which the header of an .npy file stands; NumPy's take 128
MOST = 1 << 53  # examples, or values of one
NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]{0,63}")  # of a split or an array: part of a file's name
FILE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,199}")
TYPE = re.compile(r"[<>|][fiubUS][0-9]{1,4}")
_FIELDS = {
    "key": str,
    "settings": dict,
    "front_end": dict,
    "counts": dict,
    "shard_size": int,
    "arrays": dict,
    "label_names": dict,
    "files": dict,
}


class PreparedData:
    """A prepared folder, opened and verified.

    Args:
        folder: path of the folder.
        verify: compare the SHA-256 of every file; sizes, types and shapes are compared in any case.

    Raises:
        InputError: the folder is missing, foreign or damaged; the line names the file and the remedy.
    """

    def __init__(self, folder, *, verify=True):
        self.folder = Path(folder)
        content = _read_manifest(self.folder)
        self.identity = hashlib.sha256(content).hexdigest()[:12]
        self.manifest = _parsed(content, self.folder / MANIFEST)
        _check_names(self.manifest["files"], self.folder / MANIFEST)
        self._check_complete()
        for name in self.manifest["files"]:
            self._check_file(name, verify)
        for split in self.counts:
            for array in self.manifest["arrays"]:
                self.shards(split, array)

    @property
    def front_end(self):
        """The settings of the front end, as `FrontEnd.to_dict` gives them."""
        return self.manifest["front_end"]

    @property
    def frames(self):
        """T, the frames of a sequence."""
        return self.manifest["arrays"]["features"]["shape"][0]

    @property
    def bands(self):
        """F, the mel bands of a frame."""
        return self.manifest["arrays"]["features"]["shape"][1]

    @property
    def counts(self):
        """Sequences in each split."""
        return self.manifest["counts"]

    @property
    def label_names(self):
        """What the label values mean, such as the instruments' names."""
        return self.manifest["label_names"]

    def features(self, split):
        """All sequences of a split in memory: float32, shape (n, T, F)."""
        shards = self.shards(split)
        whole = aligned_empty((sum(map(len, shards)), *shards[0].shape[1:]))
        return np.concatenate(shards, out=whole)

    def labels(self, split):
        """The labels of a split: a dictionary of arrays, each of length n."""
        names = [name for name in self.manifest["arrays"] if name != "features"]
        return {name: np.concatenate(self.shards(split, name)) for name in names}

    def shards(self, split, array="features"):
        """One array of a split as a list of read-only memory maps: nothing is read before it is used.

        Raises:
            InputError: an unknown split or array, or a file that does not hold what the manifest says.
        """
        if split not in self.counts:
            raise InputError(f"{self.folder} has no split {split!r}: choose from {_listed(self.counts)}")
        if array not in self.manifest["arrays"]:
            raise InputError(f"{self.folder} has no array {array!r}: choose from {_listed(self.manifest['arrays'])}")
        stated = self.manifest["arrays"][array]
        sizes = shard_sizes(self.counts[split], self.manifest["shard_size"])
        names = [shard_name(split, number, array) for number in range(len(sizes))]
        for name in names:
            self._check_file(name)  # once more: it may have been replaced since
        return [_mapped(self.folder / name, n, stated) for name, n in zip(names, sizes, strict=True)]

    def _check_complete(self):
        for split, count in self.counts.items():
            for number in range(-(-count // self.manifest["shard_size"])):  # ends at the first that is missing
                for array in self.manifest["arrays"]:
                    name = shard_name(split, number, array)
                    if name not in self.manifest["files"]:
                        raise InputError(f"{self.folder / MANIFEST} does not list {name}: {AGAIN}")

    def _check_file(self, name, verify=False):
        check_file(self.folder / name, self.manifest["files"][name], verify=verify)


def aligned_empty(shape):
    """An uninitialised float32 array whose memory TensorFlow can use without a copy."""
    size = 4 * math.prod(shape)
    raw = np.empty(size + ALIGNMENT, np.uint8)
    start = -raw.ctypes.data % ALIGNMENT
    return raw[start : start + size].view(np.float32).reshape(shape)


def shard_name(split, number, array):
    """The file that holds one array of one shard."""
    return f"{split}-{number:05d}.{array}.npy"


def shard_sizes(count, shard_size):
    """How many examples each shard of a split holds."""
    return [min(shard_size, count - start) for start in range(0, count, shard_size)]


def check_file(path, stated, *, verify=True):
    """Compare a file with the size and SHA-256 that were stated for it.

    Raises:
        InputError: it is missing, a link, of another size, or of other content.
    """
    if path.is_symlink() or not path.is_file():
        raise InputError(f"{path} is missing or no plain file: {AGAIN}")
    size = path.stat().st_size
    if size != stated["bytes"]:
        raise InputError(f"{path} has {size} bytes instead of {stated['bytes']}, so it was cut or changed: {AGAIN}")
    if verify and sha256_of(path) != stated["sha256"]:
        raise InputError(f"{path} has another SHA-256 than the manifest says, so it was changed: {AGAIN}")


def _read_manifest(folder):
    if not folder.is_dir():
        raise InputError(f"{folder} is no folder: give the path that preparing printed, or prepare the data first")
    path = folder / MANIFEST
    if not path.is_file() or path.is_symlink():
        state = "holds no manifest.json" if any(folder.iterdir()) else "is empty"
        raise InputError(f"{folder} {state}, so it is no prepared data: give the path that preparing printed")
    with path.open("rb") as file:
        content = file.read(LARGEST + 1)
    if len(content) > LARGEST:
        raise InputError(f"{path} has {path.stat().st_size} bytes; at most {LARGEST} are read: {AGAIN}")
    return content


def _parsed(content, path):
    try:
        manifest = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path} is not JSON: {AGAIN}") from error
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        raise InputError(f"{path} is not of the format {FORMAT}: give a folder that this library prepared")
    version = manifest.get("version")
    if type(version) is not int or version != VERSION:
        raise InputError(f"{path} has version {reprlib.repr(version)[:80]}, this library reads {VERSION}: {AGAIN}")
    for name, kind in _FIELDS.items():
        if type(manifest.get(name)) is not kind:
            raise InputError(f"{path}: {name!r} is missing or no {kind.__name__}: {AGAIN}")
    _check_values(manifest, path)
    return manifest


def _check_values(manifest, path):
    features = manifest["arrays"].get("features")
    fine = manifest["shard_size"] > 0 and all(_is_array(array) for array in manifest["arrays"].values())
    fine = fine and _is_array(features) and len(features["shape"]) == 2 and features["dtype"] == "<f4"
    fine = fine and all(_is_count(count) for count in manifest["counts"].values())
    fine = fine and all(_is_file(file) for file in manifest["files"].values())
    fine = fine and all(NAME.fullmatch(name) for name in (*manifest["counts"], *manifest["arrays"]))
    fine = fine and all(_is_meaning(meaning) for meaning in manifest["label_names"].values())
    fine = fine and all(isinstance(value, str | int | float | None) for value in manifest["front_end"].values())
    if not fine:
        raise InputError(f"{path}: its counts, arrays or files are not of the right form: {AGAIN}")


def _is_array(stated):
    shape, dtype = (stated.get("shape"), stated.get("dtype")) if isinstance(stated, dict) else (None, None)
    fine = isinstance(shape, list) and len(shape) < 9 and all(_is_count(n) for n in shape)
    return fine and isinstance(dtype, str) and bool(TYPE.fullmatch(dtype))


def _is_count(n):
    return type(n) is int and 0 < n <= MOST


def _is_file(stated):
    stated = stated if isinstance(stated, dict) else {}
    return type(stated.get("bytes")) is int and stated["bytes"] >= 0 and isinstance(stated.get("sha256"), str)


def _is_meaning(value, depth=2):
    """Whether it can say what label values mean: texts and numbers, alone, listed or by name."""
    if isinstance(value, dict | list) and depth:
        return all(_is_meaning(each, depth - 1) for each in (value.values() if isinstance(value, dict) else value))
    return isinstance(value, str | int | float | None)


def _check_names(names, path):
    for name in names:
        if not FILE.fullmatch(name):
            shown = reprlib.repr(name)
            raise InputError(f"{path} lists the file {shown}, which is not a plain name in the folder: {AGAIN}")


def _listed(names):
    return ", ".join([*names][:8]) + (", ..." if len(names) > 8 else "")


def _mapped(path, count, stated):
    shape = (count, *stated["shape"])
    found, size = _header(path)
    if found != (stated["dtype"], shape):
        found = f"{found[0]} {reprlib.repr(found[1])[:80]}"
        raise InputError(f"{path} holds {found} instead of {stated['dtype']} {shape}: {AGAIN}")
    if size != path.stat().st_size:
        raise InputError(f"{path} has {path.stat().st_size} bytes instead of {size}: {AGAIN}")
    try:
        return np.load(path, mmap_mode="r", allow_pickle=False)
    except (ValueError, EOFError, OSError) as error:
        raise InputError(f"{path} is no readable .npy file: {AGAIN}") from error


def _header(path):
    """(type, shape) as an .npy file says, and the bytes of one that holds just that; nothing else is read."""
    try:
        with path.open("rb") as file:
            start = io.BytesIO(file.read(HEADER))
        version = np.lib.format.read_magic(start)
        read = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}[version]
        shape, _, dtype = read(start)
        return (dtype.str, shape), start.tell() + math.prod(shape) * dtype.itemsize
    except Exception as error:  # a header is Python source: it raises whatever its bytes happen to mean
        raise InputError(f"{path} is no readable .npy file: {AGAIN}") from error
