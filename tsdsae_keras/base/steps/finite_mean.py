"""The mean over an epoch of what each step gives, where it is finite."""

import keras
from keras import ops


class FiniteMean(keras.metrics.Metric):
    """The mean of scalars, weighted by the examples of each batch; a batch that is not finite does not count.

    Keras's `Mean` first brings value and weight to one shape, which on PyTorch takes longer than the mean itself.
    """

    def __init__(self, name):
        super().__init__(name=name)
        self.total = self.add_variable((), keras.initializers.Zeros(), name="total")
        self.examples = self.add_variable((), keras.initializers.Zeros(), name="examples")

    def update_state(self, value, batch, finite):
        """Adds a batch.

        Args:
            value: a scalar.
            batch: how many examples it is a mean of.
            finite: whether it counts.
        """
        self.total.assign_add(ops.where(finite, value * batch, 0.0))
        self.examples.assign_add(ops.where(finite, batch, 0.0))

    def result(self):
        return ops.divide_no_nan(self.total, self.examples)
