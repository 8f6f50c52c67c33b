"""The pool: log-mel frames of many sounds without labels, to learn from; nothing that a task tests on is in it."""

import contextlib
import functools
import logging
import os
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tsdsae_keras.data.audio.clips import RATE, Clip, content_hash, is_silent, scale_peak
from tsdsae_keras.data.audio.logmel import FrontEnd
from tsdsae_keras.data.audio.synthetic import KINDS, synthesise
from tsdsae_keras.data.prepared.files import json_bytes, only_one
from tsdsae_keras.data.prepared.jobs import in_parallel
from tsdsae_keras.data.prepared.manifest import FORMAT, VERSION
from tsdsae_keras.data.prepared.store import PreparedData
from tsdsae_keras.data.prepared.writing import PreparedWriter
from tsdsae_keras.data.sets.pool_sources import RECORDED, list_sources, own_folder
from tsdsae_keras.data.tasks import TASKS, NotInstalled, open_task
from tsdsae_keras.errors import InputError
from tsdsae_keras.files import sha256
from tsdsae_keras.progress import Progress

log = logging.getLogger(__name__)

# Log-mel as in BYOL-A but for the offset: most sounds are shorter than a window, and padding at log 1e-7 would rule.
FRONT_END = FrontEnd(RATE, 1024, 160, 64, 60.0, 7800.0, 1e-5)
SHORTEST = 96  # frames; shorter sounds are padded by silence
PIECE = 15.0  # seconds; longer sounds are cut
REST = 0.2  # seconds below which what is left of a cut sound is dropped
HELD_OUT = 20  # one sound in 20 is for validation
FEWEST = 16  # sounds for validation, where there are four times as many in all
SHARD_SIZE = 128
USUAL = tuple(name for name in TASKS if name not in ("voice20", "language11"))
SYNTHETIC = "the pool is of synthesised sounds, not recordings: it shows that everything runs, and teaches little"


def open_pool(settings):
    """The pool that the options of a run ask for, prepared where it is not there yet: `PreparedData`.

    Args:
        settings: with the attributes of `cards.pool.PoolSettings`.

    Raises:
        InputError: an unknown source, a folder without sound, or too few sounds that can be used.
    """
    cache = Path(settings.cache)
    cache.mkdir(parents=True, exist_ok=True)
    clips, licences = _gather(settings, cache)
    tasks = _tasks_to_keep_out(settings, cache)
    decides = _describe(settings, clips, licences, tasks)
    key = sha256(json_bytes(decides))[:12]
    folder = cache / f"pool-{key}"
    with only_one(cache / f".{folder.name}.lock"):
        if not os.path.lexists(folder):
            _prepare(folder, decides | {"key": key}, clips, _tested_hashes(tasks, settings.workers), settings)
            return PreparedData(folder, verify=False)  # just written, so unchanged
    data = PreparedData(folder)
    log.info(f"data: {folder} ({sum(data.counts.values())} sounds)")
    return data


def _gather(settings, cache):
    """All clips, and {source: licence}."""
    names = settings.sources
    asked = [*RECORDED] if "auto" in names else [name for name in names if name in RECORDED]
    found, missing = list_sources(asked, cache)
    if missing and "auto" not in names:
        raise InputError(missing[0])
    for line in missing:
        log.info(f"not in the pool: {line}")
    clips = [clip for each in found.values() for clip in each]
    licences = {name: RECORDED[name].licence for name in found}
    if settings.folder:
        clips, licences = clips + own_folder(settings.folder), licences | {"folder": "your own"}
    if "synth" in names or not clips:
        clips, licences = clips + _synthetic(settings), licences | {"synth": "no samples used"}
    return clips, licences


def _synthetic(settings):
    seeds = [(settings.data_seed, number) for number in range(settings.sounds)]
    return [Clip(f"synth/{n:05d}", functools.partial(_make, seed)) for n, seed in enumerate(seeds)]


def _make(seed):
    rng = np.random.default_rng(seed)
    return synthesise(KINDS[rng.integers(len(KINDS))], rng)


def _tasks_to_keep_out(settings, cache):
    """{name: task} of the tasks to keep out whose sounds are on this machine; others cannot be in the pool."""
    tasks = {}
    if _is_synthetic(settings):
        return tasks
    for name in dict.fromkeys(
        each for given in settings.keep_out for each in (USUAL if given == "usual" else (given,))
    ):
        with contextlib.suppress(NotInstalled):
            tasks[name] = open_task(name, cache)
    return tasks


def _is_synthetic(settings):
    return settings.sources == ("synth",) and not settings.folder


def _tested_hashes(tasks, workers):
    """{content hash: task} of every sound that some tasks test on."""
    hashes = {}
    for name, task in tasks.items():
        for _, value in in_parallel(_hash, [(clip,) for clip in task.test_clips()], workers):
            hashes[value] = name
    return hashes


def _hash(clip):
    return content_hash(clip.read())


def _describe(settings, clips, licences, tasks):
    """All that decides the pool, as plain values: the first part of the manifest."""
    synthetic = set(licences) == {"synth"}
    return {
        "format": FORMAT,
        "version": VERSION,
        "dataset": "pool",
        "settings": {
            "sources": sorted(licences),
            "sounds": settings.sounds if "synth" in licences else 0,
            "data_seed": settings.data_seed,
            "minutes": settings.minutes,
            "kept_out": {name: _names(task.test_clips()) for name, task in tasks.items()},
            "names": _names(clips),
            "folder": _folder_size(settings.folder),
        },
        "front_end": FRONT_END.to_dict(),
        "licence": licences,
        **({"warning": SYNTHETIC} if synthetic else {}),
    }


def _names(clips):
    return sha256(json_bytes([clip.name for clip in clips]))[:16]


def _folder_size(folder):
    """The bytes of a user's folder, which change where its sounds do."""
    return sum(path.stat().st_size for path in Path(folder).rglob("*") if path.is_file()) if folder else 0


@dataclass
class Piece:
    """Frames of a sound, or of 15 s of it, and what it is."""

    frames: np.ndarray
    source: str
    name: str
    hash: int


def _prepare(folder, decides, clips, hashes, settings):
    """Reads every clip, leaves out what cannot be used, writes shards and manifest."""
    pieces, left_out, seen, seconds = [], Counter(), set(), 0.0
    progress = Progress(len(clips), "sounds")
    order = np.random.default_rng(settings.data_seed).permutation(len(clips)) if settings.minutes else range(len(clips))
    read = dict(in_parallel(_read, [(clips[place],) for place in order], settings.workers))
    for number in sorted(read):
        value, made = read.pop(number)
        progress.add(1)
        reason = made if isinstance(made, str) else _refuse(value, hashes, seen)
        if reason:
            left_out[reason] += 1
        elif settings.minutes is None or seconds < 60 * settings.minutes:
            seen.add(value)
            pieces += made
            seconds += sum(len(each.frames) for each in made) * FRONT_END.hop_length / RATE
    short = sum(len(piece.frames) == SHORTEST for piece in pieces)
    log.info(f"{short} sounds are padded by silence: shorter than a window of {SHORTEST} frames")
    for reason, count in sorted(left_out.items()):
        log.info(f"{count} sounds left out: {reason}")
    splits = _split(pieces)
    writer = PreparedWriter(folder)
    manifest = decides | _write(writer, splits) | {"left_out": dict(left_out)}
    writer.finish(manifest)
    log.info(f"{folder}: prepared {len(pieces)} sounds, {seconds / 60:.0f} minutes")


def _read(clip):
    """(content hash, pieces), or (0, why it cannot be used)."""
    try:
        samples = clip.read()
    except InputError as error:
        log.info(str(error))
        return 0, "cannot be read"
    if is_silent(samples):
        return 0, "silent"
    value, samples, size = content_hash(samples), scale_peak(samples), round(PIECE * RATE)
    parts = [samples[start : start + size] for start in range(0, len(samples), size)]
    parts = [part for part in parts if part is parts[0] or (len(part) > REST * RATE and not is_silent(part))]
    return value, [Piece(_log_mel(part), clip.name.partition("/")[0], clip.name, value) for part in parts]


def _log_mel(samples):
    shortest = (SHORTEST - 1) * FRONT_END.hop_length
    return FRONT_END.log_mel(np.pad(samples, (0, max(0, shortest - len(samples)))))


def _refuse(value, hashes, seen):
    """Why a sound must not be in the pool, or None."""
    if value in hashes:
        return f"tested on by {hashes[value]}"
    return "the same as another" if value in seen else None


def _split(pieces):
    """{split: pieces}, all pieces of a sound in one split; InputError where there are too few."""
    names = sorted({piece.hash for piece in pieces})  # hashes, so that the choice is one at random
    held = set(names[: max(2, min(FEWEST, len(names) // 4), len(names) // HELD_OUT)])
    splits = {
        "train": [piece for piece in pieces if piece.hash not in held],
        "validation": [piece for piece in pieces if piece.hash in held],
    }
    if len(names) < 4:
        raise InputError(f"{len(names)} sounds can be used for the pool; give at least 4 (see --sources and --folder)")
    return splits


def _write(writer, splits):
    """Writes the shards, those of like length together; the rest of the manifest."""
    sources = sorted({piece.source for pieces in splits.values() for piece in pieces})
    frames, longest = {}, 0
    for split, pieces in splits.items():
        pieces.sort(key=lambda piece: (len(piece.frames), piece.name))
        frames[split] = []
        for number, start in enumerate(range(0, len(pieces), SHARD_SIZE)):
            shard = pieces[start : start + SHARD_SIZE]
            frames[split].append(len(shard[-1].frames))
            writer.write_shard(split, number, _arrays(shard, sources))
        longest = max(longest, *frames[split])
    kinds = {"length": "<i4", "hash": "<i8", "source": "<i4"}
    features = {"features": {"dtype": "<f4", "shape": [longest, FRONT_END.n_mels]}}
    return {
        "counts": {split: len(pieces) for split, pieces in splits.items()},
        "shard_size": SHARD_SIZE,
        "shard_frames": frames,
        "arrays": features | {name: {"dtype": kind, "shape": []} for name, kind in kinds.items()},
        "label_names": {"source": sources},
    }


def _arrays(shard, sources):
    features = np.full((len(shard), len(shard[-1].frames), FRONT_END.n_mels), FRONT_END.silence, np.float32)
    for row, piece in zip(features, shard, strict=True):
        row[: len(piece.frames)] = piece.frames
    return {
        "features": features,
        "length": np.array([len(piece.frames) for piece in shard], np.int32),
        "hash": np.array([piece.hash for piece in shard], np.int64),
        "source": np.array([sources.index(piece.source) for piece in shard], np.int32),
    }


def check_unseen(data, task):
    """InputError where a pool holds a sound that a task tests on; data without hashes are taken on trust."""
    if "hash" not in data.manifest["arrays"]:
        return
    known = {int(value) for split in data.counts for value in data.label(split, "hash")}
    tested = [clip for clip in task.test_clips() if _hash(clip) in known]
    if tested:
        raise InputError(
            f"{data.folder} holds {len(tested)} sounds that {task.name} tests on, such as {tested[0].name}, so its "
            f"score would mean nothing; prepare the pool with --keep-out usual {task.name}"
        )
