"""The bidirectional trunk gives what Keras's own layers give, and the same gradients, with and without padding."""

import keras
import numpy as np
import pytest
from keras import ops

from tests.gradients import check_same
from tsdsae_keras.networks.trunks import RecurrentFeatures

LENGTHS = np.array([[6], [4], [1]])


class Trunk:
    """The layer, and an input that is a variable too; what is behind the end of a sequence has no weight."""

    def __init__(self, masked):
        rng, (batch, time) = np.random.default_rng(0), (len(LENGTHS), LENGTHS.max())
        self.layer = RecurrentFeatures((4, 3))
        self.layer.build((None, None, 2))
        self.x = keras.Variable(rng.normal(size=(batch, time, 2)).astype("float32"), name="x")
        self.variables = [self.x, *self.layer.trainable_weights]
        self.mask = np.arange(time)[None] < LENGTHS if masked else None
        valid = 1.0 if self.mask is None else self.mask[..., None]
        self.weights = np.float32(rng.normal(size=(batch, time, 3)) * valid)

    def run(self, x):
        return self._valid(self.layer(x, mask=self.mask))

    def by_keras(self, x):
        for ahead, back in zip(self.layer.ahead, self.layer.back, strict=True):
            back.go_backwards = True  # as Keras turns a sequence, its padding first
            directions = ahead(x, mask=self.mask), ops.flip(back(x, mask=self.mask), axis=1)
            x = ops.concatenate(directions, axis=-1)
        return self._valid(0.5 * (directions[0] + directions[1]))

    def _valid(self, features):
        return features if self.mask is None else ops.multiply(features, np.float32(self.mask[..., None]))


@pytest.mark.parametrize("masked", [False, True])
def test_equal_to_keras_bidirectional_lstm(masked):
    trunk = Trunk(masked)
    check_same(trunk, trunk.run, trunk.by_keras)
