"""How much of an image a code keeps: a decoder is fitted on codes that stay as they are, and its error compared.

The error is compared with two others: that of the mean image, which knows nothing, and that of the same decoder fitted
in the same way on the true pose and class, the lowest error that it reaches in that number of steps. A code that is
lossless comes near the latter; one that has lost an angle, or the class, stays between the two.
"""

import keras
import numpy as np
from keras import ops

from tsdsae_keras.families.cpd.evaluation import score
from tsdsae_keras.families.cpd.networks import ConvDecoder

STEPS = 600
BATCH, RATE, WIDTH = 64, 2e-3, 16
RIDGE = 1e-3  # variances that are smaller than this part of the largest one are noise
SCORED, CHUNK = 1024, 256  # test images whose error is taken, and how many are decoded at once


class _Batches(keras.utils.PyDataset):
    """Random batches of codes and images as floats; batch i is drawn from (seed, i)."""

    def __init__(self, codes, images, steps, seed):
        super().__init__()
        self.codes, self.images, self.steps, self.seed = codes, images, steps, seed

    def __len__(self):
        return self.steps

    def __getitem__(self, index):
        rows = np.random.default_rng((self.seed, index)).integers(len(self.codes), size=BATCH)
        return self.codes[rows], self.images[rows].astype("float32") / 255


class FrozenDecoder:
    """A decoder of codes that do not change, fitted by binary cross-entropy.

    Args:
        codes: (n, code) numbers of any range.
        images: (n, 64, 64, channels) uint8.
        steps: of training.
        seed: of the initial weights and the batches.
        width: of the decoder's narrowest layer, see `networks.ConvDecoder`.
    """

    def __init__(self, codes, images, *, steps=STEPS, seed=0, width=WIDTH):
        keras.utils.set_random_seed(seed)
        self.mean = codes.mean(axis=0)
        variances, directions = np.linalg.eigh(np.cov(codes, rowvar=False).reshape(len(self.mean), -1))
        # Classes may lie far apart: poses, which are smaller, become as large once the directions are uncorrelated.
        self.scales = directions / np.sqrt(np.maximum(variances, 0) + RIDGE * max(variances.max(), 1e-12))
        code = keras.Input((codes.shape[1],))
        self.network = keras.Model(code, ConvDecoder(images.shape[-1], width)(code))
        rate = keras.optimizers.schedules.CosineDecay(RATE, steps)
        # XLA takes longer to compile transposed convolutions on TensorFlow than they take in all these steps.
        compiled = keras.backend.backend() == "jax"
        self.network.compile(keras.optimizers.Adam(rate), "binary_crossentropy", jit_compile=compiled)
        self.network.fit(_Batches(self._scale(codes), images, steps, seed), shuffle=False, verbose=0)

    def _scale(self, codes):
        return ((codes - self.mean) @ self.scales).astype("float32")

    def decode(self, codes):
        """Images (n, 64, 64, channels) in [0, 1]."""
        parts = np.split(self._scale(codes), range(CHUNK, len(codes), CHUNK))
        return np.concatenate([ops.convert_to_numpy(self.network(part, training=False)) for part in parts])

    def errors(self, codes, images):
        """The mean squared error of each image, (n,), of values in [0, 1]."""
        return squared_errors(self.decode(codes), images)


def reconstruct(codes, seed, steps=STEPS, width=WIDTH):
    """The reconstruction error of test images from their codes, and pictures.

    Args:
        codes: `codes.DataCodes`.
        seed: of the decoders.
        steps: that each of them is trained.
        width: of their narrowest layer.

    Returns:
        (score, images, decoded): "worst" is the error of the mean image, "best" that of the decoder of the true poses
        and classes, 0 where they are not known; test images (n, 64, 64, channels) uint8, and what was decoded.
    """
    train, test = codes.of("train"), codes.of("test")
    images, how = test.pool.images[:SCORED], {"steps": steps, "seed": seed, "width": width}
    decoder = FrozenDecoder(train.codes, train.pool.images, **how)
    decoded = decoder.decode(test.codes[:SCORED])
    worst = squared_errors(train.pool.images.mean(axis=0) / 255, images).mean()
    best = 0.0
    if test.pool.poses is not None:
        floor = FrozenDecoder(true_codes(train.pool), train.pool.images, **how)
        best = floor.errors(true_codes(test.pool)[:SCORED], images).mean()
    found = score(squared_errors(decoded, images), worst=float(worst), best=float(best))
    return found | {"steps": steps}, images, decoded


def squared_errors(decoded, images):
    """The mean squared difference of each of the images, uint8, from what was decoded, in [0, 1]."""
    return np.square(decoded - images.astype("float32") / 255).mean(axis=(1, 2, 3))


def true_codes(pool):
    """True poses, angles as cosine and sine, followed by the class as one of several: (n, numbers)."""
    pose = pool.poses.reshape(len(pool.poses), -1)
    if pool.scene.group.startswith("isometries"):
        pose = np.concatenate([pose[:, :2], np.cos(pose[:, 2:]), np.sin(pose[:, 2:])], axis=1)
    return np.concatenate([pose, np.eye(pool.scene.classes)[pool.classes]], axis=1)
