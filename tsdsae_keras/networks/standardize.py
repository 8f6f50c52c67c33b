"""Standardisation of every band inside a model, so that a model carries the scale of its data."""

import numpy as np
from keras import ops
from keras.saving import register_keras_serializable

from tsdsae_keras.errors import InputError
from tsdsae_keras.networks.masked import MaskedLayer


@register_keras_serializable(package="tsdsae_keras")
class BandStandardization(MaskedLayer):
    """(x - mean) / deviation band by band, and back; the statistics are weights that no optimizer touches.

    Unlike keras.layers.Normalization it goes both ways with one set of statistics and knows whether it was adapted.
    """

    def build(self, input_shape):
        bands = (input_shape[-1],)
        self.mean = self.add_weight(shape=bands, initializer="zeros", trainable=False, name="mean")
        self.deviation = self.add_weight(shape=bands, initializer="ones", trainable=False, name="deviation")
        self.count = self.add_weight(shape=(), initializer="zeros", trainable=False, name="count")

    @property
    def adapted(self):
        """Whether statistics were set."""
        return bool(ops.convert_to_numpy(self.count) > 0)

    def adapt(self, batches):
        """Takes mean and deviation of an iterable of frames (n, bands); a constant band keeps deviation 1.

        Raises:
            InputError: a value is not finite.
        """
        count, total, squares = 0, 0.0, 0.0
        for frames in batches:
            frames = np.asarray(frames, "float64")
            count, total = count + len(frames), total + frames.sum(0)
            squares = squares + np.square(frames).sum(0)
        if not np.isfinite(squares).all():
            raise InputError("x holds NaN or infinity, so its bands cannot be standardised; leave such sequences out")
        mean = total / max(count, 1)
        deviation = np.sqrt(np.maximum(squares / max(count, 1) - mean**2, 0.0))
        self.mean.assign(mean)
        self.deviation.assign(np.where(deviation > 1e-4, deviation, 1.0))
        self.count.assign(float(count))

    def call(self, x):
        return (x - self.mean) / self.deviation

    def restore(self, x):
        """The inverse of `call`."""
        return x * self.deviation + self.mean
