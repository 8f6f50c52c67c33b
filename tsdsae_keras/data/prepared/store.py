"""Prepared folders: sequences and labels on disk, checked against their manifest before anything is read.

A folder holds .npy shards named `<split>-<number>.<array>.npy` and `manifest.json`, which names every shard with its
size and SHA-256, every array with its type and shape, the settings, and what the labels mean. The array `features`
is always there, for log-mel frames (T, F) in float32, for images (height, width, channels) or whatever the models of a
family take; all others are labels. Three of them mean something here: `length`, the valid frames of a
sequence where not all are, `group`, what must not be in two splits, and `recording`, what a sequence is part of.
Where the manifest has `shard_frames`, {split: [T of each shard]}, every shard is padded to its own longest sequence.
Where it has `storage` "tfrecord", one file `<split>-<number>.tfrecord` holds all arrays of a shard (`records`).
"""

import contextlib
import math

import numpy as np

from tsdsae_keras.data.prepared.manifest import AGAIN, MANIFEST, parse_manifest, read_manifest
from tsdsae_keras.data.prepared.npy import open_npy
from tsdsae_keras.data.prepared.records import RecordShard
from tsdsae_keras.data.prepared.remote import to_path
from tsdsae_keras.data.prepared.sequences import Sequences
from tsdsae_keras.data.prepared.splits import check_disjoint
from tsdsae_keras.errors import InputError
from tsdsae_keras.files import sha256, sha256_of

ALIGNMENT = 64


class PreparedData:
    """A prepared folder, opened and verified.

    Args:
        folder: path of the folder, or its URL in object storage (gs://...), which TensorFlow reads.
        verify: compare the SHA-256 of every file; sizes, types and shapes are compared in any case.

    Raises:
        InputError: the folder is missing, foreign or damaged; the line names the file and the remedy.
    """

    def __init__(self, folder, *, verify=True):
        self.folder = to_path(folder)
        content = read_manifest(self.folder)
        self.identity = sha256(content)[:12]
        self.manifest = parse_manifest(content, self.folder / MANIFEST)
        self._check_complete()
        for name in self.manifest["files"]:
            check_file(self.folder / name, self.manifest["files"][name], verify=verify)
        self._records = {}  # {file: RecordShard}
        for split in self.counts:
            for array in self.manifest["arrays"]:
                self._open_shards(split, array)
            self.sequences(split)
        self._check_groups()

    @property
    def front_end(self):
        """The settings of the front end, as `FrontEnd.to_dict` gives them."""
        return self.manifest["front_end"]

    @property
    def frames(self):
        """T, the frames of a sequence, of the longest where they differ."""
        return self._log_mel_shape[0]

    @property
    def n_mels(self):
        """F, the mel bands of a frame."""
        return self._log_mel_shape[1]

    @property
    def _log_mel_shape(self):
        shape = self.manifest["arrays"]["features"]["shape"]
        if len(shape) != 2:
            raise InputError(f"{self.folder} holds features of shape {shape}: this model takes log-mel frames (T, F)")
        return shape

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
        """All features of a split in memory: (n, T, F), T of the split's longest shard, or (n, ...) as stated."""
        sequences = self.sequences(split)
        return sequences.read(np.arange(len(sequences)), out=aligned_empty(sequences.shape, sequences.dtype))

    def sequences(self, split, frames=None):
        """The sequences of a split, left on disk, with their lengths: `Sequences`, longer ones cut to `frames`."""
        with self._name_folder():
            return Sequences(self._open_shards(split), self.lengths(split), frames, fill=self._silence)

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
        opened = self._open_shards(split, array)
        return [shard.array() if self.storage == "npy" else shard.array(array) for shard in opened]

    def _open_shards(self, split, array="features"):
        """The `NpyShard`s of one array of a split, or its `RecordShard`s, which hold all arrays."""
        if split not in self.counts:
            raise InputError(f"{self.folder} has no split {split!r}: choose from {_list(self.counts)}")
        if array not in self.manifest["arrays"]:
            raise InputError(f"{self.folder} has no array {array!r}: choose from {_list(self.manifest['arrays'])}")
        opened = []
        for number, count in enumerate(shard_sizes(self.counts[split], self.manifest["shard_size"])):
            name = shard_name(split, number, array, self.storage)
            # Check again: it may have been replaced since.
            check_file(self.folder / name, self.manifest["files"][name], verify=False)
            stated = self._describe_shard(split, number)
            if self.storage == "npy":
                dtype, shape = stated[array]
                opened.append(open_npy(self.folder / name, dtype, (count, *shape)))
            else:
                if name not in self._records:
                    self._records[name] = RecordShard(self.folder / name, count, stated)
                opened.append(self._records[name])
        return opened

    def _describe_shard(self, split, number):
        """{array: (type, shape of one sequence)} of a shard."""
        stated = {name: (each["dtype"], tuple(each["shape"])) for name, each in self.manifest["arrays"].items()}
        if "shard_frames" in self.manifest:
            dtype, (_, *rest) = stated["features"]
            stated["features"] = (dtype, (self.manifest["shard_frames"][split][number], *rest))
        return stated

    @property
    def _silence(self):
        """What padding holds: a frame without power."""
        offset = self.front_end.get("log_offset")
        return math.log(offset) if isinstance(offset, float) and 0 < offset < math.inf else 0.0

    def _check_groups(self):
        if "group" in self.manifest["arrays"]:
            with self._name_folder():
                check_disjoint({split: self.label(split, "group") for split in self.counts})

    @contextlib.contextmanager
    def _name_folder(self):
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


def aligned_empty(shape, dtype=np.float32):
    """An uninitialised array whose memory TensorFlow can use without a copy."""
    size = np.dtype(dtype).itemsize * math.prod(shape)
    raw = np.empty(size + ALIGNMENT, np.uint8)
    start = -raw.ctypes.data % ALIGNMENT
    return raw[start : start + size].view(dtype).reshape(shape)


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
        raise InputError(f"{path} is missing or not a plain file: {AGAIN}")
    size = path.stat().st_size
    if size != stated["bytes"]:
        raise InputError(f"{path} has {size} bytes instead of {stated['bytes']}, so it was cut or changed: {AGAIN}")
    if verify and sha256_of(path) != stated["sha256"]:
        raise InputError(f"{path} does not have the SHA-256 of the manifest, so it was changed: {AGAIN}")


def _list(names):
    return ", ".join([*names][:8]) + (", ..." if len(names) > 8 else "")
