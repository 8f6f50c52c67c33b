"""Codes of many images, and where actions lead them, as arrays."""

import numpy as np

CHUNK = 256  # images that are encoded at once


def encode_images(model, images):
    """Codes (n, code) of images (n, 64, 64, channels), uint8 or floats, a chunk at a time."""
    codes = []
    for start in range(0, len(images), CHUNK):
        part = images[start : start + CHUNK]
        # The last chunk is filled up: a backend that compiles for a shape does so once.
        filled = np.concatenate([part, np.zeros((CHUNK - len(part), *images.shape[1:]), images.dtype)])
        codes.append(model.encode(filled)["code"][: len(part)])
    return np.concatenate(codes)


class DataCodes:
    """The `PoolCodes` of data, each made once.

    Args:
        model: of this family.
        data: `data.sets.pose_pool.PoseData` or `data.sets.triples.TripleData`.
    """

    def __init__(self, model, data):
        self.model, self.data, self._made = model, data, {}

    def of(self, split, steps=None):
        """Those of a split; for trajectories of that many steps, where data have pools of their own for them."""
        pool = self.data.pool(split, steps)
        if id(pool) not in self._made:
            self._made[id(pool)] = PoolCodes(self.model, pool)
        return self._made[id(pool)]


class PoolCodes:
    """The codes of a pool of images, encoded once, and the code that a trajectory through the pool leads to.

    Args:
        model: of this family.
        pool: `data.sets.pose_pool.Pool`.
    """

    def __init__(self, model, pool):
        self.model, self.pool = model, pool
        self.codes = encode_images(model, pool.images)

    def roll_out(self, rng, n, steps, **how):
        """Predicted and true codes (n, code) after `steps` actions, and the rows (n, steps + 1) of the pool.

        Args:
            rng, n, steps, how: as in `Pool.rows`.
        """
        rows = self.pool.rows(rng, n, steps, **how)
        predicted = self.model.act(self.codes[rows[:, 0]], self.pool.actions(rows))
        return predicted, self.codes[rows[:, -1]], rows
