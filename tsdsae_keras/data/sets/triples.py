"""Pairs of images whose relative symmetry is known and whose poses are not; `triple_files.py` reads them."""

import hashlib
from pathlib import Path

import numpy as np

from tsdsae_keras.data.sets.pose_pool import SPLITS, Scene
from tsdsae_keras.errors import InputError
from tsdsae_keras.groups import find_group

SHARES = {"validation": 0.1, "test": 0.1}
# Pairs that hang together stay together, unless they are more than this share of all and have as many images: one's
# own photographs of a thing are all connected, and a split needs some of each thing.
LARGE, LEAST_IMAGES = 0.05, 10


class TriplePool:
    """Triples of one split, with the methods of `data.sets.pose_pool.Pool` that need no pose.

    Args:
        x, y: images (n, 64, 64, channels) uint8.
        actions: (n, steps, ...).
        classes: (n,) of the triples, or None.
    """

    poses = None

    def __init__(self, x, y, actions, classes):
        self.scene = Scene()
        self.scene.shares_poses = False
        self.images = np.concatenate([x, y])
        self.classes = None if classes is None else np.concatenate([classes, classes])
        self._actions, self._n = actions, len(x)
        # The same image may be the second one of several triples; it counts as that of the first.
        keys = {}
        self._same = np.array([keys.setdefault(image.tobytes(), i) for i, image in enumerate(y)])

    def rows(self, rng, n, steps=1, *, distinct=1, among=None):
        """(n, 2): first and last image of n triples; see `Pool.rows`."""
        if distinct > self.distinct(among):
            raise InputError(f"{self.distinct(among)} different images do not make {distinct} candidates")
        among = self._second(among)
        if distinct == 1:
            return rng.choice(among, n)[:, None] + [0, self._n]
        drawn = [self._draw(rng, among, distinct) for _ in range(-(-n // distinct))]
        return np.concatenate(drawn)[:n, None] + [0, self._n]

    def distinct(self, among=None):
        """How many different images can be last ones."""
        return len(np.unique(self._same[self._second(among)]))

    def _second(self, among):
        """The triples whose second images are among these positions."""
        return np.arange(self._n) if among is None else among[among >= self._n] - self._n

    def _draw(self, rng, among, distinct):
        """Triples whose second images are all different."""
        order = rng.permutation(among)
        _, first = np.unique(self._same[order], return_index=True)
        return order[np.sort(first)[:distinct]]

    def actions(self, rows):
        """Actions (n, steps, ...) of the rows."""
        return self._actions[rows[:, 0]]


class TripleData:
    """An opened set of triples, in three splits.

    Args:
        name: for messages.
        group: name of the group of the actions.
        x, y: images (n, 64, 64, channels) uint8.
        actions: (n, ...).
        classes: (n,) or None.
        folder: where they are.
        seed: of the splits.
        long: {steps: (x, y, actions (n, steps, ...), classes)} of trajectories to score on.

    Raises:
        InputError: arrays of unequal length, an action that is not an element of the group, one class only, or too few
            triples for three splits.
    """

    warning, curve = None, ()

    def __init__(self, name, group, x, y, actions, classes, *, folder, seed=0, long=None):
        lengths = {"first images": len(x), "second images": len(y), "actions": len(actions)}
        lengths |= {} if classes is None else {"classes": len(classes)}
        if len(set(lengths.values())) > 1:
            raise InputError(f"{name} has {', '.join(f'{n} {what}' for what, n in lengths.items())}; give one of each")
        if classes is not None and len(np.unique(classes)) < 2:
            raise InputError(f"{name} has one class only; the class needs two at least to be told apart")
        self.name, self.group, self.folder, self.channels = name, group, Path(folder), x.shape[-1]
        self.dims = actions.shape[-1]
        for each in (actions, *(arrays[2].reshape(-1, *actions.shape[1:]) for arrays in (long or {}).values())):
            find_group(group, self.dims).check(each, f"the actions of {name}")
        self.identity = identity_of(x, y, actions, classes)
        self.steps = (1, *sorted(long or {}))
        self.splits = tuple(split for split in SPLITS if split != "left_out")
        place = split_pairs(x, y, seed)
        self._pools = {}
        for split in self.splits:
            rows = np.flatnonzero(place == SPLITS[split])
            if len(rows) < 2:
                raise InputError(f"{name} has {len(x)} triples, of which {len(rows)} fall to {split}; give more")
            parts = (x[rows], y[rows], actions[rows, None], None if classes is None else classes[rows])
            self._pools[split, 1] = self._pools[split, None] = TriplePool(*parts)
        for steps, arrays in (long or {}).items():
            self._pools |= {(split, steps): TriplePool(*arrays) for split in self.splits}
        lost = int((place < 0).sum())
        if lost:
            self.warning = f"{lost} of {len(x)} triples join images of different splits and are left out"

    @property
    def summary(self):
        """What was read, in one line."""
        sizes = ", ".join(f"{len(self.pool(split).images) // 2} {split}" for split in self.splits)
        classes = self.pool("train").classes
        kinds = "no classes" if classes is None else f"{len(np.unique(classes))} classes to train on"
        return f"{self.name}: group {self.group}, {self.channels} channels, {kinds}; triples: {sizes}"

    def pool(self, split, steps=None):
        """The `TriplePool` of a split, or of trajectories of `steps` steps."""
        return self._pools[split, steps]

    def triples(self, split, rng, n):
        """A dict of n "x", "action" and "y"."""
        pool = self.pool(split)
        rows = pool.rows(rng, n)
        return {"x": pool.images[rows[:, 0]], "action": pool.actions(rows)[:, 0], "y": pool.images[rows[:, 1]]}


def split_pairs(x, y, seed):
    """The split of each pair, so that no image is in two of them; -1 for pairs that are left out.

    Pairs that share images hang together. Small groups of such stay whole. The images of a large one are divided,
    neighbouring ones into one split, and its pairs across splits are left out.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import breadth_first_order, connected_components

    keys = {}
    first, second = ([keys.setdefault(image.tobytes(), len(keys)) for image in images] for images in (x, y))
    graph = coo_array((np.ones(len(x), "int8"), (first, second)), shape=(len(keys),) * 2).tocsr()
    _, part = connected_components(graph, directed=False)
    rng, pairs, images = np.random.default_rng(seed), np.bincount(part[first]), np.bincount(part)
    large = (pairs > LARGE * len(x)) & (images >= LEAST_IMAGES)
    whole = np.zeros(len(pairs), int)
    small = rng.permutation(np.flatnonzero(~large))
    whole[small] = _divide(len(small))
    place = whole[part]
    for each in np.flatnonzero(large):
        start = rng.choice(np.flatnonzero(part == each))
        near = breadth_first_order(graph, start, directed=False, return_predecessors=False)
        place[near] = _divide(len(near))
    return np.where(place[first] == place[second], place[first], -1)


def _divide(n):
    """The split of each of n things in a row: those for validation come first, then those for the test."""
    place, begin = np.zeros(n, int), 0
    for split, share in SHARES.items():
        count = max(1, round(share * n))
        place[begin : begin + count] = SPLITS[split]
        begin += count
    return place


def identity_of(*arrays):
    """A text that is equal for equal arrays."""
    digest = hashlib.sha256()
    for array in arrays:
        digest.update(b"none" if array is None else repr(array.shape).encode() + np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()
