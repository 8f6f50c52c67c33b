"""Callbacks that notice when a run goes wrong: steps that cannot be used, and codes that collapse."""

import logging
from collections.abc import Callable
from dataclasses import dataclass

import keras

from tsdsae_keras.errors import TrainingDiverged
from tsdsae_keras.training.callbacks import WATCH

log = logging.getLogger(__name__)


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
        kept = "" if self.keep is None else f", and the last good model is in {self.keep()}"
        raise TrainingDiverged(
            f"{self.steps} steps in a row had no finite loss or gradient, the last of them batch {batch + 1} of epoch "
            f"{self.epoch + 1}: these updates were skipped{kept}; lower --learning-rate, or look for broken values in "
            "the data"
        )


@dataclass(frozen=True)
class Watch:
    """What a family looks at while it trains.

    Attributes:
        measure: model -> dict of numbers.
        warning: (those numbers) -> a line that says what has collapsed and what to try, or None.
    """

    measure: Callable
    warning: Callable


class WatchCollapse(keras.callbacks.Callback):
    """Measures by a `Watch` every few epochs whether the codes are in use, logs it, and warns once if they are not.

    It belongs before the callbacks that write logs. In a stage that constrains the codes nothing can be said of the
    next, so the warning waits until the model is selectable.
    """

    def __init__(self, watch, every=4):
        super().__init__()
        self.watch, self.every, self.warned = watch, every, False

    def on_epoch_end(self, epoch, logs=None):
        if (epoch + 1) % self.every:
            return
        numbers = self.watch.measure(self.model)
        logs.update({WATCH + name: float(value) for name, value in numbers.items()})
        warning = self.watch.warning(numbers)
        if warning and not self.warned and self.model.is_selectable():
            self.warned = True
            log.warning(f"warning: after epoch {epoch + 1} {warning}")

    def state(self):
        """Whether the warning was given."""
        return {"warned": self.warned}

    def restore(self, state):
        """Takes a state."""
        self.warned = state["warned"]
