"""Batch norm of x and of y, each with its own statistics, in one pass of the network."""

from keras import layers, ops
from keras.saving import register_keras_serializable

from tsdsae_keras.networks import replicas

EPSILON, MOMENTUM = 1e-5, 0.9


@register_keras_serializable(package="tsdsae_keras")
class PairNormalization(layers.Layer):
    """Batch norm of a batch of several parts, one after the other along the first axis, as if each came alone.

    In training every part is normalised by its own mean and variance, and the running statistics move once for each
    part, in order, towards the unbiased variance, as PyTorch's do; on several devices all are those of the whole batch.
    Convolutions may so take x and y together. Keras's own layer takes a batch as one part, and on TensorFlow it loses a
    digit in a deep network (see `_mean`).

    Args:
        parts: how many a batch has in training.
    """

    def __init__(self, parts=2, **kwargs):
        super().__init__(**kwargs)
        self.parts = parts

    def build(self, input_shape):
        shape = (input_shape[-1],)
        self.gamma = self.add_weight(shape, initializer="ones", name="gamma")
        self.beta = self.add_weight(shape, initializer="zeros", name="beta")
        self.moving_mean = self.add_weight(shape, initializer="zeros", trainable=False, name="moving_mean")
        self.moving_variance = self.add_weight(shape, initializer="ones", trainable=False, name="moving_variance")

    def call(self, x, training=False):
        if not training:
            return (x - self.moving_mean) * (self.gamma / ops.sqrt(self.moving_variance + EPSILON)) + self.beta
        shape = ops.shape(x)
        x = ops.reshape(x, (self.parts, -1, *shape[1:]))
        (mean,) = replicas.average([_mean(x)])
        difference = x - mean
        (variance,) = replicas.average([_mean(ops.square(difference))])
        self._move(mean, variance, shape)
        return ops.reshape(difference * (self.gamma / ops.sqrt(variance + EPSILON)) + self.beta, shape)

    def _move(self, mean, variance, shape):
        count = ops.cast(replicas.count() * shape[0] * shape[1] * shape[2], "float32") / self.parts
        unbiased = variance * (count / ops.maximum(count - 1, 1))
        for kept, values in ((self.moving_mean, mean), (self.moving_variance, unbiased)):
            values = ops.stop_gradient(ops.reshape(values, (self.parts, -1)))
            moved = ops.convert_to_tensor(kept)
            for part in range(self.parts):
                moved = MOMENTUM * moved + (1 - MOMENTUM) * values[part]
            kept.assign(moved)

    def get_config(self):
        return super().get_config() | {"parts": self.parts}


def _mean(x):
    """The mean over batch, rows and columns, an axis at a time.

    TensorFlow adds all numbers of one long sum one after the other, with a rounding error that grows with their number:
    in a ResNet of 17 layers the code was then off in its fifth digit.
    """
    for axis in (3, 2, 1):
        x = ops.mean(x, axis=axis, keepdims=True)
    return x
