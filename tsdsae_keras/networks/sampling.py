"""The generator that all draws of a model come from."""

import numpy as np
from keras import layers, ops, random


class Sampling(layers.Layer):
    """A seed generator that is set as a function of what a run knows.

    The state of a seed generator is not part of a `.keras` file, so a resumed run sets it by `reseed` to draw as an
    uninterrupted one does. It is a layer so that the generator's state is among the variables of the model.

    Args:
        seed: start of the generator; None takes one from Keras's global seed.
    """

    def __init__(self, seed=None, **kwargs):
        super().__init__(**kwargs)
        self.generator = random.SeedGenerator(seed)

    def build(self, input_shape=None):
        pass

    def reseed(self, *numbers):
        """Sets the generator's state as a function of the given non-negative integers."""
        state = np.random.SeedSequence(numbers).generate_state(2) & 0x7FFFFFFF  # fits the signed states too
        self.generator.state.assign(ops.convert_to_tensor(state, self.generator.state.dtype))
