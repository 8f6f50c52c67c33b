"""Step 5 of preparing recordings: log-mel frames and labels into shards, the manifest, and lists of what is in it."""

import csv
import io
import math
from collections import Counter

import numpy as np

from tsdsae_keras.data.prepared.files import write_atomically
from tsdsae_keras.data.sets.recordings.skipped import SKIPPED, skipped_csv

RECORDINGS = "recordings.csv"


def write_shards(writer, layout, inputs, skipped, decides):
    """Writes what is not there yet: shards, recordings.csv and skipped.csv; returns the manifest but for its files."""
    numbers = {each.recording.name: number for number, each in enumerate(inputs)}
    manifest = _manifest(layout, decides)
    for split, number, rows in layout.shards():
        if not writer.has_shard(split, number, manifest["arrays"]):
            writer.write_shard(split, number, _gather_shard(layout, rows, numbers))
    for name, content in ((RECORDINGS, _recordings_csv(layout, inputs)), (SKIPPED, skipped_csv(skipped))):
        writer.files[name] = write_atomically(writer.partial / name, content)
    return manifest


def _gather_shard(layout, rows, numbers):
    sequences = [sequence for sequence, _ in rows]
    arrays = {
        "features": _log_mel(layout, sequences, layout.frames(rows)),
        "recording": np.array([numbers[each.recording.name] for each in sequences], np.int32),
        "start": np.array([each.start for each in sequences], np.int64),
        "group": np.array([group for _, group in rows], np.int32),
    }
    if layout.unequal:
        arrays["length"] = np.array([each.frames for each in sequences], np.int32)
    places = {name: {text: place for place, text in enumerate(texts)} for name, texts in layout.labels.items()}
    codes = {name: [places[name][str(each.recording.labels[name])] for each in sequences] for name in places}
    if "instrument" in codes:
        arrays["instrument"] = np.array(codes.pop("instrument"), np.int64)
    if codes:
        arrays["factors"] = np.array(list(codes.values()), np.int16).T
    return arrays


def _log_mel(layout, sequences, frames):
    """Log-mel frames (n, frames, n_mels) of the measured power, padded by silence."""
    front_end = layout.settings.front_end
    features = np.full((len(sequences), frames, front_end.n_mels), front_end.silence, np.float32)
    for row, each in zip(features, sequences, strict=True):
        count = each.frames * front_end.n_mels
        power = np.fromfile(each.file, np.float32, count, offset=each.place).reshape(each.frames, -1)
        row[: each.frames] = front_end.to_log(power, each.gain, each.peak)
    return features


def _manifest(layout, decides):
    n_mels = layout.settings.front_end.n_mels
    arrays, meaning = _arrays(layout, n_mels)
    manifest = decides | {
        "counts": {split: len(rows) for split, rows in layout.splits.items()},
        "frames": layout.longest,
        "bands": n_mels,
        "shard_size": layout.shard_size,
        "arrays": {name: {"dtype": dtype, "shape": shape} for name, (dtype, shape) in arrays.items()},
        "label_names": meaning,
    }
    if layout.unequal:
        manifest["shard_frames"] = {split: [] for split in layout.splits}
        for split, _, rows in layout.shards():
            manifest["shard_frames"][split].append(layout.frames(rows))
    return manifest


def _arrays(layout, n_mels):
    """{array: (type, shape)}, and what the label values mean."""
    one = {"recording": ("<i4", []), "start": ("<i8", []), "group": ("<i4", [])}
    arrays, meaning = {"features": ("<f4", [layout.longest, n_mels])} | one, {}
    if layout.unequal:
        arrays["length"] = ("<i4", [])
    if "instrument" in layout.labels:
        arrays["instrument"] = ("<i8", [])
        meaning["instrument"] = layout.labels["instrument"]
    names = {name: texts for name, texts in layout.labels.items() if name != "instrument"}
    if names:
        arrays["factors"] = ("<i2", [len(names)])
        meaning |= {"factors": list(names), "levels": names}
    return arrays, meaning


def _recordings_csv(layout, inputs):
    """number, name, group, split, sequences, gain in dB, SHA-256 of the file, and its labels."""
    splits, gains, counts = {}, {}, Counter()
    for split, rows in layout.splits.items():
        for sequence, _ in rows:
            name = sequence.recording.name
            splits.setdefault(name, set()).add(split)
            gains[name] = f"{20 * math.log10(sequence.gain):.3f}"
            counts[name] += 1
    labels = sorted({label for each in inputs for label in each.recording.labels})
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    header = ("number", "name", "group", "split", "sequences", "gain_db", "sha256")
    writer.writerow((*header, *(f"label_{label}" for label in labels)))
    for number, each in enumerate(inputs):
        name, recording = each.recording.name, each.recording
        split = "+".join(sorted(splits.get(name, ())))
        texts = [recording.labels.get(label, "") for label in labels]
        writer.writerow((number, name, recording.group, split, counts[name], gains.get(name, ""), each.sha256, *texts))
    return text.getvalue().encode()
