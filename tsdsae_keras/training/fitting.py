"""Fitting a model by the settings of a run: building, compiling, callbacks. Whatever the family, it goes this way."""

import time
from dataclasses import dataclass

import keras

from tsdsae_keras.training import callbacks
from tsdsae_keras.training.checkpoints import WriteCheckpoint, restore
from tsdsae_keras.training.devices.one import ONE_DEVICE
from tsdsae_keras.training.events import EventWriter
from tsdsae_keras.training.guards import StopOnBadSteps, WatchCollapse


@dataclass
class Fitting:
    """A compiled model with all that its training needs, new or as a checkpoint left it.

    Attributes:
        model: compiled.
        keep: `KeepBest`.
        history: `WriteHistory`.
        watch: a list of one `WatchCollapse`, or of none.
        first: the epoch to begin with.
    """

    model: keras.Model
    keep: callbacks.KeepBest
    history: callbacks.WriteHistory
    watch: list
    first: int = 0

    @property
    def stateful(self):
        """The callbacks whose work depends on earlier epochs, which a checkpoint keeps."""
        return self.keep, self.history, *self.watch


def build_model(settings, data):
    """A model for the data with the seed's initial weights, not compiled."""
    keras.utils.set_random_seed(settings.seed)
    return settings.card.part("build")(settings, data)


def compile_model(model, settings, steps):
    """Compiles with Adam, the schedule over `steps` steps and the largest norm of the settings."""
    rate = settings.learning_rate
    if settings.schedule == "cosine":
        rate = keras.optimizers.schedules.CosineDecay(rate, steps)
    options = {"amsgrad": settings.optimizer == "amsgrad", "global_clipnorm": settings.clip_norm}
    model.compile(optimizer=keras.optimizers.Adam(rate, epsilon=1e-8, name="adam", **options))


def start_or_restore(model, run, settings, data, checkpoint):
    """The `Fitting` of a compiled model in a run folder, from a checkpoint where there is one."""
    keep = callbacks.KeepBest(run.model, settings.patience, settings.stop_at_recon)
    fitting = Fitting(model, keep, callbacks.WriteHistory(run.history), _watch(settings, data))
    if checkpoint:
        restore(model, fitting.stateful, checkpoint)
        fitting.first = checkpoint.epoch + 1
    return fitting


def _watch(settings, data):
    watch = settings.card.part("watch") if settings.watch_every else None
    found = watch(data, settings) if watch else None
    return [WatchCollapse(found, settings.watch_every)] if found else []


def epoch_callbacks(fitting, settings, data, writer):
    """The callbacks of a run between the one that seeds an epoch and those that show and save its end."""
    more = settings.card.part("callbacks")
    pictures = settings.card.part("pictures") if settings.pictures_every else None
    show = pictures(data, settings) if pictures else None
    return [
        *(more(settings, data) if more else ()),
        StopOnBadSteps(settings.bad_steps, fitting.keep.keep_something),
        *fitting.watch,
        fitting.history,
        fitting.keep,
        callbacks.LogToTensorBoard(writer, show, settings.pictures_every),
    ]


def open_streams(settings, data):
    """The streams of training and validation batches."""
    batches = settings.card.part("batches")
    return batches(data, settings, "train"), batches(data, settings, "validation")


def event_writer(run, fitting):
    """The TensorBoard files of a run; what a lost epoch wrote is taken back."""
    return EventWriter(run.events, fitting.first)


def fit(fitting, run, settings, data, streams, writer, stop, progress=True, devices=ONE_DEVICE):
    """Trains what is left to train on the streams of `open_streams`; returns the seconds it took."""
    start = time.perf_counter()
    if fitting.first < settings.epochs and not fitting.keep.finished:
        train, validation = streams
        fitting.model.fit(
            devices.training_data(train),
            validation_data=devices.validation_data(validation),
            initial_epoch=fitting.first,
            epochs=settings.epochs,
            shuffle=False,  # the stream shuffles
            verbose=0,
            callbacks=[
                *devices.callbacks(),
                callbacks.SeedEpochs(settings.seed, train),
                *epoch_callbacks(fitting, settings, data, writer),
                *([callbacks.ShowProgress()] if progress else []),
                WriteCheckpoint(run.checkpoints, fitting.stateful),
                *([stop] if stop is not None else []),
            ],
        )
    return time.perf_counter() - start
