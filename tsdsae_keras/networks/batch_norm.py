"""Batch normalisation whose running statistics survive a batch that cannot be used."""

from keras import layers, ops

from tsdsae_keras.networks import replicas


class BatchNorm(layers.BatchNormalization):
    """Keras's batch normalisation, except that statistics which are not finite do not enter the running ones.

    The train steps apply no gradient that is not finite, but running statistics are updated in the forward pass: one
    NaN would stay in them for good and spoil every later use of the model outside training. On several devices the
    statistics are those of the whole batch.

    Args:
        momentum: of the running statistics; 0.9 follows a training of some hundred steps, Keras's 0.99 lags behind.
    """

    def __init__(self, momentum=0.9, epsilon=1e-5, **kwargs):
        super().__init__(momentum=momentum, epsilon=epsilon, **kwargs)

    def _moments(self, inputs, mask):
        mean, variance = super()._moments(inputs, mask)
        if replicas.count() == 1:
            return mean, variance
        # The variance of all is the average of the variances and the variance of the means.
        (whole,) = replicas.average([mean])
        return whole, replicas.average([variance + ops.square(mean - whole)])[0]

    def call(self, inputs, training=None, mask=None):
        statistics = (self.moving_mean, self.moving_variance)
        # Copies: on PyTorch an assignment writes into the tensor that a variable holds.
        before = [ops.copy(ops.convert_to_tensor(variable)) for variable in statistics] if training else []
        outputs = super().call(inputs, training=training, mask=mask)
        for variable, old in zip(statistics, before, strict=False):
            new = ops.convert_to_tensor(variable)
            variable.assign(ops.where(ops.isfinite(new), new, old))
        return outputs
