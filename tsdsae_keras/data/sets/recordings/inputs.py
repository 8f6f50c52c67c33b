"""Step 1 of preparing recordings: which files can be read and are not copies, and what of them decides the data."""

import dataclasses
from pathlib import Path

from tsdsae_keras.data.prepared.jobs import in_parallel
from tsdsae_keras.data.sets.recordings.skipped import Skipped
from tsdsae_keras.errors import InputError
from tsdsae_keras.files import sha256_of

CHUNKS = 64  # at least, so that workers end at about the same time
CHUNK_BYTES, CHUNK_FILES = 1 << 25, 256


@dataclasses.dataclass(frozen=True)
class Input:
    """A `SoundFile` that could be read, its size, the SHA-256 of its content, and that of its pitch file or None."""

    recording: object
    bytes: int
    sha256: str
    pitch: str | None

    def describe(self):
        """What of it decides the data."""
        each = self.recording
        of_file = [each.name, self.bytes, self.sha256, self.pitch, each.channel, each.path.suffix == ".npy"]
        return [*of_file, each.labels, each.group, each.split, each.loudness_group]


def read_inputs(recordings, workers):
    """The `Input`s of recordings (ordered by name) that can be read and are not copies, and what is `Skipped`.

    A recording whose file holds the same bytes as an earlier one is skipped: it could be in two splits.

    Raises:
        InputError: two recordings of the same name.
    """
    names = [each.name for each in recordings]
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise InputError(f"two recordings are named {twice!r}; give each a name of its own")
    inputs, skipped, seen = [], [], {}
    for each, known in zip(recordings, _hash_all(recordings, workers), strict=True):
        if isinstance(known, str):
            skipped.append(Skipped(each.name, None, known))
            continue
        first = seen.setdefault((known[1], each.channel), each.name)
        if first != each.name:
            skipped.append(Skipped(each.name, None, f"the same content as another file; it is {first}"))
        else:
            inputs.append(Input(each, *known))
    return inputs, skipped


def split_into_chunks(inputs):
    """Neighbours that one worker cuts in one go: many small files together, large ones alone."""
    total = sum(each.bytes for each in inputs)
    most = min(CHUNK_BYTES, total // CHUNKS)
    chunks, size = [], 0
    for each in inputs:
        if not chunks or size + each.bytes > most or len(chunks[-1]) == CHUNK_FILES:
            chunks.append([])
            size = 0
        chunks[-1].append(each)
        size += each.bytes
    return chunks


def _hash_all(recordings, workers):
    """What `_hash` says of each recording, in their order."""
    # Hashing is a fifth of the work. Few files are usually large, so each of them is then a job of its own.
    size = max(1, min(CHUNK_FILES, len(recordings) // CHUNKS))
    jobs = [(recordings[start : start + size],) for start in range(0, len(recordings), size)]
    hashes = dict(in_parallel(_hash, jobs, workers))
    return [each for number in sorted(hashes) for each in hashes[number]]


def _hash(recordings):
    """Of each recording (bytes, SHA-256, SHA-256 of its pitch file), or why it cannot be read."""
    known = []
    for each in recordings:
        try:
            size = each.path.stat().st_size
            pitch = each.pitch and sha256_of(Path(each.pitch))
            known.append((size, sha256_of(each.path), pitch) if size else "is empty; give a sound file")
        except OSError as error:
            known.append(f"cannot be read ({error.strerror or error})")
    return known
