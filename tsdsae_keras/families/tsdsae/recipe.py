"""The recipe for prepared folders of recordings, and of few sequences. Light: no backend is loaded."""

import logging
from pathlib import Path

import numpy as np

from tsdsae_keras.data.prepared.manifest import MANIFEST, parse_manifest, read_manifest
from tsdsae_keras.options import flag

log = logging.getLogger(__name__)

FEW = 600  # training sequences; a preset counts epochs, and with fewer its first stage is too short
STEPS = 75  # of an epoch: those of the preset on the 2,400 sequences it was made for
LEVEL_DB = 6.0
# Recordings share no beat, which mmd_swap needs, and few melodies are learned by heart by a v that hears them.
RECORDINGS = {"v_source": "recording", "v_transpose": 6.0, "mmd_swap_weight": 0.0, "kl_z_weight": 4.0}


def recipe_for(data, given):
    """{option: value} for what a prepared folder holds, else {}; says what it chose and why.

    Where sequences are few, the preset's schedule in steps is kept: each epoch passes over the data as often as gives
    its 75 steps.

    Args:
        data: path of the folder; nothing is chosen where it cannot be read from this disk.
        given: {option: value} that the user gave.
    """
    folder = Path(data)
    if not (folder / MANIFEST).is_file():
        return {}
    manifest = parse_manifest(read_manifest(folder), folder / MANIFEST)
    count, arrays = manifest["counts"].get("train", 0), manifest["arrays"]
    chosen = {}
    if 0 < count < FEW and "epochs" not in given:  # who counts epochs means passes
        chosen |= _of_few(count, manifest, given)
        _say(f"{count} training sequences are few", chosen, given)
    even = (chosen | given).get("batch_size", 2) % 2 == 0
    if "recording" in arrays and "length" not in arrays and even and _are_cut(folder):
        chosen |= RECORDINGS
        _say("recordings have a timbre each and no common beat", RECORDINGS, given)
    return chosen


def _are_cut(folder):
    """Whether most training sequences have another of their recording beside them."""
    from tsdsae_keras.data.prepared.store import PreparedData

    counts = np.unique(PreparedData(folder, verify=False).label("train", "recording"), return_counts=True)[1]
    return counts[counts > 1].sum() > counts.sum() / 2


def _of_few(count, manifest, given):
    # Three batches a pass, so that the partners of a sequence change; smaller ones are too noisy.
    batch = given.get("batch_size") or next((size for size in (32, 16) if count >= 3 * size), min(count, 8))
    # Without a floor, digital silence would get louder too.
    level = {"level_db": LEVEL_DB} if manifest["front_end"].get("floor_db") else {}
    return {"batch_size": batch, "epoch_steps": STEPS} | level


def _say(why, chosen, given):
    shown = " ".join(f"{flag(name)} {given.get(name, value)}" for name, value in chosen.items())
    log.info(f"note: {why}, hence {shown}; --preset quick leaves them out")
