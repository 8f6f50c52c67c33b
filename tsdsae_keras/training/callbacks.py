"""Callbacks: the stage switch, seeds by epoch, the best model, history and progress.

They speak to a model's public methods and to the logs; nothing here knows a term by heart but the three of every model.
"""

import csv
import io
import math
import sys
import time

import keras

from tsdsae_keras.errors import InputError
from tsdsae_keras.files import replacing, write_text

ELBO_TERMS = ("recon", "kl_z", "kl_v")


class EnterStageTwo(keras.callbacks.Callback):
    """At the start of epoch C thaws the local parts and informs the prior, by the model's `enter_stage(2)`.

    A model that is in stage 2 already, or has none, is left as it is.

    Args:
        at: C, the epochs of stage 1, at least 0.
    """

    def __init__(self, at):
        super().__init__()
        if not isinstance(at, int) or at < 0:
            raise InputError(f"EnterStageTwo got at={at!r}; it must be a whole number of at least 0")
        self.at = at

    def on_epoch_begin(self, epoch, logs=None):
        if epoch >= self.at and self.model.stages > self.model.stage:
            self.model.enter_stage(2)


class SeedEpochs(keras.callbacks.Callback):
    """Sets the draws of the model and the order of the data from (seed, epoch), so that a resumed run can be exact.

    Args:
        seed: of the run.
        stream: something with `set_epoch`, or None.
    """

    def __init__(self, seed, stream=None):
        super().__init__()
        self.seed, self.stream = seed, stream

    def on_epoch_begin(self, epoch, logs=None):
        self.model.sampling.reseed(self.seed, epoch)
        if self.stream is not None:
            self.stream.set_epoch(epoch)


class KeepBest(keras.callbacks.Callback):
    """Saves the model of the lowest validation recon + kl_z + kl_v, in the last stage only, and stops in time.

    The losses of two stages cannot be compared, so nothing is kept or counted before the last stage. At the end of
    training the model has the weights of the best epoch.

    Args:
        path: of the `.keras` file; replaced in one move.
        patience: epochs without a better value after which training stops; None never stops it.
    """

    def __init__(self, path, patience=None):
        super().__init__()
        self.path, self.patience = path, patience
        self.best, self.best_epoch = math.inf, None

    def on_epoch_end(self, epoch, logs=None):
        if self.model.stage < self.model.stages:
            return
        value = validation_elbo(logs)
        if value < self.best:
            self.best, self.best_epoch = value, epoch
            with replacing(self.path) as beside:
                self.model.save(beside)
        elif self.patience is not None and self.best_epoch is not None and epoch - self.best_epoch >= self.patience:
            self.model.stop_training = True

    def on_train_end(self, logs=None):
        if self.best_epoch is not None:
            self.model.load_weights(self.path)


def validation_elbo(logs):
    """Validation recon + kl_z + kl_v from the logs of an epoch; infinite where it is not a number."""
    names = [f"val_{name}" for name in ELBO_TERMS if f"val_{name}" in logs]
    if not names:
        raise InputError("KeepBest needs validation data; give fit(..., validation_data=...)")
    value = sum(float(logs[name]) for name in names)
    return value if math.isfinite(value) else math.inf


class WriteHistory(keras.callbacks.Callback):
    """Writes a row an epoch to a CSV file: epoch, stage, seconds and all logs; terms absent from a stage stay empty.

    Args:
        path: of the file; replaced whole at every epoch.
    """

    def __init__(self, path):
        super().__init__()
        self.path, self.rows = path, []

    def on_epoch_begin(self, epoch, logs=None):
        self.start = time.perf_counter()

    def on_epoch_end(self, epoch, logs=None):
        seconds = round(time.perf_counter() - self.start, 3)
        row = {"epoch": epoch, "stage": self.model.stage, "seconds": seconds}
        self.rows.append(row | {name: float(value) for name, value in logs.items()})
        write_text(self.path, self._text())

    def _text(self):
        text, columns = io.StringIO(), list(dict.fromkeys(name for row in self.rows for name in row))
        writer = csv.DictWriter(text, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(self.rows)
        return text.getvalue()


class LogToTensorBoard(keras.callbacks.Callback):
    """Scalars of every log and, every few epochs, pictures and sounds.

    Args:
        writer: something with `scalars(values, step)` and `close()`.
        show: called with (model, writer, epoch) every `every` epochs and after the last, or None.
        every: epochs.
    """

    def __init__(self, writer, show=None, every=10):
        super().__init__()
        self.writer, self.show, self.every = writer, show, every

    def on_epoch_end(self, epoch, logs=None):
        train = {name: float(value) for name, value in logs.items() if not name.startswith("val_")}
        validation = {name[4:]: float(value) for name, value in logs.items() if name.startswith("val_")}
        self.writer.scalars({f"train/{name}": value for name, value in train.items()}, epoch)
        self.writer.scalars({f"validation/{name}": value for name, value in validation.items()}, epoch)
        self.writer.scalars({"stage": self.model.stage}, epoch)
        if self.show is not None and (epoch + 1) % self.every == 0:
            self.show(self.model, self.writer, epoch)

    def on_train_end(self, logs=None):
        self.writer.close()


class ShowProgress(keras.callbacks.Callback):
    """A line an epoch: bar, stage, the terms in training, validation reconstruction, seconds.

    Args:
        file: where to; on a terminal the line of the running epoch is drawn anew as steps pass.
    """

    def __init__(self, file=None):
        super().__init__()
        self.file = file or sys.stdout

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch, self.start, self.drawn = epoch, time.perf_counter(), 0.0

    def on_train_batch_end(self, batch, logs=None):
        now = time.perf_counter()
        if self.file.isatty() and now - self.drawn > 0.2:
            self.drawn = now
            self._draw((batch + 1) / (self.params.get("steps") or math.inf), logs, "\r")

    def on_epoch_end(self, epoch, logs=None):
        self._draw(1.0, logs, "\r" if self.file.isatty() else "")
        print(file=self.file, flush=True)

    def _draw(self, part, logs, start):
        epochs = self.params.get("epochs", 0)
        bar = ("=" * round(12 * min(part, 1.0))).ljust(12, ".")
        names = ["loss", *self.model.active_terms()]
        terms = " ".join(f"{name} {float(logs[name]):.4f}" for name in names if name in logs)
        tail = f" | val recon {float(logs['val_recon']):.4f}" if "val_recon" in logs else ""
        seconds = time.perf_counter() - self.start
        head = f"epoch {self.epoch + 1:>{len(str(epochs))}}/{epochs} [{bar}] stage {self.model.stage}"
        end = "\033[K" if start else ""
        print(f"{start}{head}  {terms}{tail}  {seconds:.1f} s{end}", end="", file=self.file, flush=True)
