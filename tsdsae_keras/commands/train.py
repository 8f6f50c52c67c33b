"""`tsdsae-keras train`: from notes, or prepared data, to a saved and measured model."""

import time
from datetime import datetime
from pathlib import Path

import keras

from tsdsae_keras.commands.evaluate import score
from tsdsae_keras.commands.pictures import show_swaps, write_swap_picture
from tsdsae_keras.commands.prepare import open_data
from tsdsae_keras.data.pipeline import SequenceStream
from tsdsae_keras.errors import InputError
from tsdsae_keras.evaluation.evaluate import table
from tsdsae_keras.files import write_json
from tsdsae_keras.models.loading import load_model, make_model
from tsdsae_keras.training import callbacks
from tsdsae_keras.training.events import EventWriter
from tsdsae_keras.training.run import RunFolder

MODEL_OPTIONS = (
    *("z_dim", "v_dim", "local_encoder", "global_encoder", "decoder", "reduction"),
    *("initial_weights", "standardize"),
)


def train(settings, say=print):
    """Trains by the settings and returns the run folder.

    The model of the lowest validation recon + kl_z + kl_v in the last stage is saved as `model.keras` and scored on
    the test split.
    """
    start = time.perf_counter()
    run = RunFolder(settings.out or _new_name(settings))
    run.check_free()
    data = open_data(settings, say)
    prepared = time.perf_counter()
    stream = SequenceStream(data.features("train"), settings.batch_size, seed=settings.seed, training=True)
    run.create(_recorded(settings, data))
    say(f"run: {run.folder} ({settings.model}, {keras.backend.backend()})")
    model = new_model(settings, data)
    compile_model(model, settings, steps=settings.epochs * stream.batches)
    validation = SequenceStream(data.features("validation"), settings.batch_size)
    model.fit(
        stream.dataset,
        validation_data=validation.dataset,
        epochs=settings.epochs,
        shuffle=False,  # the stream shuffles
        verbose=0,
        callbacks=_callbacks(settings, run, stream, data),
    )
    trained = time.perf_counter()
    best = _best_model(run)
    result = score(best, data, settings.seed)
    write_swap_picture(best, data, run.picture)
    seconds = {"prepare": prepared - start, "train": trained - prepared, "evaluate": time.perf_counter() - trained}
    result["seconds"] = {name: round(value, 1) for name, value in seconds.items()}
    write_json(run.evaluation, result)
    _say_result(run, result, say)
    return run


def _best_model(run):
    if not run.model.is_file():
        raise InputError(
            f"no epoch of the last stage had a finite validation loss, so nothing was saved; see {run.history}, "
            "and lower --learning-rate"
        )
    return load_model(run.model)


def new_model(settings, data):
    """A model for the data, standardised by its training split, with the seed's initial weights."""
    keras.utils.set_random_seed(settings.seed)
    config = {name: getattr(settings, name) for name in MODEL_OPTIONS}
    model = make_model(
        settings.model,
        swap_weights=settings.swap_weights,
        features=data.bands,
        front_end=data.front_end,
        seed=settings.seed,
        **config,
    )
    if settings.standardize:
        model.adapt(data.features("train"))
    return model


def compile_model(model, settings, steps):
    """Compiles with Adam and the schedule of the settings."""
    rate = settings.learning_rate
    if settings.schedule == "cosine":
        rate = keras.optimizers.schedules.CosineDecay(rate, steps)
    amsgrad = settings.optimizer == "amsgrad"
    model.compile(optimizer=keras.optimizers.Adam(rate, epsilon=1e-8, amsgrad=amsgrad, name="adam"))


def _callbacks(settings, run, stream, data):
    show = show_swaps(data) if settings.pictures_every else None
    return [
        callbacks.SeedEpochs(settings.seed, stream),
        callbacks.EnterStageTwo(settings.stage_two_at),
        callbacks.WriteHistory(run.history),
        callbacks.KeepBest(run.model, settings.patience),
        callbacks.LogToTensorBoard(EventWriter(run.events), show, settings.pictures_every),
        callbacks.ShowProgress(),
    ]


def _recorded(settings, data):
    return settings.to_dict() | {"data_folder": str(data.folder.resolve()), "data_identity": data.identity}


def _new_name(settings):
    stamp = datetime.now().strftime("%Y%m%d-%H%M%S")
    return Path("runs") / f"{settings.model}-z{settings.z_dim}-{settings.backend}-{stamp}"


def _say_result(run, result, say):
    seconds = ", ".join(f"{name} {value:.0f} s" for name, value in result["seconds"].items())
    say(f"\n{table(result)}\n\nseconds: {seconds}")
    for path in (run.model, run.evaluation, run.picture, run.history):
        say(f"  {path}")
    say(f"  {run.events} (tensorboard --logdir {run.events})")
