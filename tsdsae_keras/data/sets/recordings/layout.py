"""Step 4 of preparing recordings: which sequence is in which split and shard, and which labels are stored."""

from collections import Counter
from dataclasses import replace

from tsdsae_keras.data.prepared.splits import SPLITS, split_by_group
from tsdsae_keras.errors import InputError

SHARD_BYTES = 1 << 26
_MULTIPLE = 64  # frames: compiled models meet few lengths
_LEVELS = (1 << 15) - 1  # of a label


class Layout:
    """`ChosenSequence`s, by recording and start, in splits and shards; `by_segment` splits them instead of groups.

    Raises:
        InputError: a split would be empty, or what `split_by_group` refuses.
    """

    def __init__(self, sequences, settings, by_segment):
        self.settings, self.unequal = settings, not settings.length
        of_sequence = [_alone(each) if by_segment else each.recording for each in sequences]
        split_of = split_by_group(list({each.name: each for each in of_sequence}.values()), settings.seed)
        groups = {group: number for number, group in enumerate(sorted({each.group for each in of_sequence}))}
        self.splits = {split: [] for split in SPLITS}
        for sequence, each in zip(sequences, of_sequence, strict=True):
            self.splits[split_of[each.name]].append((sequence, groups[each.group]))
        self._check_none_empty()
        if self.unequal:
            for rows in self.splits.values():
                rows.sort(key=lambda row: (row[0].frames, row[0].recording.name))
        self.longest = self.pad(max(each.frames for each in sequences))
        self.shard_size = max(1, SHARD_BYTES // (4 * settings.front_end.n_mels * self.longest))
        self.labels, self._missing, self._many = _labels(sequences)

    def shards(self):
        """(split, number, rows) of every shard; a row is a sequence and the number of its group."""
        for split, rows in self.splits.items():
            for number, start in enumerate(range(0, len(rows), self.shard_size)):
                yield split, number, rows[start : start + self.shard_size]

    def frames(self, rows):
        """T of a shard."""
        return self.pad(max(sequence.frames for sequence, _ in rows))

    def pad(self, frames):
        """What sequences of `frames` frames are padded to."""
        return -(-frames // _MULTIPLE) * _MULTIPLE if self.unequal else frames

    def counts(self):
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
