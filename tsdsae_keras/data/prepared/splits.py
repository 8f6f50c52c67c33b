"""Training, validation and test without leaks: recordings of one group go together, whatever else is asked.

A group is whatever makes two recordings alike beyond what a model should learn: a player, a piece, a recording that was
cut up. A split by file lets such likeness through, and every score of it flatters.
"""

import itertools
import warnings

import numpy as np

from tsdsae_keras.errors import InputError

SPLITS = ("train", "validation", "test")
LABEL = "instrument"  # the label that is kept in proportion
_FOLDS, _FOLD_DRAWS = 10, 4
_MOST_BY_FOLDS = 1200  # groups: one draw by folds takes a second; among so many, shuffles come near the shares too
_SHUFFLES = 48


def split_by_group(recordings, seed, shares=(0.8, 0.1, 0.1)):
    """Which split every recording is in, no group in two of them.

    Splits that the data give themselves (`SoundFile.split`) stay as they are, and the rest of such a group follows.
    What is left is drawn among the splits that the data do not give: candidates of scikit-learn's StratifiedGroupKFold
    and GroupShuffleSplit, the one taken of least

        sum_s |n_s / n - share_s| + mean over instruments of sum_s |n_s,i / n_i - share_s|

    n counting recordings. It cannot see how long recordings are, nor whether two groups hold the same sound.

    Args:
        recordings: objects with `name`, `group`, `labels` and `split`, such as `SoundFile`; their order is nothing.
        seed: decides the draw, together with the sorted names and their groups and instruments.
        shares: of the recordings that are drawn, for train, validation and test, each above 0.

    Returns:
        {name: "train", "validation" or "test"}, in the order of the names; no split is empty.

    Raises:
        InputError: fewer groups than splits; an instrument that training would lack; splits of the data that tear a
            group apart or leave one empty; shares that are none.
    """
    shares = _check_shares(shares)
    ordered = sorted(recordings, key=lambda recording: recording.name)
    _check_names(ordered)
    split = _read_given(ordered)
    free = [recording for recording in ordered if recording.group not in split]
    missing = [name for name in SPLITS if name not in split.values()]
    if missing and ordered and not free:
        raise InputError(f"the data's own splits leave none for {missing[0]}: let the splits be drawn instead")
    if free or not ordered:
        split |= _draw_splits(free, seed, {name: shares[name] for name in missing or SPLITS})
    _check_labels(ordered, split)
    return {recording.name: split[recording.group] for recording in ordered}


def check_disjoint(groups_of_splits):
    """Refuses groups that are in two splits.

    Args:
        groups_of_splits: {split: groups}, an array or a list of one value a sequence.

    Raises:
        InputError: names one such group and both splits.
    """
    owner = {}
    for split, groups in groups_of_splits.items():
        for group in sorted(set(np.asarray(groups).tolist())):
            if group in owner:
                raise InputError(
                    f"group {group!r} is in {owner[group]} and in {split}, so scores would be of sound that was "
                    "trained on: prepare the data again, and what belongs together stays together"
                )
            owner[group] = split


def _check_shares(shares):
    values = np.asarray(shares, "float64")
    if values.shape != (len(SPLITS),) or not (np.isfinite(values).all() and (values > 0).all()):
        raise InputError(f"shares are {shares}; they should be three numbers above 0, such as (0.8, 0.1, 0.1)")
    return dict(zip(SPLITS, values.tolist(), strict=True))


def _check_names(ordered):
    for before, after in itertools.pairwise(ordered):
        if before.name == after.name:
            raise InputError(f"two recordings are named {after.name!r}; every name must be unique")


def _read_given(ordered):
    """{group: split} of the groups of which some recording has a split of its own."""
    split = {}
    for recording in ordered:
        if recording.split is None:
            continue
        if recording.split not in SPLITS:
            raise InputError(f"{recording.name} is of split {recording.split!r}; it should be {', '.join(SPLITS)}")
        if split.setdefault(recording.group, recording.split) != recording.split:
            raise InputError(
                f"the data's own splits put group {recording.group!r} in {split[recording.group]} and in "
                f"{recording.split}: let the splits be drawn instead, or group more finely"
            )
    return split


def _draw_splits(free, seed, shares):
    """{group: split} for recordings whose split is open."""
    groups, group = _number([recording.group for recording in free])
    if len(groups) < len(shares):
        some = f" ({', '.join(map(repr, groups))})" if groups else ""
        raise InputError(
            f"{len(groups)} group(s){some} for the splits {', '.join(shares)}: recordings of one group go together, "
            "so at least as many groups are needed; add recordings, or group more finely (--split-by file)"
        )
    labels, label = _number([recording.labels.get(LABEL, "") for recording in free])
    draw = _Draw(group, label, np.array([*shares.values()]) / sum(shares.values()), "train" in shares)
    best = draw.best(np.random.default_rng(seed))
    if best is None:
        fewest = labels[np.argmin([len(set(group[label == i].tolist())) for i in range(len(labels))])]
        raise InputError(
            f"{len(groups)} groups make no splits with every instrument in training; {fewest!r} is in the fewest: "
            "add recordings of it in other groups, group more finely (--split-by file), or leave the labels out"
        )
    return dict(zip(groups, np.array([*shares])[best].tolist(), strict=True))


def _number(values):
    """The distinct values in order, and the number of each value among them."""
    distinct = sorted(set(values))
    number = {value: i for i, value in enumerate(distinct)}
    return distinct, np.array([number[value] for value in values], np.int64)


def _check_labels(ordered, split):
    known = {recording.labels.get(LABEL) for recording in ordered if split[recording.group] == "train"}
    for recording in ordered:
        if recording.labels.get(LABEL) not in known | {None}:
            raise InputError(
                f"{LABEL} {recording.labels[LABEL]!r} ({recording.name}) would be missing from training: let the "
                "splits be drawn instead of given, add recordings of it, or leave the labels out"
            )


class _Draw:
    """Candidates of splits by group, as arrays (groups,) of numbers of splits, and the best of them."""

    def __init__(self, group, label, shares, has_train):
        self.group, self.label, self.shares, self.has_train = group, label, shares, has_train
        self.groups, self.labels = group.max() + 1, label.max() + 1

    def best(self, rng):
        """The candidate of least cost, or None where none will do."""
        candidates = [self._repair(split) for split in (*self._by_folds(rng), *self._by_shuffles(rng))]
        costs = [self._cost(split) for split in candidates]
        return candidates[np.argmin(costs)] if np.isfinite(costs).any() else None

    def _by_folds(self, rng):
        from sklearn.model_selection import StratifiedGroupKFold

        parts, fewest = self._parts(), min(self.groups, np.bincount(self.label).max())
        draws = 0 if self.groups > _MOST_BY_FOLDS or fewest < _FOLDS or parts.min() < 1 else _FOLD_DRAWS
        for _ in range(min(draws, 1 + _MOST_BY_FOLDS // (4 * self.groups))):
            splitter = StratifiedGroupKFold(_FOLDS, shuffle=True, random_state=int(rng.integers(2**31)))
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of instruments with fewer recordings than folds
                folds = [rows for _, rows in splitter.split(self.label, self.label, self.group)]
            split = np.zeros(self.groups, np.int64)
            for part, rows in zip(np.repeat(np.arange(len(parts)), parts), folds, strict=True):
                split[self.group[rows]] = part
            yield split

    def _by_shuffles(self, rng):
        from sklearn.model_selection import GroupShuffleSplit

        largest = int(self.shares.argmax())
        for _ in range(_SHUFFLES):
            split, rest = np.full(self.groups, largest), np.arange(self.groups)
            for i in np.delete(np.arange(len(self.shares)), largest):
                size = min(max(1, round(self.shares[i] * self.groups)), len(rest) - len(self.shares) + 1)
                splitter = GroupShuffleSplit(1, test_size=max(1, size), random_state=int(rng.integers(2**31)))
                kept, held = next(splitter.split(rest, groups=rest))
                split[rest[held]], rest = i, rest[kept]
            yield split

    def _parts(self):
        """How many folds make each split."""
        parts = np.maximum(1, np.round(self.shares * _FOLDS)).astype(int)
        parts[self.shares.argmax()] += _FOLDS - parts.sum()
        return parts

    def _repair(self, split):
        """A label that training (split 0) lacks brings the smallest of its groups there."""
        if not self.has_train:
            return split
        for label in np.flatnonzero(self._counts(split)[0] == 0):
            held = np.unique(self.group[self.label == label])
            if not (split[held] == 0).any():
                split[held[np.bincount(self.group)[held].argmin()]] = 0
        return split

    def _counts(self, split):
        places = split[self.group] * self.labels + self.label
        return np.bincount(places, minlength=len(self.shares) * self.labels).reshape(len(self.shares), self.labels)

    def _cost(self, split):
        counts = self._counts(split)
        if not counts.any(axis=1).all() or (self.has_train and not counts[0].all()):
            return np.inf
        whole = np.abs(counts.sum(axis=1) / counts.sum() - self.shares).sum()
        return whole + np.abs(counts / counts.sum(axis=0) - self.shares[:, None]).sum(axis=0).mean()
