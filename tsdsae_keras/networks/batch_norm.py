"""Batch normalisation: fast on every backend, over the whole batch of several devices, safe from values not finite."""

from keras import layers, ops

from tsdsae_keras.networks import replicas
from tsdsae_keras.networks.native import of_backend


class BatchNorm(layers.Layer):
    """Batch normalisation of the last axis, as PyTorch has it: the running variance follows the unbiased one.

    Keras's own layer takes several times as long on PyTorch, its sums lose digits on TensorFlow, and one batch with a
    NaN would stay in its running statistics for good: they change in the forward pass, so that no train step that
    leaves out a gradient can protect them. Here statistics that are not finite do not enter the running ones. On
    several devices the statistics are those of the whole batch.

    Args:
        momentum: of the running statistics; 0.9 follows a training of some hundred steps, Keras's 0.99 lags behind.
        epsilon: added to the variance.
        relu: whether ReLU follows, which takes no pass of its own then.
    """

    def __init__(self, momentum=0.9, epsilon=1e-5, relu=False, **kwargs):
        super().__init__(**kwargs)
        self.momentum, self.epsilon, self.relu = momentum, epsilon, relu

    def build(self, input_shape):
        shape = (input_shape[-1],)
        self.gamma = self.add_weight(shape, initializer="ones", name="gamma")
        self.beta = self.add_weight(shape, initializer="zeros", name="beta")
        self.moving_mean = self.add_weight(shape, initializer="zeros", trainable=False, name="moving_mean")
        self.moving_variance = self.add_weight(shape, initializer="ones", trainable=False, name="moving_variance")

    def call(self, x, training=False):
        weights = ops.convert_to_tensor(self.gamma), ops.convert_to_tensor(self.beta), self.epsilon, self.relu
        if not training:
            return _transform(x, self.moving_mean, self.moving_variance, *weights)
        own = getattr(of_backend(), "batch_norm", None) if replicas.count() == 1 else None
        outputs, mean, variance = (own or _normalize)(x, *weights)
        follow = getattr(of_backend(), "follow", _follow)
        follow(self.moving_mean, mean, 1 - self.momentum)
        follow(self.moving_variance, variance, 1 - self.momentum)
        return outputs

    def get_config(self):
        return super().get_config() | {"momentum": self.momentum, "epsilon": self.epsilon, "relu": self.relu}


def _follow(variable, values, share):
    """Moves a variable by a share of the way to values, where they are finite."""
    before = ops.convert_to_tensor(variable)
    moved = before + share * (ops.stop_gradient(values) - before)
    variable.assign(ops.where(ops.isfinite(moved), moved, before))


def _normalize(x, gamma, beta, epsilon, relu):
    """Outputs, mean and unbiased variance."""
    (mean,) = replicas.average([_average(x)])
    (variance,) = replicas.average([_average(ops.square(x - mean))])
    rows = ops.cast(replicas.count() * ops.prod(ops.shape(x)[:-1]), "float32")
    outputs = _transform(x, mean, variance, gamma, beta, epsilon, relu)
    return outputs, mean, variance * rows / ops.maximum(rows - 1, 1)


def _transform(x, mean, variance, gamma, beta, epsilon, relu):
    outputs = (x - mean) * (gamma / ops.sqrt(variance + epsilon)) + beta
    return ops.relu(outputs) if relu else outputs


def _average(x):
    """The mean over all axes but the last."""
    own = getattr(of_backend(), "average_by_axis", None)
    return own(x) if own else ops.mean(x, axis=tuple(range(len(x.shape) - 1)))
