"""True swaps: melodies of a prepared set rendered again, each by an instrument that did not play it.

A synthesiser can render what no recording holds: the same melody, the same level and front end, another instrument.
So for rendered data the answer that a swap of timbre should give is known. It is rendered when first asked for and kept
next to the prepared folder, in a prepared folder of its own whose name holds a hash of all that decides it.
"""

import logging
from pathlib import Path

import numpy as np

from tsdsae_keras.data.audio.logmel import FrontEnd
from tsdsae_keras.data.audio.synthesis import reopen_synth
from tsdsae_keras.data.prepared.files import json_bytes, only_one
from tsdsae_keras.data.prepared.manifest import FORMAT, VERSION
from tsdsae_keras.data.prepared.store import PreparedData
from tsdsae_keras.data.prepared.writing import PreparedWriter
from tsdsae_keras.data.sets import melodies as grid
from tsdsae_keras.data.sets.dmelodies import read_font_hint, render_clips
from tsdsae_keras.errors import InputError
from tsdsae_keras.files import sha256

log = logging.getLogger(__name__)

PAIRS = 100
RENDERING = 1  # counts changes of what this file renders from the same manifest
TOLERANCE = 0.01  # nats squared; builds of FluidSynth differ by less in the last digits, other fonts by far more


def choose_swaps(instrument, n=PAIRS, seed=0):
    """Which melodies are swapped with which partners, balanced over ordered pairs of instruments.

    Each ordered pair (a, b) has n / pairs swaps, or one more; fewer where a has fewer sequences, as none is given the
    same instrument twice.

    Args:
        instrument: (m,) labels of the sequences.
        n: swaps in all.
        seed: fixes the draw.

    Returns:
        (melody, partner): rows of the sequences, both (n,), the pairs one after another. The partner plays b.

    Raises:
        InputError: there are fewer than two instruments.
    """
    instrument, rng = np.asarray(instrument), np.random.default_rng(seed)
    rows = {label: rng.permutation(np.flatnonzero(instrument == label)) for label in np.unique(instrument).tolist()}
    ordered = [(a, b) for a in rows for b in rows if a != b]
    if not ordered:
        raise InputError("all sequences are of one instrument; a swap needs two or more")
    dealt, partners, chosen = dict.fromkeys(rows, 0), dict.fromkeys(rows, 0), []
    for number, (a, b) in enumerate(ordered):
        count = min(n // len(ordered) + (number < n % len(ordered)), len(rows[a]))
        chosen.append([_deal(rows[a], dealt[a], count), _deal(rows[b], partners[b], count)])
        dealt[a], partners[b] = dealt[a] + count, partners[b] + count
    melody, partner = (np.concatenate(part) for part in zip(*chosen, strict=True))
    return melody, partner


def render_true_swaps(data, split, rows, players, *, workers=2):
    """Each melody with another instrument, exactly as the data were rendered; cached next to the data.

    Args:
        data: `PreparedData` that a synthesiser rendered.
        split: of the data.
        rows: (n,) sequences of the split, whose melodies are played.
        players: (n,) the instruments that play them, labels of the data.
        workers: threads.

    Returns:
        float32 (n, T, n_mels), log-mel frames of the data's front end.

    Raises:
        InputError: the data were not rendered from notes, their synthesiser is not on this machine, or it does not give
            the stored sequences again.
    """
    recipe = _read_recipe(data, split)
    if not isinstance(data.folder, Path):  # in object storage, where nothing is written
        return _render(data, split, recipe, rows, players, workers)
    key = _key(data, split, rows, players)
    folder = data.folder.with_name(f"true-swaps-{key[:16]}")
    try:
        with only_one(folder.with_name(f".{folder.name}.lock")):
            if not folder.exists():
                _write(folder, key, data, rows, players, _render(data, split, recipe, rows, players, workers))
            return _read(folder, key)
    except OSError as error:
        log.info(f"true swaps are not kept: {folder} cannot be written ({error.strerror or error})")
    except InputError as error:
        if not folder.exists():
            raise
        log.warning(f"true swaps are rendered again, since those kept cannot be used: {error}")
    return _render(data, split, recipe, rows, players, workers)


def _deal(rows, start, count):
    """`count` rows from the place `start` on, the first after the last."""
    return rows[(start + np.arange(count)) % len(rows)]


def _read_recipe(data, split):
    """(melodies (m,), instruments (m,), programs) of a split; InputError where data were not rendered from notes."""
    if data.manifest.get("dataset") != "dmelodies" or not isinstance(data.manifest.get("synth"), dict):
        raise InputError(f"{data.folder} was not rendered from notes by a synthesiser")
    labels, programs = data.labels(split), data.manifest["settings"].get("programs")
    for name in ("melody", "instrument"):
        if name not in labels or labels[name].ndim != 1 or labels[name].dtype.kind not in "iu":
            raise InputError(f"{data.folder} lacks the label {name!r}, so its sequences cannot be rendered again")
    if not isinstance(programs, list) or not all(0 <= n < len(programs) for n in set(labels["instrument"].tolist())):
        raise InputError(f"{data.folder} does not say which program each instrument is; prepare it again")
    return labels["melody"], labels["instrument"], programs


def _render(data, split, recipe, rows, players, workers):
    melodies, instruments, programs = recipe
    front_end, hint = FrontEnd.from_dict(data.front_end), read_font_hint(data.folder)
    with reopen_synth(data.manifest["synth"], programs, hint) as synth:
        synth.load()

        def render(rows, players):
            return render_clips(synth, front_end, grid.notes_of(melodies[rows]), np.take(programs, players), workers)

        own = np.unique(instruments, return_index=True)[1]  # the first sequence of each instrument
        _check_same(data, render(own, instruments[own]), data.sequences(split)[own])
        return render(np.asarray(rows), np.asarray(players))


def _check_same(data, rendered, stored):
    """A melody by its own instrument must be what the folder holds, or the others are compared with other sounds."""
    error = np.inf if rendered.shape != stored.shape else float(np.square(rendered - stored).mean())
    if not error <= TOLERANCE:
        raise InputError(
            f"the synthesiser here does not give the sequences of {data.folder} again (mean squared difference "
            f"{error:.3g}): prepare the data again on this machine"
        )


def _key(data, split, rows, players):
    """The hash of all that decides the result; the data's identity covers their settings, synthesiser and front end."""
    decides = {"data": data.identity, "split": split, "rendering": RENDERING}
    decides |= {"rows": np.asarray(rows).tolist(), "players": np.asarray(players).tolist()}
    return sha256(json_bytes(decides))


def _write(folder, key, data, rows, players, features):
    arrays = {"features": features, "row": np.asarray(rows, "<i8"), "instrument": np.asarray(players, "<i8")}
    shapes = {name: {"dtype": array.dtype.str, "shape": list(array.shape[1:])} for name, array in arrays.items()}
    writer = PreparedWriter(folder)
    writer.write_shard("test", 0, arrays)
    writer.finish(
        {"format": FORMAT, "version": VERSION, "dataset": "true swaps", "key": key, "settings": {"of": data.identity}}
        | {"front_end": data.front_end, "synth": data.manifest["synth"], "counts": {"test": len(features)}}
        | {"shard_size": len(features), "arrays": shapes, "label_names": data.label_names}
        | {"licence": data.manifest.get("licence")}
    )


def _read(folder, key):
    kept = PreparedData(folder)
    if kept.manifest["key"] != key:
        raise InputError(f"{folder} holds other true swaps: delete it")
    return kept.features("test")
