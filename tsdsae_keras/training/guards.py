"""Callbacks that notice when a run goes wrong: steps that cannot be used, and a decoder that ignores v."""

import logging

import keras

from tsdsae_keras.errors import TrainingDiverged
from tsdsae_keras.training.callbacks import WATCH

log = logging.getLogger(__name__)

IGNORED = 0.05  # use of v below which the decoder is said to ignore it


class StopOnBadSteps(keras.callbacks.Callback):
    """Ends training when every one of several steps in a row had a loss or a gradient that was not finite.

    The train step has applied none of them, so the model is as good as before the first.

    Args:
        steps: how many.
        keep: called before the end, to keep the model; returns the path where it is.

    Raises:
        TrainingDiverged: from `fit`, naming epoch and batches.
    """

    def __init__(self, steps=10, keep=None):
        super().__init__()
        self.steps, self.keep = steps, keep

    def on_train_begin(self, logs=None):
        self.in_a_row = 0

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch, self.skipped = epoch, 0

    def on_train_batch_end(self, batch, logs=None):
        skipped = round(float(logs["skipped_steps"]))  # so far in this epoch
        self.in_a_row = self.in_a_row + 1 if skipped > self.skipped else 0
        self.skipped = skipped
        if self.in_a_row < self.steps:
            return
        kept = "" if self.keep is None else f", and the model of before is in {self.keep()}"
        raise TrainingDiverged(
            f"{self.steps} steps in a row had no finite loss or gradient, the last of them batch {batch + 1} of epoch "
            f"{self.epoch + 1}: none was applied{kept}; lower --learning-rate, or look for broken values in the data"
        )


class WatchCollapse(keras.callbacks.Callback):
    """Measures every few epochs whether the decoder uses v, adds that to the logs, and warns once (in the log) if not.

    It belongs before the callbacks that write logs. In a stage that constrains z nothing can be said of the next, so
    the warning waits for the last stage.

    Args:
        measure: model -> dict of numbers, among them "v_use": how much the output changes with v, relative to how
            much it changes with z.
        every: epochs.
    """

    def __init__(self, measure, every=4):
        super().__init__()
        self.measure, self.every, self.warned = measure, every, False

    def on_epoch_end(self, epoch, logs=None):
        if (epoch + 1) % self.every:
            return
        found = self.measure(self.model)
        logs.update({WATCH + name: float(value) for name, value in found.items()})
        if found["v_use"] < IGNORED and not self.warned and self.model.stage == self.model.stages:
            self.warned = True
            log.warning(_warning(epoch, found["v_use"]))

    def state(self):
        """Whether the warning was given."""
        return {"warned": self.warned}

    def restore(self, state):
        """Takes a state."""
        self.warned = state["warned"]


def _warning(epoch, use):
    return (
        f"warning: after epoch {epoch + 1} the decoder ignores v (another v changes its output {use:.3f} times as much "
        "as another z): try a longer first stage (--stage-two-at), higher --swap-weights or a smaller --z-dim"
    )
