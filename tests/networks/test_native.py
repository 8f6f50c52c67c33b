"""What a backend does in its own way is what the formula says, and so are the gradients."""

import keras
import numpy as np
from keras import ops

from tests.gradients import check_same
from tsdsae_keras.networks.native import split_rows, summed_cross_entropy


class Values(keras.layers.Layer):
    """A variable of logits; see `tests.gradients.check_same`."""

    def __init__(self):
        super().__init__()
        rng = np.random.default_rng(0)
        self.x = self.add_weight(shape=(5, 4, 3))
        self.x.assign(rng.normal(size=(5, 4, 3), scale=3).astype("float32"))
        self.target = ops.convert_to_tensor(rng.uniform(size=(4, 3)).astype("float32"))


def check(run, expected, weights):
    values = Values()

    class Layers:
        x, variables = values.x, values.variables

    Layers.weights = weights
    check_same(Layers, lambda x: run(x, values.target), lambda x: expected(x, values.target))


def test_summed_cross_entropy_and_its_gradient():
    def formula(x, target):
        p = ops.sigmoid(x)
        return -ops.sum(target * ops.log(p) + (1 - target) * ops.log(1 - p))

    check(lambda x, target: summed_cross_entropy(target, x), formula, np.float32(2.0))


def test_cross_entropy_of_certain_logits_is_finite():
    logits = ops.convert_to_tensor(np.float32([[-200, 200, 0]]))
    target = ops.convert_to_tensor(np.float32([1, 1, 0.5]))
    np.testing.assert_allclose(float(summed_cross_entropy(target, logits)), 200 + np.log(2), rtol=1e-6)


def test_parts_of_rows_and_their_gradients():
    def last_first(parts):
        return ops.concatenate(list(parts)[::-1], axis=0)

    weights = np.random.default_rng(1).normal(size=(5, 4, 3)).astype("float32")
    check(
        lambda x, _: last_first(split_rows(x, [1, 4])),
        lambda x, _: last_first([x[:1], x[1:]]),
        weights,
    )
