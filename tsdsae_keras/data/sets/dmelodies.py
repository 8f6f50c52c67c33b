"""dMelodies as prepared sequences: choose melodies, render them, split them, store log-mel frames and labels."""

import logging
import os
from pathlib import Path

import numpy as np

from tsdsae_keras.data.audio.general_midi import check_programs, names_of
from tsdsae_keras.data.audio.logmel import FrontEnd
from tsdsae_keras.data.audio.synthesis import open_synth
from tsdsae_keras.data.prepared.files import json_bytes, make_folder, only_one
from tsdsae_keras.data.prepared.manifest import FORMAT, VERSION
from tsdsae_keras.data.prepared.store import PreparedData, shard_sizes
from tsdsae_keras.data.prepared.writing import PreparedWriter
from tsdsae_keras.data.sets import melodies as grid
from tsdsae_keras.errors import InputError
from tsdsae_keras.files import sha256, write_text
from tsdsae_keras.progress import Progress

log = logging.getLogger(__name__)

SPLITS = ("train", "validation", "test")
SHARD_SIZE = 256
LONGEST_HINT = 4096  # bytes
LICENCE = "Melodies are generated from the dMelodies factors (Pati, Gururani, Lerch 2020); sound: see synth.licence."


def draw_examples(settings):
    """Which melody is played by which instrument, in which split; each melody is played by one instrument only.

    Args:
        settings: `MelodySettings`, whose defaults are the data of the TS-DSAE study.

    Returns:
        {split: (melodies, instruments)}: grid indices and positions in `programs`, both of shape (n,). Eight
        tenths train, one tenth validation, one tenth test, for every instrument alike and at least one each.

    Raises:
        InputError: unknown programs or levels, or a number of melodies that the subset does not have.
    """
    count, players, pool = settings.melodies, len(check_programs(settings.programs)), _pool(settings)
    if not len(SPLITS) * players <= count <= len(pool):
        least = len(SPLITS) * players
        raise InputError(f"--melodies is {count}; the subset and {players} programs allow {least} to {len(pool)}")
    drawn = np.random.default_rng(settings.data_seed).choice(pool, count, replace=False)
    instruments = np.arange(count) % players
    place = np.arange(count) // players  # a melody's rank among those of its instrument
    held_out = np.maximum(1, np.round(np.bincount(instruments) / 10).astype(int))[instruments]
    split = np.where(place < held_out, 1, np.where(place < 2 * held_out, 2, 0))
    return {name: (drawn[split == i], instruments[split == i]) for i, name in enumerate(SPLITS)}


def prepare_melodies(settings):
    """Prepare melodies, or find them prepared; an interrupted run resumes.

    Progress is logged (see `tsdsae_keras.process`).

    Args:
        settings: `MelodySettings`; the data are in a folder of `cache` that is named for a hash of what decides them.

    Returns:
        The `PreparedData`.

    Raises:
        InputError: as `draw_examples`, or a damaged or foreign folder is in the way.
    """
    examples, cache = draw_examples(settings), Path(settings.cache)
    front_end = FrontEnd(floor_db=settings.floor_db)
    with open_synth(settings.synth, settings.programs, settings.soundfont, front_end.sample_rate) as synth:
        manifest = _manifest(settings, examples, front_end, synth.describe())
        name = f"dmelodies-{manifest['key']}"
        make_folder(cache)
        with only_one(cache / f".{name}.lock"):
            _write_font_hint(cache / name, settings.soundfont)
            if os.path.lexists(cache / name):
                return _open_prepared(cache / name)
            _render(cache / name, manifest, settings, examples, front_end, synth)
    return PreparedData(cache / name, verify=False)  # just written, so unchanged


def _pool(settings):
    """The indices of all melodies of the subset, ascending."""
    if settings.subset == "paper":
        return grid.paper_subset(settings.octaves, settings.tonics, settings.scales)
    return grid.subset(tonic=settings.tonics, octave=settings.octaves, scale=settings.scales)


def _open_prepared(folder):
    data = PreparedData(folder)
    log.info(f"{folder}: already prepared, {sum(data.counts.values())} sequences")
    return data


def _render(folder, manifest, settings, examples, front_end, synth):
    """Renders what is not there yet, shard by shard."""
    synth.load()
    writer, progress = PreparedWriter(folder), Progress(settings.melodies)
    for split, (indices, instruments) in examples.items():
        for number, start in enumerate(range(0, len(indices), SHARD_SIZE)):
            rows = slice(start, start + SHARD_SIZE)
            missing = not writer.has_shard(split, number, manifest["arrays"])
            if missing:
                shard = _shard(settings, front_end, synth, indices[rows], instruments[rows])
                writer.write_shard(split, number, shard)
            progress.add(len(indices[rows]), made=missing)
    _check_all_written(writer, examples)
    writer.finish(manifest)
    log.info(f"{folder}: prepared {settings.melodies} sequences")


def _shard(settings, front_end, synth, indices, instruments):
    """The arrays of one shard."""
    notes = grid.notes_of(indices)
    features = render_clips(synth, front_end, notes, np.take(settings.programs, instruments), settings.workers)
    played = grid.frame_notes(notes, features.shape[1], front_end.hop_length, front_end.sample_rate)
    return {
        "features": features,
        "factors": grid.factors_of(indices).astype(np.int16),
        "instrument": instruments.astype(np.int64),
        "notes": played,
        "melody": indices.astype(np.int32),
    }


def render_clips(synth, front_end, notes, programs, workers):
    """Melodies played, as log-mel frames.

    Args:
        synth: a synthesiser, opened with these programs.
        front_end: the `FrontEnd`.
        notes: (n, 16) slots, as `melodies.notes_of` gives them.
        programs: (n,) General MIDI program of each.
        workers: threads.

    Returns:
        float32 (n, T, n_mels).
    """
    from joblib import Parallel, delayed

    def clip(row, program):
        return front_end.log_mel(synth.render(grid.timed_notes(row), int(program), grid.SECONDS))

    pairs = zip(notes, programs, strict=True)
    return np.stack(Parallel(n_jobs=workers, prefer="threads")(delayed(clip)(*pair) for pair in pairs))


def _check_all_written(writer, examples):
    """A partial folder of another layout would leave files that no split owns."""
    shards = sum(len(shard_sizes(len(indices), SHARD_SIZE)) for indices, _ in examples.values())
    if len(writer.files) != 5 * shards:
        raise InputError(f"{writer.partial} holds files made with other settings: delete it and prepare again")


def _manifest(settings, examples, front_end, synth):
    """All of the manifest but the files: what decides the data, its key, and how to read it."""
    plain = {name: getattr(settings, name) for name in ("melodies", "subset")} | {"seed": settings.data_seed}
    plain |= {name: list(getattr(settings, name)) for name in ("programs", "octaves", "tonics", "scales")}
    decides = {
        "format": FORMAT,
        "version": VERSION,
        "dataset": "dmelodies",
        "settings": plain,
        "front_end": front_end.to_dict(),
        "synth": synth,
    }
    frames = front_end.frames(int(grid.SECONDS * front_end.sample_rate))
    return decides | {
        "key": sha256(json_bytes(decides))[:12],
        "counts": {split: len(indices) for split, (indices, _) in examples.items()},
        "frames": frames,
        "bands": front_end.n_mels,
        "shard_size": SHARD_SIZE,
        "arrays": {
            "features": {"dtype": "<f4", "shape": [frames, front_end.n_mels]},
            "factors": {"dtype": "<i2", "shape": [len(grid.FACTORS)]},
            "instrument": {"dtype": "<i8", "shape": []},
            "notes": {"dtype": "<i2", "shape": [frames]},
            "melody": {"dtype": "<i4", "shape": []},
        },
        "label_names": {"instrument": names_of(settings.programs), "factors": list(grid.FACTORS)},
        "licence": LICENCE,
    }


def _write_font_hint(folder, soundfont):
    """Notes next to the folder where a named font is: the manifest, the same on every machine, cannot."""
    if soundfont:
        write_text(_font_hint(folder), f"{Path(soundfont).resolve()}\n")


def read_font_hint(folder):
    """The path at which the SoundFont of a prepared folder was, or None; whether it still is there is not checked."""
    if not isinstance(folder, Path):
        return None
    path = _font_hint(folder)
    return path.read_text(errors="replace").strip() if path.is_file() and path.stat().st_size < LONGEST_HINT else None


def _font_hint(folder):
    return folder.with_name(f".{folder.name}.soundfont")


def open_melodies(settings):
    """The prepared melodies that the options of a run ask for, rendered where they are not there yet."""
    data = prepare_melodies(settings)
    counts = ", ".join(f"{count} {split}" for split, count in data.counts.items())
    log.info(f"data: {data.folder} ({counts}; synth {data.manifest['synth']['name']})")
    return data
