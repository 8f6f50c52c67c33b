"""Recordings to a prepared folder, from top to bottom: list, cut, choose, lay out, write.

1. `inputs.read_inputs` reads every file once for its SHA-256: what cannot be read, and copies, are left out.
2. `segments.measure_chunk` reads every file a second time, in any worker: it is cut into segments, and their mel power
   goes to a file of the partial folder. That is all that is ever needed of the sound.
3. `choice.choose_sequences` says which segments are kept, and by which factor each recording is normalised.
4. `layout.Layout` puts them into splits, without leaks between these, and into shards.
5. `shards.write_shards` turns power into log-mel frames, one shard in memory at a time, and writes labels and lists.

An interrupted run resumes with what it had measured and written. The result depends on the recordings and the settings
alone, not on workers, their kind, or interruptions.
"""

import hashlib
import logging
import os
import shutil
from pathlib import Path

from tsdsae_keras.data.prepared.files import json_bytes, make_folder, only_one
from tsdsae_keras.data.prepared.jobs import in_parallel
from tsdsae_keras.data.prepared.manifest import FORMAT, VERSION
from tsdsae_keras.data.prepared.store import PreparedData
from tsdsae_keras.data.prepared.writing import PreparedWriter
from tsdsae_keras.data.sets.recordings.choice import choose_sequences
from tsdsae_keras.data.sets.recordings.inputs import read_inputs, split_into_chunks
from tsdsae_keras.data.sets.recordings.layout import Layout
from tsdsae_keras.data.sets.recordings.segments import SoundSettings, measure_chunk, read_measured
from tsdsae_keras.data.sets.recordings.shards import write_shards
from tsdsae_keras.data.sets.recordings.skipped import Skipped, most_frequent, summary
from tsdsae_keras.errors import InputError
from tsdsae_keras.progress import Progress

log = logging.getLogger(__name__)

PIECES, INPUTS = "pieces", "inputs.json"  # in the partial folder, while it is one


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
    """Prepare recordings, or find them prepared; an interrupted run resumes.

    What was found, made and left out is logged (see `tsdsae_keras.process`).

    Args:
        recordings: a list of `SoundFile`.
        left_out: a list of (name, reason): what the source leaves out already.
        settings: a `SoundSettings`; None takes the defaults.
        out: the prepared folder to make.
        workers: how many at once; None is what a `joblib.parallel_config` around says, else 1. See `jobs.in_parallel`.
        confidence: function (samples, sample_rate, recording, start) -> 0 to 1, picklable; None takes
            `pitch_confidence.confidence`. It is asked where settings.min_pitch_confidence is above 0.
        by_segment: split segments instead of groups. This leaks, and serves comparison only.
        warning: a sentence for the manifest, which training and evaluation log.
        source: what the recordings are, for the manifest.
        storage: "npy", or "tfrecord" for sets that will be in object storage: the same values.

    Returns:
        The `PreparedData`.

    Raises:
        InputError: nothing can be used (with the reasons), a split would be empty, or the folder in the way is of
            other recordings or settings.
    """
    settings, out = settings or SoundSettings(), Path(out)
    make_folder(out.parent)
    with only_one(out.parent / f".{out.name}.lock"):
        inputs, unread = read_inputs(sorted(recordings, key=lambda each: each.name), workers)
        skipped = [Skipped(name, None, reason) for name, reason in left_out] + unread
        _check_any(inputs, skipped)
        decides = _describe(inputs, settings, source, by_segment, warning, confidence, storage)
        if os.path.lexists(out):
            return _open_prepared(out, decides)
        confidence = confidence or _default_confidence(settings)
        _prepare(out, decides, inputs, skipped, settings, confidence, workers)
    return PreparedData(out, verify=False)  # just written, so unchanged


def _prepare(out, decides, inputs, skipped, settings, confidence, workers):
    """Steps 2 to 5."""
    key = hashlib.sha256(json_bytes(decides)).hexdigest()[:12]
    writer = _open_writer(out, key, decides.get("storage", "npy"))
    chunks = split_into_chunks(inputs)
    stems = [writer.partial / PIECES / _name_chunk(chunk, decides) for chunk in chunks]
    measured = _measure(chunks, stems, settings, confidence, workers)
    kept, more = choose_sequences(chunks, stems, measured, settings)
    _check_any(kept, skipped := skipped + more)
    layout = Layout(kept, settings, decides["settings"]["by_segment"])
    manifest = write_shards(writer, layout, inputs, skipped, decides | {"key": key})
    shutil.rmtree(writer.partial / PIECES)
    (writer.partial / INPUTS).unlink()
    writer.finish(manifest)
    for line in [*summary(skipped), *layout.notes(), f"{out}: prepared {len(kept)} sequences ({layout.counts()})"]:
        log.info(line)


def _measure(chunks, stems, settings, confidence, workers):
    """What `measure_chunk` says of each chunk, in their order; chunks that an earlier run measured are not repeated."""
    measured = [read_measured(stem, settings.front_end.n_mels) for stem in stems]
    missing = [number for number, chunk in enumerate(measured) if chunk is None]
    sizes = [sum(each.bytes for each in chunk) for chunk in chunks]
    progress = Progress(sum(sizes), "bytes")
    progress.add(sum(sizes) - sum(sizes[number] for number in missing), made=False)
    items = [([each.recording for each in chunks[n]], settings, confidence, stems[n]) for n in missing]
    for place, chunk in in_parallel(measure_chunk, items, workers):
        measured[missing[place]] = chunk
        progress.add(sizes[missing[place]])
    return measured


def _describe(inputs, settings, source, by_segment, warning, confidence, storage):
    """All that decides the data, as plain values: the first part of the manifest."""
    about = [each.describe() for each in inputs]
    decides = {
        "format": FORMAT,
        "version": VERSION,
        "dataset": source,
        "settings": settings.settings() | {"by_segment": by_segment} | _describe_confidence(confidence),
        "front_end": settings.front_end.to_dict(),
        "inputs": hashlib.sha256(json_bytes(about)).hexdigest(),
    }
    return decides | ({"warning": warning} if warning else {}) | ({} if storage == "npy" else {"storage": storage})


def _describe_confidence(confidence):
    """What measures the pitch confidence, as text, with what a functools.partial gives it."""
    if confidence is None:
        return {}
    given = getattr(confidence, "keywords", {})
    named = {"confidence": _name(getattr(confidence, "func", confidence))}
    return named | {f"confidence_{name}": getattr(value, "name", _name(value)) for name, value in given.items()}


def _name(value):
    return getattr(value, "__qualname__", type(value).__qualname__)


def _name_chunk(chunk, decides):
    """The name of what is measured of a chunk: a hash of all that decides it."""
    of_files = [[*each.describe()[:6]] for each in chunk]
    content = json_bytes([of_files, decides["settings"], decides["front_end"]])
    return hashlib.sha256(content).hexdigest()[:24]


def _default_confidence(settings):
    if settings.min_pitch_confidence == 0:
        return None
    from tsdsae_keras.data.audio.pitch_confidence import confidence

    return confidence


def _open_prepared(out, decides):
    """The data, if they are of the same recordings and settings."""
    data = PreparedData(out)
    for name in (*decides, "storage"):
        value = decides.get(name)
        if data.manifest.get(name) != value:
            raise InputError(f"{out} was prepared {_difference(name, data.manifest, value)}; give another --out")
    log.info(f"{out}: already prepared, {sum(data.counts.values())} sequences")
    return data


def _difference(name, manifest, value):
    other = manifest.get(name)
    if name == "inputs" or not isinstance(value, dict) or not isinstance(other, dict):
        return "from other files, labels or groups" if name == "inputs" else f"with another {name}"
    first = next(key for key in sorted({*value, *other}) if value.get(key) != other.get(key))
    return f"with {first} {other.get(first)!r} instead of {value.get(first)!r}"


def _open_writer(out, key, storage):
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
    (partial / PIECES).mkdir(exist_ok=True)
    return writer


def _check_any(usable, skipped):
    if not usable:
        raise InputError(f"nothing can be used: {most_frequent(skipped) or 'there is no file in it'}")
