"""Batches of sequences from prepared data."""

import logging

from tsdsae_keras.data.prepared.pipeline import SequenceStream, check_fills_a_batch
from tsdsae_keras.errors import InputError
from tsdsae_keras.families.tsdsae.suitability import why_not_to_swap

log = logging.getLogger(__name__)

LARGE = 1 << 17  # frames in a batch; 128 sequences of 4 s have a quarter
FRAME = 20 << 10  # bytes that stage 2 was seen to take for each, with layers of 64


def batches(data, settings, split):
    """The stream of a split: `dataset`, `batches` an epoch, `set_epoch`.

    Raises:
        InputError: the data lack a split, or have too few training sequences for a batch.
    """
    if split != "train":
        return SequenceStream(data.sequences(split), settings.batch_size)
    check_splits(data, settings.batch_size)
    steps = data.counts[split] // settings.batch_size
    passes = -(-(settings.epoch_steps or 1) // steps)
    options = {"seed": settings.seed, "training": True, "passes": passes, "groups": _groups(data, settings)}
    stream = SequenceStream(data.sequences(split), settings.batch_size, **options)
    if reason := why_not_to_swap(data):
        log.warning(f"warning: {reason}")
    _log_lengths(data.lengths(split), stream)
    return stream


def _groups(data, settings):
    """The recording of each training sequence, where v is inferred from another of it; else None."""
    if settings.v_source == "sequence":
        return None
    if data.lengths("train") is not None or "recording" not in data.manifest["arrays"]:
        raise InputError(
            f"--v-source recording needs recordings cut into segments of equal length, and {data.folder} has none"
        )
    if settings.batch_size % 2:
        raise InputError(f"--v-source recording couples sequences: --batch-size {settings.batch_size} must be even")
    return data.label("train", "recording")


def check_splits(data, batch_size):
    """InputError where prepared data lack a split, or have too few training sequences for a batch."""
    missing = [split for split in ("train", "validation", "test") if split not in data.counts]
    if missing:
        raise InputError(f"{data.folder} has no split {missing[0]!r}: prepare the data again, with all three")
    check_fills_a_batch(data.counts["train"], batch_size)


def arrays(data, split):
    """All sequences of a split at once, (n, time, features), for training several models in one program.

    Raises:
        InputError: they are of unequal length.
    """
    if data.lengths(split) is not None:
        raise InputError(f"--seeds needs sequences of equal length, and those of {data.folder} differ; train one seed")
    return data.sequences(split)[:]


def _log_lengths(lengths, stream):
    """How sequences of unequal length are put in batches."""
    if lengths is None:
        return
    frames, rest = ", ".join(map(str, stream.frames)), ""
    if stream.left_out:
        rest = f"; {stream.left_out} that fill no batch are left out of each epoch, drawn again each time"
    sequences = f"{len(lengths)} training sequences of {lengths.min()} to {lengths.max()} frames"
    log.info(f"{sequences}, in batches of {stream.batch_size} padded to {frames} frames{rest}")
    largest = stream.batch_size * stream.frames[-1]
    if largest > LARGE:
        need = largest * FRAME / 2**30
        log.info(
            f"note: the largest batch has {largest} frames and takes about {need:.0f} GiB: lower --batch-size for less"
        )
