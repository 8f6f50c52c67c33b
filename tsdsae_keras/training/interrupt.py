"""Ending a run in good order when it is asked to end."""

import signal
import sys
import threading

import keras


class StopOnSignal(keras.callbacks.Callback):
    """Ends training after the running epoch at the first Ctrl-C or SIGTERM, and everything at once at the second.

    Used as a context around all of a run's work: between epochs of `fit` it is a callback, which belongs behind the one
    that writes checkpoints; outside of `fit`, where there is no epoch to finish, the first signal ends at once.

    An exception that a signal raises is lost where Python lets none out (finalizers, and callbacks of its garbage
    collector, of which JAX has one). There it is kept silent and raised again at the end of the step.

    Args:
        file: where it says that it was told.
        agree: gives the largest of the numbers with which all processes that train together call it, so that all end
            after the same epoch.

    Attributes:
        asked: the number of the signal that came, or None.
    """

    SIGNALS = (signal.SIGINT, signal.SIGTERM)

    def __init__(self, file=None, agree=int):
        super().__init__()
        self.agree = agree
        self.file, self.asked, self.in_epoch, self.at_once = file or sys.stderr, None, False, False

    def __enter__(self):
        ours = threading.current_thread() is threading.main_thread()  # only it may set handlers
        self.before = {number: signal.signal(number, self._handle) for number in self.SIGNALS if ours}
        self.hook, sys.unraisablehook = sys.unraisablehook, self._unraisable
        return self

    def __exit__(self, *_):
        sys.unraisablehook = self.hook
        for number, handler in self.before.items():
            signal.signal(number, handler)

    def on_train_begin(self, logs=None):
        self.in_epoch = True

    def on_train_end(self, logs=None):
        self.in_epoch = False

    def on_train_batch_end(self, batch, logs=None):
        if self.at_once:
            raise KeyboardInterrupt

    def on_epoch_end(self, epoch, logs=None):
        asked = self.agree(self.asked or 0)
        self.asked = self.asked or asked or None
        self.model.stop_training = bool(self.agree(asked > 0 or self.model.stop_training))

    def _handle(self, number, frame):
        self.at_once = bool(self.asked) or not self.in_epoch
        self.asked = number
        if self.at_once:
            raise KeyboardInterrupt
        print("\nfinishing this epoch; press Ctrl-C again to stop immediately", file=self.file, flush=True)

    def _unraisable(self, lost):
        if not issubclass(lost.exc_type, KeyboardInterrupt):
            self.hook(lost)
