"""Prepared folders: sequences and labels on disk, checked against their manifest before anything is read.

A folder holds .npy shards named `<split>-<number>.<array>.npy` and `manifest.json`, which names every shard with its
size and SHA-256, every array with its type and shape, the settings, and what the labels mean. The array `features`
(T, F) is always there; all others are labels. Three of them mean something here: `length`, the valid frames of a
sequence where not all are, `group`, what must not stand in two splits, and `recording`, what a sequence is part of.
Where the manifest has `shard_frames`, {split: [T of each shard]}, every shard is padded to its own longest sequence.
Where it has `storage` "tfrecord", one file `<split>-<number>.tfrecord` holds all arrays of a shard (`records`).
"""

import contextlib
import hashlib
import io
import math
import reprlib

import numpy as np

from tsdsae_keras.data.prepared.manifest import AGAIN, FORMAT, MANIFEST, VERSION, parsed, read_manifest
from tsdsae_keras.data.prepared.records import RecordLayout, SteppedShard, place_of, values_at
from tsdsae_keras.data.prepared.sequences import Sequences
from tsdsae_keras.data.prepared.splits import check_disjoint
from tsdsae_keras.errors import InputError
from tsdsae_keras.files import sha256_of

__all__ = ["ALIGNMENT", "FORMAT", "MANIFEST", "VERSION", "PreparedData", "aligned_empty", "check_file", "shard_name"]
__all__ += ["shard_sizes"]

ALIGNMENT = 64
HEADER = 1 << 14  # bytes in which the header of an .npy file stands; NumPy's take 128


class PreparedData:
    """A prepared folder, opened and verified.

    Args:
        folder: path of the folder, or its URL in object storage (gs://...), which TensorFlow reads.
        verify: compare the SHA-256 of every file; sizes, types and shapes are compared in any case.

    Raises:
        InputError: the folder is missing, foreign or damaged; the line names the file and the remedy.
    """

    def __init__(self, folder, *, verify=True):
        self.folder = place_of(folder)
        content = read_manifest(self.folder)
        self.identity = hashlib.sha256(content).hexdigest()[:12]
        self.manifest = parsed(content, self.folder / MANIFEST)
        self._check_complete()
        for name in self.manifest["files"]:
            self._check_file(name, verify)
        for split in self.counts:
            for array in self.manifest["arrays"]:
                self._checked_shards(split, array)
            self._check_records(split)
            self.sequences(split)
        self._check_groups()

    @property
    def front_end(self):
        """The settings of the front end, as `FrontEnd.to_dict` gives them."""
        return self.manifest["front_end"]

    @property
    def frames(self):
        """T, the frames of a sequence, of the longest where they differ."""
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

    @property
    def storage(self):
        """In which form the shards are: "npy" or "tfrecord"."""
        return self.manifest.get("storage", "npy")

    @property
    def warning(self):
        """A sentence that everybody who uses the data should read, or None."""
        return self.manifest.get("warning")

    def features(self, split):
        """All sequences of a split in memory: float32, shape (n, T, F), T of the split's longest shard."""
        sequences = self.sequences(split)
        return sequences.read(np.arange(len(sequences)), out=aligned_empty(sequences.shape))

    def sequences(self, split, frames=None):
        """The sequences of a split, left on disk, with their lengths: `Sequences`.

        Args:
            split: its name.
            frames: to which longer sequences are cut; None cuts none.

        Raises:
            InputError: as in `shards`.
        """
        places = [SteppedShard(path, start, shape, step) for path, start, step, shape in self._checked_shards(split)]
        with self._named():
            return Sequences(places, self.lengths(split), frames, fill=self._silence)

    def lengths(self, split):
        """(n,) valid frames of each sequence, or None where all frames are."""
        return self.label(split, "length") if "length" in self.manifest["arrays"] else None

    def mask(self, split):
        """(n, T) true where a frame of `features` is valid, or None where all are."""
        return self.sequences(split).mask

    def labels(self, split):
        """The labels of a split: a dictionary of arrays, each of length n."""
        return {name: self.label(split, name) for name in self.manifest["arrays"] if name != "features"}

    def label(self, split, name):
        """One array of labels of a split, (n, ...), in memory."""
        return np.concatenate(self.shards(split, name))

    def shards(self, split, array="features"):
        """One array of a split as a list of read-only memory maps, each of which keeps its file open.

        From object storage they are arrays in memory.

        Raises:
            InputError: an unknown split or array, or a file that does not hold what the manifest says.
        """
        dtype = self.manifest["arrays"].get(array, {}).get("dtype")
        return [
            _read(path, start, step, dtype, shape) for path, start, step, shape in self._checked_shards(split, array)
        ]

    def _checked_shards(self, split, array="features"):
        """[(path, byte at which the values begin, bytes from row to row, shape)] of one array of a split."""
        if split not in self.counts:
            raise InputError(f"{self.folder} has no split {split!r}: choose from {_listed(self.counts)}")
        if array not in self.manifest["arrays"]:
            raise InputError(f"{self.folder} has no array {array!r}: choose from {_listed(self.manifest['arrays'])}")
        found = []
        for number, name, count in self._files(split, array):
            self._check_file(name)  # once more: it may have been replaced since
            stated = self._stated(split, number)
            found.append(self._place(self.folder / name, stated, array, count))
        return found

    def _files(self, split, array):
        """(number, file, sequences) of every shard."""
        for number, count in enumerate(shard_sizes(self.counts[split], self.manifest["shard_size"])):
            yield number, shard_name(split, number, array, self.storage), count

    def _stated(self, split, number):
        """{array: (type, shape of one sequence)} of a shard."""
        stated = {name: (each["dtype"], tuple(each["shape"])) for name, each in self.manifest["arrays"].items()}
        if "shard_frames" in self.manifest:
            stated["features"] = ("<f4", (self.manifest["shard_frames"][split][number], self.bands))
        return stated

    def _place(self, path, stated, array, count):
        dtype, shape = stated[array]
        if self.storage == "npy":
            start = _start(path, dtype, (count, *shape))
            return path, start, np.dtype(dtype).itemsize * math.prod(shape), (count, *shape)
        layout = RecordLayout(stated)
        layout.check(path, count, every=False)
        return path, layout.starts[array], layout.step, (count, *shape)

    def _check_records(self, split):
        """That every record holds what is stated, where there are records."""
        for number, name, count in self._files(split, "features") if self.storage == "tfrecord" else ():
            RecordLayout(self._stated(split, number)).check(self.folder / name, count)

    @property
    def _silence(self):
        """What padding holds: a frame without power."""
        offset = self.front_end.get("log_offset")
        return math.log(offset) if isinstance(offset, float) and 0 < offset < math.inf else 0.0

    def _check_groups(self):
        if "group" in self.manifest["arrays"]:
            with self._named():
                check_disjoint({split: self.label(split, "group") for split in self.counts})

    @contextlib.contextmanager
    def _named(self):
        """Adds to an error which folder it is about."""
        try:
            yield
        except InputError as error:
            raise InputError(f"{self.folder}: {error}") from error

    def _check_complete(self):
        for split, count in self.counts.items():
            for number in range(-(-count // self.manifest["shard_size"])):  # ends at the first that is missing
                for array in self.manifest["arrays"]:
                    name = shard_name(split, number, array, self.storage)
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


def shard_name(split, number, array, storage="npy"):
    """The file that holds one array of one shard."""
    return f"{split}-{number:05d}.{array}.npy" if storage == "npy" else f"{split}-{number:05d}.tfrecord"


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


def _listed(names):
    return ", ".join([*names][:8]) + (", ..." if len(names) > 8 else "")


def _read(path, start, step, dtype, shape):
    try:
        return values_at(path, start, step, dtype, shape)
    except (ValueError, EOFError, OSError) as error:
        raise InputError(f"{path} cannot be read ({error}): {AGAIN}") from error


def _start(path, dtype, shape):
    """The byte at which the values of an .npy file begin, once it is sure that it holds what was stated."""
    found, start, size = _header(path)
    if found != (dtype, shape):
        found = f"{found[0]} {reprlib.repr(found[1])[:80]}"
        raise InputError(f"{path} holds {found} instead of {dtype} {shape}: {AGAIN}")
    if size != path.stat().st_size:
        raise InputError(f"{path} has {path.stat().st_size} bytes instead of {size}: {AGAIN}")
    return start


def _header(path):
    """(type, shape) as an .npy file says, where its values begin, and the bytes of one that holds just that."""
    try:
        with path.open("rb") as file:
            start = io.BytesIO(file.read(HEADER))
        version = np.lib.format.read_magic(start)
        read = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}[version]
        shape, fortran, dtype = read(start)
        if fortran and len(shape) > 1:
            raise ValueError("columns first")
        return (dtype.str, shape), start.tell(), start.tell() + math.prod(shape) * dtype.itemsize
    except Exception as error:  # a header is Python source: it raises whatever its bytes happen to mean
        raise InputError(f"{path} is no readable .npy file: {AGAIN}") from error
