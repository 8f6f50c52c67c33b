"""dMelodies as prepared sequences: choose melodies, render them, split them, store log-mel frames and labels."""

import dataclasses
import logging
import os
from pathlib import Path

import numpy as np

from tsdsae_keras.data.audio.general_midi import check_programs, names_of
from tsdsae_keras.data.audio.logmel import FrontEnd
from tsdsae_keras.data.audio.synthesis import KINDS, open_synth
from tsdsae_keras.data.prepared.files import json_bytes, only_one
from tsdsae_keras.data.prepared.store import FORMAT, VERSION, PreparedData, shard_sizes
from tsdsae_keras.data.prepared.writing import PreparedWriter
from tsdsae_keras.data.sets import melodies as grid
from tsdsae_keras.errors import InputError
from tsdsae_keras.files import sha256
from tsdsae_keras.progress import Progress

log = logging.getLogger(__name__)

SPLITS = ("train", "validation", "test")
SUBSETS = ("paper", "all")
SHARD_SIZE = 256
LICENCE = "Melodies are generated from the dMelodies factors (Pati, Gururani, Lerch 2020); sound: see synth.licence."


@dataclasses.dataclass(frozen=True)
class MelodySet:
    """Which melodies are prepared, and how they sound. The defaults are the data of the TS-DSAE study.

    Args:
        melodies: how many, drawn at random without repetition; each is played by one instrument only.
        programs: General MIDI programs, which share the melodies evenly: 40 is violin, 56 trumpet.
        octaves, tonics, scales: the levels kept of these factors.
        subset: "paper" (the first slot of bar 1 and the last of bar 2 sound) or "all" rhythms.
        seed: decides the melodies drawn, their instruments and their splits.
        synth: "auto", "fluidsynth" or "additive"; see `open_synth`.
        soundfont: path of an .sf2 or .sf3 file; None takes the installed one.
        front_end: samples to frames.

    Raises:
        InputError: a setting is invalid, or more melodies than the subset has.
    """

    melodies: int = 3000
    programs: tuple = (40, 56)
    octaves: tuple = (4,)
    tonics: tuple = ("C",)
    scales: tuple = ("major",)
    subset: str = "paper"
    seed: int = 0
    synth: str = "auto"
    soundfont: str | None = None
    front_end: FrontEnd = dataclasses.field(default_factory=FrontEnd)

    def __post_init__(self):
        object.__setattr__(self, "programs", check_programs(self.programs))
        for name in ("octaves", "tonics", "scales"):
            levels = getattr(self, name)
            object.__setattr__(self, name, (levels,) if isinstance(levels, (str, int)) else tuple(levels))
        _check_choice("subset", self.subset, SUBSETS)
        _check_choice("synth", self.synth, KINDS)
        _check_integer("seed", self.seed, 0)
        _check_integer("melodies", self.melodies, len(SPLITS) * len(self.programs))
        available = len(self.pool())
        if self.melodies > available:
            raise InputError(f"{self.melodies} melodies were requested, but the subset has {available}: request fewer")

    def pool(self):
        """The indices of all melodies of the subset, ascending."""
        if self.subset == "paper":
            return grid.paper_subset(self.octaves, self.tonics, self.scales)
        return grid.subset(tonic=self.tonics, octave=self.octaves, scale=self.scales)

    def examples(self):
        """Which melody is played by which instrument, in which split.

        Returns:
            {split: (melodies, instruments)}: grid indices and positions in `programs`, both of shape (n,). Eight
            tenths train, one tenth validation, one tenth test, for every instrument alike and at least one each.
        """
        drawn = np.random.default_rng(self.seed).choice(self.pool(), self.melodies, replace=False)
        instruments = np.arange(self.melodies) % len(self.programs)
        place = np.arange(self.melodies) // len(self.programs)  # a melody's rank among those of its instrument
        held_out = np.maximum(1, np.round(np.bincount(instruments) / 10).astype(int))[instruments]
        split = np.where(place < held_out, 1, np.where(place < 2 * held_out, 2, 0))
        return {name: (drawn[split == i], instruments[split == i]) for i, name in enumerate(SPLITS)}

    def settings(self):
        """What decides the data, as plain values; the synthesiser is described apart, as it was found."""
        apart = ("front_end", "synth", "soundfont")
        plain = {name: value for name, value in dataclasses.asdict(self).items() if name not in apart}
        return {name: list(value) if isinstance(value, tuple) else value for name, value in plain.items()}


def prepare_melodies(settings=None, cache="data", workers=2):
    """Prepare a set of melodies, or find it prepared; an interrupted run resumes.

    Progress is logged (see `tsdsae_keras.process`).

    Args:
        settings: a `MelodySet`; None takes the defaults.
        cache: the folder under which prepared folders are, each named for a hash of its settings.
        workers: threads that render.

    Returns:
        The `PreparedData`.

    Raises:
        InputError: a setting is invalid, or a damaged or foreign folder is in the way.
    """
    settings = settings or MelodySet()
    _check_integer("workers", workers, 1)
    cache = Path(cache)
    with open_synth(settings.synth, settings.programs, settings.soundfont, settings.front_end.sample_rate) as synth:
        manifest = _manifest(settings, synth.describe())
        name = f"dmelodies-{manifest['key']}"
        _make_folder(cache)
        with only_one(cache / f".{name}.lock"):
            if os.path.lexists(cache / name):
                return _open_prepared(cache / name)
            _render(cache / name, manifest, settings, synth, workers)
    return PreparedData(cache / name, verify=False)  # just written, so unchanged


def _open_prepared(folder):
    data = PreparedData(folder)
    log.info(f"{folder}: already prepared, {sum(data.counts.values())} sequences")
    return data


def _render(folder, manifest, settings, synth, workers):
    """Renders what is not there yet, shard by shard."""
    synth.load()
    writer = PreparedWriter(folder)
    examples = settings.examples()
    progress = Progress(settings.melodies)
    for split, (indices, instruments) in examples.items():
        starts = range(0, len(indices), SHARD_SIZE)
        for number, start in enumerate(starts):
            rows = slice(start, start + SHARD_SIZE)
            made = not writer.has_shard(split, number, manifest["arrays"])
            if made:
                shard = _shard(settings, synth, indices[rows], instruments[rows], workers)
                writer.write_shard(split, number, shard)
            progress.add(len(indices[rows]), made=made)
    _check_all_written(writer, examples)
    writer.finish(manifest)
    log.info(f"{folder}: prepared {settings.melodies} sequences")


def _shard(settings, synth, indices, instruments, workers):
    """The arrays of one shard."""
    from joblib import Parallel, delayed

    front_end = settings.front_end
    notes = grid.notes_of(indices)

    def clip(row, player):
        samples = synth.render(grid.timed_notes(row), settings.programs[player], grid.SECONDS)
        return front_end.log_mel(samples)

    pairs = zip(notes, instruments, strict=True)
    clips = Parallel(n_jobs=workers, prefer="threads")(delayed(clip)(*pair) for pair in pairs)
    features = np.stack(clips)
    played = grid.frame_notes(notes, features.shape[1], front_end.hop_length, front_end.sample_rate)
    return {
        "features": features,
        "factors": grid.factors_of(indices).astype(np.int16),
        "instrument": instruments.astype(np.int64),
        "notes": played,
        "melody": indices.astype(np.int32),
    }


def _check_all_written(writer, examples):
    """A partial folder of another layout would leave files that no split owns."""
    shards = sum(len(shard_sizes(len(indices), SHARD_SIZE)) for indices, _ in examples.values())
    if len(writer.files) != 5 * shards:
        raise InputError(f"{writer.partial} holds files made with other settings: delete it and prepare again")


def _manifest(settings, synth):
    """All of the manifest but the files: what decides the data, its key, and how to read it."""
    front_end = settings.front_end
    decides = {
        "format": FORMAT,
        "version": VERSION,
        "dataset": "dmelodies",
        "settings": settings.settings(),
        "front_end": front_end.to_dict(),
        "synth": synth,
    }
    frames = front_end.frames(int(grid.SECONDS * front_end.sample_rate))
    return decides | {
        "key": sha256(json_bytes(decides))[:12],
        "counts": {split: len(indices) for split, (indices, _) in settings.examples().items()},
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


def _make_folder(cache):
    try:
        cache.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"cache {cache} cannot be created ({error.strerror}): name another place") from error


def _check_choice(name, value, choices):
    if value not in choices:
        raise InputError(f"unknown {name} {value!r}: choose from {', '.join(choices)}")


def _check_integer(name, value, least):
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise InputError(f"{name} is {value!r}: it must be an integer of at least {least}")


def open_melodies(settings):
    """The prepared melodies that the options of a run ask for, rendered where they are not there yet."""
    names = ("melodies", "programs", "octaves", "tonics", "scales", "subset", "synth", "soundfont")
    melodies = MelodySet(**{name: getattr(settings, name) for name in names}, seed=settings.data_seed)
    data = prepare_melodies(melodies, cache=settings.cache, workers=settings.workers)
    counts = ", ".join(f"{count} {split}" for split, count in data.counts.items())
    log.info(f"data: {data.folder} ({counts}; synth {data.manifest['synth']['name']})")
    return data
