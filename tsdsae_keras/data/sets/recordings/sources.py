"""Recordings to a prepared folder: cut and measured once, split by groups, normalised, stored.

Each recording is read once, by any worker, into a file of the partial folder; shards are then gathered from those, one
in memory at a time. A run that was broken off finds what it had measured. The result depends on the recordings and the
settings alone, not on workers, their kind, or interruptions.
"""

import dataclasses
import hashlib
import logging
import os
import shutil
from pathlib import Path

from tsdsae_keras.data.prepared.files import json_bytes, only_one
from tsdsae_keras.data.prepared.jobs import in_parallel
from tsdsae_keras.data.prepared.store import FORMAT, VERSION, PreparedData
from tsdsae_keras.data.prepared.writing import PreparedWriter
from tsdsae_keras.data.sets.recordings.layout import Layout, kept_sequences, write_sequences
from tsdsae_keras.data.sets.recordings.segments import SoundSettings, measure_chunk, measured_before
from tsdsae_keras.data.sets.recordings.skipped import Skipped, most_frequent, summary
from tsdsae_keras.errors import InputError
from tsdsae_keras.files import sha256_of
from tsdsae_keras.progress import Progress

log = logging.getLogger(__name__)

PIECES, INPUTS = "pieces", "inputs.json"  # in the partial folder, while it is one
_CHUNKS = 64  # of the whole, at least, so that workers end together
_CHUNK_BYTES, _CHUNK_FILES = 1 << 25, 256


def prepare_recordings(
    recordings,
    left_out,
    settings,
    out,
    *,
    workers=None,
    confidence=None,
    by_segment=False,
    warning="",
    source="folder",
    storage="npy",
):
    """Prepare recordings, or find them prepared; a run that was broken off goes on where it stopped.

    A recording whose file holds the same bytes as an earlier one is left out: it could stand in two splits.
    What was found, made and left out is logged (see `tsdsae_keras.process`).

    Args:
        recordings: a list of `Recording`.
        left_out: a list of (name, reason): what the source leaves out already.
        settings: a `SoundSettings`; None takes the defaults.
        out: the prepared folder to make.
        workers: how many at once; None is what a `joblib.parallel_config` around says, else 1. See `jobs.in_parallel`.
        confidence: function (samples, sample_rate, recording, start) -> 0 to 1, picklable; None takes
            `pitch_confidence.confidence`. It is asked where settings.min_pitch_confidence is above 0.
        by_segment: split segments instead of groups. This leaks, and serves comparison only.
        warning: a sentence for the manifest, which training and evaluation log.
        source: what the recordings are, for the manifest.
        storage: "npy", or "tfrecord" for sets that will stand in object storage: the same values.

    Returns:
        The path of the prepared folder; see `PreparedData`.

    Raises:
        InputError: nothing can be used (with the reasons), a split would be empty, or the folder in the way is of
            other recordings or settings.
    """
    settings, out = settings or SoundSettings(), Path(out)
    recordings = sorted(recordings, key=lambda each: each.name)
    _make_parent(out)
    with only_one(out.parent / f".{out.name}.lock"):
        inputs, unread = _inputs(recordings, workers)
        skipped = [Skipped(name, None, reason) for name, reason in left_out] + unread
        _check_any(inputs, skipped)
        decides = _decides(inputs, settings, source, by_segment, warning, confidence)
        decides |= {} if storage == "npy" else {"storage": storage}
        if os.path.lexists(out):
            return _found(out, decides)
        confidence = confidence or _usual_confidence(settings)
        return _made(out, decides, inputs, skipped, settings, confidence, workers)


@dataclasses.dataclass(frozen=True)
class _Input:
    """A recording whose file could be read, its size and the SHA-256 of its content."""

    recording: object
    bytes: int
    sha256: str
    pitch: str | None

    def described(self):
        """What of it decides the data."""
        each = self.recording
        of_file = [each.name, self.bytes, self.sha256, self.pitch, each.channel, each.path.suffix == ".npy"]
        return [*of_file, each.labels, each.group, each.split, each.loudness_group]


def _inputs(recordings, workers):
    """The recordings that can be read and are no copies, and what is skipped."""
    names = [each.name for each in recordings]
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise InputError(f"two recordings are named {twice!r}; give each a name of its own")
    # Of few, large files each is a group of its own: hashing is a fifth of the work.
    size = max(1, min(_CHUNK_FILES, len(recordings) // _CHUNKS))
    hashed = dict(in_parallel(_hashed, _in_groups(recordings, size), workers))
    inputs, skipped, seen = [], [], {}
    for each, found in zip(recordings, (one for number in sorted(hashed) for one in hashed[number]), strict=True):
        if isinstance(found, str):
            skipped.append(Skipped(each.name, None, found))
            continue
        first = seen.setdefault((found[1], each.channel), each.name)
        if first != each.name:
            skipped.append(Skipped(each.name, None, f"the same content as another file; it is {first}"))
        else:
            inputs.append(_Input(each, *found))
    return inputs, skipped


def _in_groups(recordings, size):
    return [(recordings[start : start + size],) for start in range(0, len(recordings), size)]


def _hashed(recordings):
    """Of each recording (bytes, SHA-256, SHA-256 of its pitch file), or why it cannot be read."""
    found = []
    for each in recordings:
        try:
            size = each.path.stat().st_size
            pitch = each.pitch and sha256_of(Path(each.pitch))
            found.append((size, sha256_of(each.path), pitch) if size else "is empty; give a sound file")
        except OSError as error:
            found.append(f"cannot be read ({error.strerror or error})")
    return found


def _check_any(usable, skipped):
    if not usable:
        reasons = most_frequent(skipped) or "there is no file in it"
        raise InputError(f"nothing can be used: {reasons}")


def _decides(inputs, settings, source, by_segment, warning, confidence):
    described = [each.described() for each in inputs]
    decides = {
        "format": FORMAT,
        "version": VERSION,
        "dataset": source,
        "settings": settings.settings() | {"by_segment": by_segment} | _named(confidence),
        "front_end": settings.front_end.to_dict(),
        "inputs": hashlib.sha256(json_bytes(described)).hexdigest(),
    }
    return decides | ({"warning": warning} if warning else {})


def _named(confidence):
    """What measures the pitch confidence, as text, with what a functools.partial gives it."""
    if confidence is None:
        return {}
    given = getattr(confidence, "keywords", {})
    named = {"confidence": _name(getattr(confidence, "func", confidence))}
    return named | {f"confidence_{name}": getattr(value, "name", _name(value)) for name, value in given.items()}


def _name(value):
    return getattr(value, "__qualname__", type(value).__qualname__)


def _found(out, decides):
    """The folder, if it is of the same recordings and settings."""
    data = PreparedData(out)
    for name in (*decides, "storage"):
        value = decides.get(name)
        if data.manifest.get(name) != value:
            raise InputError(f"{out} was prepared {_difference(name, data.manifest, value)}; give another --out")
    log.info(f"{out}: found prepared, {sum(data.counts.values())} sequences")
    return out


def _difference(name, manifest, value):
    other = manifest.get(name)
    if name == "inputs" or not isinstance(value, dict) or not isinstance(other, dict):
        return "from other files, labels or groups" if name == "inputs" else f"with another {name}"
    first = next(key for key in sorted({*value, *other}) if value.get(key) != other.get(key))
    return f"with {first} {other.get(first)!r} instead of {value.get(first)!r}"


def _made(out, decides, inputs, skipped, settings, confidence, workers):
    key = hashlib.sha256(json_bytes(decides)).hexdigest()[:12]
    writer = _writer(out, key, decides.get("storage", "npy"))
    pieces = writer.partial / PIECES
    pieces.mkdir(exist_ok=True)
    chunks = _chunks(inputs)
    stems = [pieces / _stem(chunk, decides) for chunk in chunks]
    measured = _measured(chunks, stems, settings, confidence, workers)
    kept, more = kept_sequences(chunks, stems, measured, settings)
    _check_any(kept, skipped := skipped + more)
    layout = Layout(kept, settings, decides["settings"]["by_segment"])
    manifest = write_sequences(writer, layout, inputs, skipped, decides | {"key": key})
    shutil.rmtree(pieces)
    (writer.partial / INPUTS).unlink()
    writer.finish(manifest)
    for line in [*summary(skipped), *layout.notes(), f"{out}: prepared {len(kept)} sequences ({layout.counted()})"]:
        log.info(line)
    return out


def _writer(out, key, storage):
    """A writer whose shards, if an earlier run left any, are of the same key; what was measured is kept in any case."""
    partial = out.with_name(out.name + ".partial")
    stated = partial / INPUTS
    ours = stated.is_file() or (partial / PIECES).is_dir()
    if ours and (not stated.is_file() or stated.read_bytes() != json_bytes({"key": key})):
        for path in partial.iterdir():
            if path.name != PIECES:
                path.unlink()
        (partial / "progress.json").write_bytes(json_bytes({"files": {}}))
    writer = PreparedWriter(out, storage)
    stated.write_bytes(json_bytes({"key": key}))
    return writer


def _chunks(inputs):
    """Neighbours that one worker cuts in one go: many small files together, large ones alone."""
    total = sum(each.bytes for each in inputs)
    most = min(_CHUNK_BYTES, total // _CHUNKS)
    chunks, size = [], 0
    for each in inputs:
        if not chunks or size + each.bytes > most or len(chunks[-1]) == _CHUNK_FILES:
            chunks.append([])
            size = 0
        chunks[-1].append(each)
        size += each.bytes
    return chunks


def _stem(chunk, decides):
    """The name of what is measured of a chunk: a hash of all that decides it."""
    of_files = [[*each.described()[:6]] for each in chunk]
    content = json_bytes([of_files, decides["settings"], decides["front_end"]])
    return hashlib.sha256(content).hexdigest()[:24]


def _measured(chunks, stems, settings, confidence, workers):
    """What `measure_chunk` says of each chunk, in their order."""
    measured = [measured_before(stem, settings.front_end.n_mels) for stem in stems]
    missing = [number for number, found in enumerate(measured) if found is None]
    sizes = [sum(each.bytes for each in chunk) for chunk in chunks]
    progress = Progress(sum(sizes), "bytes")
    progress.add(sum(sizes) - sum(sizes[number] for number in missing), made=False)
    items = [([each.recording for each in chunks[n]], settings, confidence, stems[n]) for n in missing]
    for place, found in in_parallel(measure_chunk, items, workers):
        number = missing[place]
        measured[number] = found
        progress.add(sizes[number])
    return measured


def _usual_confidence(settings):
    if settings.min_pitch_confidence == 0:
        return None
    from tsdsae_keras.data.audio.pitch_confidence import confidence

    return confidence


def _make_parent(out):
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{out.parent} cannot be made a folder ({error.strerror}); give another --out") from error
