"""Images whose pose and class are known, paired at random: endless triples x, g, y = g.x with exact actions."""

import hashlib
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from tsdsae_keras.errors import InputError

SPLITS = {"train": 0, "validation": 1, "test": 2, "left_out": 3}
CHUNK = 64  # images that are rendered at once


class Scene:
    """What can be seen, and what acts on it; a subclass is a data set.

    Attributes:
        name: of the data set.
        channels: of an image.
        classes: how many there are.
        group: name of the group of the actions, see `tsdsae_keras.groups`.
        dims: numbers of an action where the group is "translate".
        units: what a pose is measured in: {name: (numbers of the pose, factor)}, or for rotations {name: None}.
        shares_poses: whether a pose can be had by every class.
    """

    units, shares_poses = {}, True
    name, channels, classes, group, dims = "scene", 1, 1, "translate", 3

    def draw_poses(self, rng, classes):
        """A random pose (n, ...) for each of the classes (n,)."""
        raise NotImplementedError(f"{type(self).__name__} must define draw_poses(rng, classes)")

    def render(self, poses, classes):
        """Images (n, 64, 64, channels) uint8 of poses (n, ...) and classes (n,)."""
        raise NotImplementedError(f"{type(self).__name__} must define render(poses, classes)")

    def relative(self, first, second):
        """The actions that lead from the first poses to the second ones; by default their difference."""
        return second - first


class Pool:
    """Rendered images with their poses and classes.

    Args:
        scene: a `Scene`.
        images: how many.
        seed: numbers that decide which.
        among: the classes to draw from.
        workers: threads that render.
    """

    def __init__(self, scene, images, seed, among, workers=1):
        rng = np.random.default_rng(seed)
        self.scene = scene
        self.classes = rng.choice(np.asarray(among), images)
        self.poses = scene.draw_poses(rng, self.classes).astype("float32")
        starts = range(0, images, CHUNK)
        with ThreadPoolExecutor(workers) as threads:
            self.images = np.concatenate(list(threads.map(self._render, starts)))
        # Where in the list of all images, sorted by class, a class begins, and how long it is.
        self._sorted = np.argsort(self.classes, kind="stable")
        self._count = np.bincount(self.classes, minlength=scene.classes)
        self._begin = np.cumsum(self._count) - self._count

    def _render(self, start):
        rows = slice(start, start + CHUNK)
        return self.scene.render(self.poses[rows], self.classes[rows])

    def rows(self, rng, n, steps=1, *, distinct=1, among=None):
        """(n, steps + 1) positions of images; those of a row are of one class, otherwise independent.

        Args:
            rng: a NumPy generator.
            n: rows.
            steps: from the first image to the last.
            distinct: of this many consecutive rows, the last images are all different.
            among: positions that the last images are drawn from; by default all.
        """
        among = np.arange(len(self.classes)) if among is None else among
        if distinct == 1:
            last = among[rng.integers(len(among), size=n)]
        else:
            drawn = [rng.choice(among, distinct, replace=False) for _ in range(-(-n // distinct))]
            last = np.concatenate(drawn)[:n]
        kinds = self.classes[last]
        others = self._begin[kinds, None] + np.floor(rng.random((n, steps)) * self._count[kinds, None]).astype(int)
        return np.concatenate([self._sorted[others], last[:, None]], axis=1)

    def distinct(self, among=None):
        """How many different images can be last ones."""
        return len(self.images if among is None else among)

    def triples(self, rng, n):
        """A dict of n "x", "action" and "y"; images as uint8."""
        x, y = self.rows(rng, n).T
        return {"x": self.images[x], "action": self._actions(x, y), "y": self.images[y]}

    def actions(self, rows):
        """Actions (n, steps, ...) that lead along the rows (n, steps + 1) of images."""
        pairs = zip(rows.T, rows.T[1:], strict=False)
        return np.stack([self._actions(x, y) for x, y in pairs], axis=1)

    def _actions(self, x, y):
        return self.scene.relative(self.poses[x], self.poses[y]).astype("float32")


class PoseData:
    """An opened data set of poses: disjoint pools of images for training, validation and test.

    Args:
        scene: a `Scene`.
        images: in the training pool; validation and test have `held_out` each.
        held_out: see `images`.
        left_out: classes that neither training nor validation nor test show; the split "left_out" has them alone.
        seed: of all that is drawn.
        workers: threads that render.

    Raises:
        InputError: fewer than two classes are left to train on, or a class that is left out does not exist.
    """

    folder = warning = None
    steps = (1, 10, 20)  # lengths of trajectories that models are scored on
    curve = (1, 2, 5, 10, 15, 20, 25, 30, 35, 40)  # and those that show what more steps do

    def __init__(self, scene, *, images=20000, held_out=4000, left_out=(), seed=0, workers=1):
        self.scene, self.group, self.dims, self.channels = scene, scene.group, scene.dims, scene.channels
        unknown = [each for each in left_out if not 0 <= each < scene.classes]
        if unknown:
            raise InputError(f"--left-out has class {unknown[0]}; {scene.name} has classes 0 to {scene.classes - 1}")
        self.among = [each for each in range(scene.classes) if each not in left_out]
        if len(self.among) < 2:
            raise InputError(f"{len(self.among)} classes are left of {scene.name}; the class needs two at least")
        self.left_out, self.seed, self.workers = tuple(left_out), seed, workers
        self._sizes = {"train": images} | dict.fromkeys(("validation", "test", "left_out"), held_out)
        self._pools = {}

    @property
    def identity(self):
        """A text that is equal for equal data."""
        parts = (self.scene.name, vars(self.scene), self._sizes, self.left_out, self.seed)
        return hashlib.sha256(repr(parts).encode()).hexdigest()

    @property
    def splits(self):
        """Names of the splits there are."""
        return tuple(split for split in SPLITS if split != "left_out" or self.left_out)

    def pool(self, split, steps=None):
        """The images of a split, rendered when first asked for; the same for trajectories of any length."""
        if split not in self._pools:
            among = self.left_out if split == "left_out" else self.among
            self._pools[split] = Pool(self.scene, self._sizes[split], (self.seed, SPLITS[split]), among, self.workers)
        return self._pools[split]

    def triples(self, split, rng, n):
        """See `Pool.triples`."""
        return self.pool(split).triples(rng, n)


def pool_options(settings):
    """What every generated data set of poses takes from its settings."""
    how = {name: getattr(settings, name) for name in ("images", "held_out", "workers")}
    return how | {"left_out": tuple(each for each in settings.left_out if each >= 0), "seed": settings.data_seed}
