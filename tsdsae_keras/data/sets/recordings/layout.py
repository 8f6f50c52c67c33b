"""Which sequence stands where: splits, shards, labels, and the arrays of a folder made from recordings."""

import csv
import io
import math
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np

from tsdsae_keras.data.audio.leveling import gain
from tsdsae_keras.data.prepared.files import write_atomically
from tsdsae_keras.data.prepared.splits import SPLITS, split_of_groups
from tsdsae_keras.data.sets.recordings.skipped import SKIPPED, Skipped, skipped_csv
from tsdsae_keras.data.sets.recordings.sound_file import Recording
from tsdsae_keras.errors import InputError

RECORDINGS = "recordings.csv"
SHARD_BYTES = 1 << 26
_MULTIPLE = 64  # frames: compiled models meet few lengths
_LEVELS = (1 << 15) - 1  # of a label


class Kept(NamedTuple):
    """A kept sequence: whose, from which sample, how many frames, and where its mel power stands."""

    recording: Recording
    start: int
    frames: int
    gain: float
    file: Path
    place: int  # bytes


def kept_sequences(chunks, stems, measured, settings):
    """All sequences that are kept, by recording and start, and what is `Skipped`."""
    rate, bands = settings.front_end.sample_rate, settings.front_end.n_mels
    gains = _gains(chunks, measured, settings)
    kept, skipped = [], []
    for chunk, stem, found in zip(chunks, stems, measured, strict=True):
        place = 0
        for each, one in zip(chunk, found, strict=True):
            name = each.recording.name
            if one["fault"]:
                skipped.append(Skipped(name, None, one["fault"]))
            skipped += [Skipped(name, start / rate, reason) for start, reason in one["skipped"]]
            for start, frames in one["sequences"]:
                factor = gains[_together(each.recording, settings)]
                kept.append(Kept(each.recording, start, frames, factor, stem.with_suffix(".f4"), place))
                place += 4 * bands * frames
    return kept, skipped


def _gains(chunks, measured, settings):
    """The factor of each recording or loudness group."""
    peaks, powers = {}, {}
    for chunk, found in zip(chunks, measured, strict=True):
        for each, one in zip(chunk, found, strict=True):
            if not one["fault"]:
                together = _together(each.recording, settings)
                peaks.setdefault(together, []).append(one["peak"])
                powers.setdefault(together, []).append(one["powers"])
    return {together: gain(settings.normalise, peaks[together], powers[together]) for together in peaks}


def _together(recording, settings):
    return recording.loudness_group if settings.normalise_by == "group" else recording.name


class Layout:
    """Sequences in splits and shards.

    Args:
        sequences: a list of `Kept`, by recording and start.
        settings: a `SoundSettings`.
        by_segment: split sequences instead of groups.

    Raises:
        InputError: a split would be empty, or what `split_of_groups` refuses.
    """

    def __init__(self, sequences, settings, by_segment):
        self.settings, self.unequal = settings, not settings.length
        of_sequence = [_alone(each) if by_segment else each.recording for each in sequences]
        split_of = split_of_groups(list({each.name: each for each in of_sequence}.values()), settings.seed)
        groups = {group: number for number, group in enumerate(sorted({each.group for each in of_sequence}))}
        self.splits = {split: [] for split in SPLITS}
        for sequence, each in zip(sequences, of_sequence, strict=True):
            self.splits[split_of[each.name]].append((sequence, groups[each.group]))
        self._check_none_empty()
        if self.unequal:
            for rows in self.splits.values():
                rows.sort(key=lambda row: (row[0].frames, row[0].recording.name))
        self.longest = self.padded(max(each.frames for each in sequences))
        self.shard_size = max(1, SHARD_BYTES // (4 * settings.front_end.n_mels * self.longest))
        self.labels, self._missing, self._many = _labels(sequences)

    def shards(self):
        """(split, number, rows) of every shard; a row is a sequence and the number of its group."""
        for split, rows in self.splits.items():
            for number, start in enumerate(range(0, len(rows), self.shard_size)):
                yield split, number, rows[start : start + self.shard_size]

    def frames(self, rows):
        """T of a shard."""
        return self.padded(max(sequence.frames for sequence, _ in rows))

    def padded(self, frames):
        """What so many frames are padded to."""
        return -(-frames // _MULTIPLE) * _MULTIPLE if self.unequal else frames

    def counted(self):
        """How many in each split, as text."""
        return ", ".join(f"{len(rows)} {split}" for split, rows in self.splits.items())

    def notes(self):
        """What is said of labels that were not taken."""
        notes = [f"label {name!r} is missing for some recordings: it is not stored" for name in self._missing]
        return notes + [f"label {name!r} has more than {_LEVELS} values: it is not stored" for name in self._many]

    def _check_none_empty(self):
        empty = [split for split, rows in self.splits.items() if not rows]
        if empty:
            raise InputError(f"no sequence is left for the split {empty[0]!r}: give more recordings or another split")


def _alone(sequence):
    """A recording of one sequence only, in a group of its own."""
    name = f"{sequence.recording.name}@{sequence.start:012d}"
    return replace(sequence.recording, name=name, group=name)


def _labels(sequences):
    """{label: its texts, sorted} of those that all sequences have; the names that some miss; those of too many."""
    recordings = list({each.recording.name: each.recording for each in sequences}.values())
    counts = Counter(name for each in recordings for name in each.labels)
    whole = [name for name in sorted(counts) if counts[name] == len(recordings)]
    texts = {name: sorted({str(each.labels[name]) for each in recordings}) for name in whole}
    many = [name for name in whole if len(texts[name]) > _LEVELS]
    missing = [name for name in sorted(counts) if name not in whole]
    return {name: texts[name] for name in whole if name not in many}, missing, many


def write_sequences(writer, layout, inputs, skipped, decides):
    """Writes what is not there yet: shards, recordings.csv and skipped.csv; returns the manifest but for its files."""
    numbers = {each.recording.name: number for number, each in enumerate(inputs)}
    manifest = _manifest(layout, decides)
    for split, number, rows in layout.shards():
        if not writer.has_shard(split, number, manifest["arrays"]):
            writer.write_shard(split, number, _shard(layout, rows, numbers))
    for name, content in ((RECORDINGS, _recordings_csv(layout, inputs)), (SKIPPED, skipped_csv(skipped))):
        writer.files[name] = write_atomically(writer.partial / name, content)
    return manifest


def _shard(layout, rows, numbers):
    sequences = [sequence for sequence, _ in rows]
    arrays = {
        "features": _features(layout, sequences, layout.frames(rows)),
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


def _features(layout, sequences, frames):
    """Log-mel frames, padded by silence: log(factor^2 * mel power + offset)."""
    front_end = layout.settings.front_end
    offset = np.float32(front_end.log_offset)
    features = np.full((len(sequences), frames, front_end.n_mels), np.log(offset), np.float32)
    for row, each in zip(features, sequences, strict=True):
        count = each.frames * front_end.n_mels
        power = np.fromfile(each.file, np.float32, count, offset=each.place).reshape(each.frames, -1)
        np.log(power * np.float32(each.gain**2) + offset, out=row[: each.frames])
    return features


def _manifest(layout, decides):
    bands = layout.settings.front_end.n_mels
    arrays, meaning = _arrays(layout, bands)
    manifest = decides | {
        "counts": {split: len(rows) for split, rows in layout.splits.items()},
        "frames": layout.longest,
        "bands": bands,
        "shard_size": layout.shard_size,
        "arrays": {name: {"dtype": dtype, "shape": shape} for name, (dtype, shape) in arrays.items()},
        "label_names": meaning,
    }
    if layout.unequal:
        manifest["shard_frames"] = {split: [] for split in layout.splits}
        for split, _, rows in layout.shards():
            manifest["shard_frames"][split].append(layout.frames(rows))
    return manifest


def _arrays(layout, bands):
    """{array: (type, shape)}, and what the label values mean."""
    one = {"recording": ("<i4", []), "start": ("<i8", []), "group": ("<i4", [])}
    arrays, meaning = {"features": ("<f4", [layout.longest, bands])} | one, {}
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
