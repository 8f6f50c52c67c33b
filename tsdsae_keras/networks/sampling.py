"""Drawing from Gaussians."""

import numpy as np
from keras import ops, random
from keras.saving import register_keras_serializable

from tsdsae_keras.networks.masked import MaskedLayer


@register_keras_serializable(package="tsdsae_keras")
class Sampling(MaskedLayer):
    """mean + e^(log_var / 2) * noise, from a generator of its own.

    The state of a seed generator is not part of a `.keras` file; `reseed` sets it from what a run knows, so that a
    resumed run draws as an uninterrupted one.

    Args:
        seed: start of the generator; None takes one from Keras's global seed.
    """

    def __init__(self, seed=None, **kwargs):
        super().__init__(**kwargs)
        self.seed = seed
        self.generator = random.SeedGenerator(seed)

    def build(self, input_shape=None):
        pass

    def reseed(self, *numbers):
        """Sets the generator's state as a function of the given non-negative integers."""
        state = np.random.SeedSequence(numbers).generate_state(2) & 0x7FFFFFFF  # fits the signed states too
        self.generator.state.assign(ops.convert_to_tensor(state, self.generator.state.dtype))

    def call(self, mean, log_var):
        noise = random.normal(ops.shape(mean), dtype=mean.dtype, seed=self.generator)
        return mean + ops.exp(0.5 * log_var) * noise

    def get_config(self):
        return super().get_config() | {"seed": self.seed}
