"""`tsdsae-keras train`: from notes, or prepared data, to a saved and measured model."""

import contextlib
import logging
import signal
import time
from datetime import datetime
from pathlib import Path

import keras
import numpy as np

from tsdsae_keras.base.loading import load_model, make_model
from tsdsae_keras.commands.prepare import open_data
from tsdsae_keras.data.prepared.pipeline import SequenceStream, check_fills_a_batch
from tsdsae_keras.data.prepared.store import PreparedData
from tsdsae_keras.errors import InputError, Stopped, TrainingDiverged
from tsdsae_keras.families.tsdsae.evaluation.evaluate import table
from tsdsae_keras.families.tsdsae.evaluation.scores import score
from tsdsae_keras.families.tsdsae.pictures import show_swaps, write_swap_picture
from tsdsae_keras.families.tsdsae.watch import remembering
from tsdsae_keras.files import write_json
from tsdsae_keras.training import callbacks
from tsdsae_keras.training.checkpoints import WriteCheckpoint, checkpoint_files, go_on, newest, number_of
from tsdsae_keras.training.events import EventWriter
from tsdsae_keras.training.fit import fit_epochs
from tsdsae_keras.training.guards import StopOnBadSteps
from tsdsae_keras.training.interrupt import StopOnSignal
from tsdsae_keras.training.run import RunFolder, resume_command, versions

log = logging.getLogger(__name__)

MODEL_OPTIONS = (
    *("z_dim", "v_dim", "local_encoder", "global_encoder", "decoder", "reduction"),
    *("swap_pairs", "initial_weights", "standardize", "precision"),
)

LARGE = 1 << 17  # frames in a batch; 128 sequences of 4 s have a quarter
FRAME = 20 << 10  # bytes that stage 2 was seen to take for each, with layers of 64


def train(settings):
    """Trains by the settings and returns the run folder.

    The model of the lowest validation recon + kl_z + kl_v in the last stage, or the one that reached `stop_at_recon`,
    is saved as `model.keras` and scored on the test split. A run that ends before is taken up by `resume`.
    Progress is logged (see `tsdsae_keras.process`).

    Raises:
        InputError: something cannot be used, or the disk is full.
        TrainingDiverged: losses or gradients were not finite any more.
        Stopped: on Ctrl-C or SIGTERM.
    """
    start = time.perf_counter()
    run = RunFolder(settings.out or new_name(settings))
    run.check_free()
    data = open_data(settings)
    check_splits(data, settings.batch_size)
    run.create(recorded(settings, data))
    _work(run, settings, data, {"prepare": time.perf_counter() - start})
    return run


def resume(run, settings):
    """Goes on with an unfinished run from its last whole checkpoint, to the same end as if it had not been broken.

    Args:
        run: `RunFolder` of the run.
        settings: those it was begun with.

    Raises:
        InputError: the data are not those the run was begun with, or as in `train`.
        Stopped: on Ctrl-C or SIGTERM.
    """
    if run.evaluation.is_file():
        log.info(f"{run.folder} is finished: its scores are in {run.evaluation}")
        return run
    start = time.perf_counter()
    data = data_of(run)
    _work(run, settings, data, {"prepare": time.perf_counter() - start})
    return run


def data_of(run):
    """The data that a run was begun with; InputError where they have changed since."""
    known = run.read_settings()
    data = PreparedData(known["settings"]["data_folder"])
    if data.identity != known["settings"]["data_identity"]:
        raise InputError(f"{data.folder} has changed since {run.folder} was begun; start a new run on it")
    if known["versions"] != versions():
        log.warning("note: Python or packages have other versions than when the run was begun, so its end may differ")
    return data


def _work(run, settings, data, seconds):
    """All of a run but its data, from its last whole checkpoint on."""
    if data.warning:
        log.warning(f"warning: {data.warning}")
    log.info(f"run: {run.folder} ({settings.model}, {keras.backend.backend()})")
    with run.held(), StopOnSignal() as stop, ending_well(run.folder, [run], stop):
        # Not before the run is held: looking for it clears away what a process at work has half written.
        checkpoint = newest(run.checkpoints)
        seconds |= _fit(run, settings, data, checkpoint, stop)
        if stop.asked:
            raise KeyboardInterrupt
        finish(run, settings, data, seconds)


def finish(run, settings, data, seconds):
    """Scores the best model of a trained run, writes what a finished run has and says it."""
    start = time.perf_counter()
    best = _best_model(run)
    result = score(best, data, settings.seed)
    write_swap_picture(best, data, run.picture)
    seconds = seconds | {"evaluate": time.perf_counter() - start}
    write_json(run.seconds, {name: np.round(value, 3).tolist() for name, value in seconds.items()})
    write_json(run.evaluation, result)
    _log_result(run, result, seconds)


@contextlib.contextmanager
def ending_well(folder, runs, stop):
    """Turns the ways in which a run, or several in a folder, can end early into one line each."""
    try:
        yield
    except KeyboardInterrupt:
        status = 128 + (stop.asked or signal.SIGINT)
        raise Stopped(f"stopped{_reached(runs)}; go on with: {resume_command(folder)}", status) from None
    except OSError as error:
        reason = f"{error.strerror or error} ({error.filename or folder})"
        how = f"mend it and go on with: {resume_command(folder)}"
        raise InputError(f"{reason}: stopped{_reached(runs)}; {how}") from error


def _reached(runs):
    """The last epoch that all runs have saved."""
    files = [checkpoint_files(run.checkpoints) for run in runs]
    saved = min(number_of(found[-1]) + 1 if found else 0 for found in files)
    return f" with epoch {saved} saved" if saved else " before the first epoch was saved"


def _fit(run, settings, data, checkpoint, stop):
    """Trains what is left to train; returns the seconds of all, and of each epoch."""
    start = time.perf_counter()
    stream = SequenceStream(data.sequences("train"), settings.batch_size, seed=settings.seed, training=True)
    validation = SequenceStream(data.sequences("validation"), settings.batch_size)
    _log_lengths(data.lengths("train"), stream)
    model, kept = begun(run, settings, data, stream.batches, checkpoint)
    keep, history, *_ = kept
    first = 0
    if checkpoint:
        first = checkpoint.epoch + 1
        log.info(f"going on after epoch {first} of {settings.epochs}, in stage {model.stage}")
    if first < settings.epochs and not keep.finished:
        work = work_of_epochs(settings, data, kept, EventWriter(run.events, first))
        work += [callbacks.ShowProgress(), WriteCheckpoint(run.checkpoints, kept), stop]
        fit_epochs(model, stream, validation, settings, first, work)
    return {"train": time.perf_counter() - start, "epochs": history.seconds}


def begun(run, settings, data, batches, checkpoint):
    """The compiled model of a run and its callbacks that remember, new or as a checkpoint left them.

    Args:
        batches: of an epoch.
        checkpoint: or None.
    """
    model = new_model(settings, data)
    compile_model(model, settings, steps=settings.epochs * batches)
    kept = remembering(run, settings, data)
    if checkpoint:
        go_on(model, kept, checkpoint)
    return model, kept


def work_of_epochs(settings, data, kept, writer):
    """The callbacks of a run between that which seeds an epoch and those that show and keep what it left.

    Args:
        kept: of `remembering`.
        writer: `EventWriter`.
    """
    keep, history, *watch = kept
    pictures = show_swaps(data) if settings.pictures_every else None
    return [
        callbacks.EnterStageTwo(settings.stage_two_at),
        StopOnBadSteps(settings.bad_steps, keep.keep_something),
        *watch,
        history,
        keep,
        callbacks.LogToTensorBoard(writer, pictures, settings.pictures_every),
    ]


def check_splits(data, batch_size):
    """InputError where prepared data lack a split, or have too few training sequences for a batch."""
    missing = [split for split in ("train", "validation", "test") if split not in data.counts]
    if missing:
        raise InputError(f"{data.folder} has no split {missing[0]!r}: prepare the data again, with all three")
    check_fills_a_batch(data.counts["train"], batch_size)


def _log_lengths(lengths, stream):
    """How sequences of unequal length are put in batches."""
    if lengths is None:
        return
    frames, rest = ", ".join(map(str, stream.frames)), ""
    if stream.left_out:
        rest = f"; {stream.left_out} that fill no batch are left out of each epoch, drawn anew"
    shown = f"{len(lengths)} training sequences of {lengths.min()} to {lengths.max()} frames"
    log.info(f"{shown}, in batches of {stream.batch_size} padded to {frames} frames{rest}")
    largest = stream.batch_size * stream.frames[-1]
    if largest > LARGE:
        need = largest * FRAME / 2**30
        log.warning(
            f"note: the largest batch has {largest} frames and takes about {need:.0f} GiB: lower --batch-size for less"
        )


def _best_model(run):
    if not run.model.is_file():
        raise TrainingDiverged(
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
        model.adapt(data.sequences("train").chunks())
    return model


def compile_model(model, settings, steps):
    """Compiles with Adam, the schedule and the largest norm of the settings."""
    rate = settings.learning_rate
    if settings.schedule == "cosine":
        rate = keras.optimizers.schedules.CosineDecay(rate, steps)
    how = {"amsgrad": settings.optimizer == "amsgrad", "global_clipnorm": settings.clip_norm}
    model.compile(optimizer=keras.optimizers.Adam(rate, epsilon=1e-8, name="adam", **how))


def recorded(settings, data):
    return settings.to_dict() | {"data_folder": str(data.folder.resolve()), "data_identity": data.identity}


def new_name(settings):
    stamp = datetime.now().strftime("%Y%m%d-%H%M%S")
    return Path("runs") / f"{settings.model}-z{settings.z_dim}-{settings.backend}-{stamp}"


def _log_result(run, result, seconds):
    spent = ", ".join(f"{name} {seconds[name]:.0f} s" for name in ("prepare", "train", "evaluate"))
    log.info(f"\n{table(result)}\n\nseconds: {spent}")
    for path in (run.model, run.evaluation, run.picture, run.history):
        log.info(f"  {path}")
    log.info(f"  {run.events} (tensorboard --logdir {run.events})")
