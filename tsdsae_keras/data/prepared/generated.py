"""Batches that a function makes, such as augmented views, as a stream for `fit`."""

import keras  # noqa: F401 - first: with PyTorch underneath, torch must be imported before tensorflow
import numpy as np
import tensorflow as tf

from tsdsae_keras.data.prepared.generator import from_generator


class GeneratedStream:
    """Batches made from (epoch, step), while the step before is computed.

    Args:
        make: (epoch, step) -> dict of arrays, the same for the same numbers whatever was made before; shapes never
            change. It runs in a thread of its own, one call at a time.
        batches: steps of an epoch.
        fixed: whether every epoch is epoch 0, as for validation.
    """

    def __init__(self, make, batches, *, fixed=False):
        self.make, self.batches, self._fixed, self._epoch = make, batches, fixed, 0
        example = {name: np.asarray(array) for name, array in make(0, 0).items()}
        signature = {name: tf.TensorSpec(array.shape, array.dtype) for name, array in example.items()}
        self.dataset = from_generator(self._generate, signature, batches).prefetch(1)

    def set_epoch(self, epoch):
        """Chooses the epoch of the iterators that start from now on."""
        self._epoch = 0 if self._fixed else int(epoch)

    def _generate(self):
        epoch = self._epoch  # read when an iterator starts, not when the data set is built
        for step in range(self.batches):
            yield self.make(epoch, step)
