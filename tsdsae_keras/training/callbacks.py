"""Callbacks: the stage switch, seeds by epoch, the best model, history and progress.

They speak to a model's public methods and to the logs; none of them knows what is trained. One whose work depends on
earlier epochs has `state()`, a dict of JSON values and bytes, and `restore(state)`.
"""

import csv
import io
import math
import sys
import time

import keras

from tsdsae_keras.errors import InputError
from tsdsae_keras.files import replacing, write_bytes, write_text
from tsdsae_keras.training.reproducible_zip import without_dates

WATCH = "watch_"  # begins the names of what `WatchCollapse` adds to the logs


class EnterStageTwo(keras.callbacks.Callback):
    """At the start of epoch C takes a `StagedModel` to its second stage.

    A model that is in stage 2 already, or has only one, is left as it is.

    Args:
        at: C, the epochs of stage 1, at least 0.
    """

    def __init__(self, at):
        super().__init__()
        if not isinstance(at, int) or at < 0:
            raise InputError(f"EnterStageTwo got at={at!r}; it must be a whole number of at least 0")
        self.at = at

    def on_epoch_begin(self, epoch, logs=None):
        if epoch >= self.at and self.model.stage < self.model.stages:
            self.model.enter_stage(2)


class SeedEpochs(keras.callbacks.Callback):
    """Sets the draws of the model and the order of a stream from (seed, epoch), so that a resumed run can be exact."""

    def __init__(self, seed, stream=None):
        super().__init__()
        self.seed, self.stream = seed, stream

    def on_epoch_begin(self, epoch, logs=None):
        self.model.reseed(self.seed, epoch)
        if self.stream is not None:
            self.stream.set_epoch(epoch)


class KeepBest(keras.callbacks.Callback):
    """Saves the model whose `selection_terms` have the lowest sum on validation data, and stops in time.

    Epochs in which the model is not `is_selectable` (all but the last stage) are neither kept nor counted. At the end
    of training the model has the weights of the best epoch. Equal models give equal files.

    Where a reconstruction is named to stop at, the epoch that reaches it ends training and is kept, be it the best or
    not: so models are compared at equal reconstruction.

    Args:
        path: of the `.keras` file; replaced in one move.
        patience: epochs without a better value after which training stops; None never stops it.
        stop_at_recon: validation reconstruction that is enough, above 0; None never stops it.
    """

    def __init__(self, path, patience=None, stop_at_recon=None):
        super().__init__()
        self.path, self.patience, self.stop_at_recon = path, patience, stop_at_recon
        self.best, self.best_epoch, self.file, self.finished = math.inf, None, None, False

    def on_epoch_end(self, epoch, logs=None):
        if not self.model.is_selectable():
            return
        value = selection_value(self.model.selection_terms, logs)
        reached = math.isfinite(value) and reaches(logs.get("val_recon", math.inf), self.stop_at_recon)
        if value < self.best or reached:
            self.best, self.best_epoch = value, epoch
            self.save()
        elif self.patience is not None and self.best_epoch is not None and epoch - self.best_epoch >= self.patience:
            self.finished = self.model.stop_training = True
        if reached:
            self.finished = self.model.stop_training = True

    def on_train_end(self, logs=None):
        if self.best_epoch is not None:
            self.model.load_weights(self.path)

    def save(self):
        """Writes the model as it is."""
        with replacing(self.path) as temporary:
            self.model.save(temporary)
            self.file = without_dates(temporary.read_bytes())
            temporary.write_bytes(self.file)

    def keep_something(self):
        """Saves the model as it is where no epoch was kept yet; the path of the file."""
        if self.best_epoch is None:
            self.save()
        return self.path

    def state(self):
        """The best value, its epoch, whether training is over before its last epoch, and the bytes of the best file."""
        return {"best": self.best, "best_epoch": self.best_epoch, "finished": self.finished, "file": self.file}

    def restore(self, state):
        """Takes a state and writes the best model's file again: the one on disk may be of an epoch that was lost."""
        self.best, self.best_epoch = state["best"], state["best_epoch"]
        self.finished, self.file = state["finished"], state["file"]
        if self.file is not None:
            write_bytes(self.path, self.file)


def reaches(recon, stop_at_recon):
    """Whether a validation reconstruction is as low as the one to stop at; never where none is named."""
    return stop_at_recon is not None and float(recon) <= stop_at_recon


def selection_value(terms, logs):
    """The sum of some terms on validation data, from the logs of an epoch; infinite where it is not a number."""
    names = [f"val_{name}" for name in terms if f"val_{name}" in logs]
    if not names:
        raise InputError("KeepBest needs validation data; give fit(..., validation_data=...)")
    value = sum(float(logs[name]) for name in names)
    return value if math.isfinite(value) else math.inf


class WriteHistory(keras.callbacks.Callback):
    """Writes a row an epoch to a CSV file: epoch, stage if any, and all logs; terms absent from a stage stay empty.

    Equal runs give equal files, so the seconds of each epoch are kept apart from the rows, in `seconds`.
    """

    def __init__(self, path):
        super().__init__()
        self.path, self.rows, self.seconds = path, [], []

    def on_epoch_begin(self, epoch, logs=None):
        self.start = time.perf_counter()

    def on_epoch_end(self, epoch, logs=None):
        self.seconds.append(round(time.perf_counter() - self.start, 3))
        row = {"epoch": epoch} | self.model.phase()
        self.rows.append(row | {name: float(value) for name, value in logs.items()})
        write_text(self.path, self._text())

    def state(self):
        """The rows so far."""
        return {"rows": self.rows, "seconds": self.seconds}

    def restore(self, state):
        """Takes the rows of a state and writes the file again."""
        self.rows, self.seconds = state["rows"], state["seconds"]
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

    def on_epoch_begin(self, epoch, logs=None):
        self.start = time.perf_counter()

    def on_epoch_end(self, epoch, logs=None):
        self.writer.scalars({_chart_of(name): float(value) for name, value in logs.items()}, epoch)
        self.writer.scalars(self.model.phase() | {"seconds": time.perf_counter() - self.start}, epoch)
        if self.show is not None and (epoch + 1) % self.every == 0:
            self.show(self.model, self.writer, epoch)

    def on_train_end(self, logs=None):
        self.writer.close()


def _chart_of(name):
    """The chart of a log: "val_recon" -> "validation/recon", "watch_use" -> "watch/use", others under "train/"."""
    for start, group in (("val_", "validation"), (WATCH, "watch")):
        if name.startswith(start):
            return f"{group}/{name.removeprefix(start)}"
    return f"train/{name}"


def phase_text(model):
    """Where a model is in its training, such as " stage 1"; empty for one without stages."""
    return "".join(f" {name} {value}" for name, value in model.phase().items())


class ShowProgress(keras.callbacks.Callback):
    """A line an epoch: bar, stage, the terms in training, validation reconstruction, what was watched, seconds.

    Args:
        file: where to; on a terminal the line of the running epoch is redrawn as steps pass.
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
        names = ["loss", *self.model.active_terms(), *self.model.monitors]
        terms = " ".join(f"{name} {float(logs[name]):.4f}" for name in names if name in logs)
        seconds = time.perf_counter() - self.start
        head = f"epoch {self.epoch + 1:>{len(str(epochs))}}/{epochs} [{bar}]{phase_text(self.model)}"
        end = "\033[K" if start else ""
        print(
            f"{start}{head}  {terms}{_tail(logs, self.model.selection_terms[0])}  {seconds:.1f} s{end}",
            end="",
            file=self.file,
            flush=True,
        )


def _tail(logs, term):
    """What only some epochs have: validation, skipped steps, what was watched."""
    tail = f" | val {term} {float(logs[f'val_{term}']):.4f}" if f"val_{term}" in logs else ""
    watched = {name: logs[name] for name in logs if name.startswith(WATCH)}
    tail += "".join(f" {name.removeprefix(WATCH)} {float(value):.4g}" for name, value in watched.items())
    skipped = int(logs.get("skipped_steps", 0))
    return tail + (f" | {skipped} steps skipped" if skipped else "")
