"""The recipe for few sequences. Light: no backend is loaded."""

import logging
from pathlib import Path

from tsdsae_keras.data.prepared.manifest import MANIFEST, parse_manifest, read_manifest
from tsdsae_keras.options import flag

log = logging.getLogger(__name__)

FEW = 600  # training sequences; a preset counts epochs, and with fewer its first stage is too short
STEPS = 75  # of an epoch: those of the preset on the 2,400 sequences it was made for
LEVEL_DB = 6.0


def small_recipe(data, given):
    """{option: value} for a prepared folder with few training sequences, else {}; says what it chose.

    The preset's schedule in steps is kept: each epoch passes over the data as often as gives its 75 steps.

    Args:
        data: path of the folder; nothing is chosen where it cannot be read from this disk.
        given: {option: value} that the user gave.
    """
    folder = Path(data)
    if not (folder / MANIFEST).is_file():
        return {}
    manifest = parse_manifest(read_manifest(folder), folder / MANIFEST)
    count = manifest["counts"].get("train", 0)
    if not 0 < count < FEW:
        return {}
    # Three batches a pass, so that the partners of a sequence change; smaller ones are too noisy.
    batch = given.get("batch_size") or next((size for size in (32, 16) if count >= 3 * size), min(count, 8))
    chosen = {"batch_size": batch, "epoch_steps": STEPS}
    if manifest["front_end"].get("floor_db"):  # without a floor, digital silence would get louder too
        chosen["level_db"] = LEVEL_DB
    shown = " ".join(f"{flag(name)} {given.get(name, value)}" for name, value in chosen.items())
    log.info(f"note: {count} training sequences are few, hence {shown}; --preset quick leaves them out")
    return chosen
