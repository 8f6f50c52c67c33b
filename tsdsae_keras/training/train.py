"""`tsdsae-keras train`: from data to a saved and measured model, whatever the family."""

import contextlib
import logging
import signal
import time

import keras
import numpy as np

from tsdsae_keras.base.loading import load_model
from tsdsae_keras.data.sets import open_data
from tsdsae_keras.errors import InputError, Stopped, TrainingDiverged
from tsdsae_keras.files import write_json
from tsdsae_keras.training import fitting
from tsdsae_keras.training.callbacks import phase_text
from tsdsae_keras.training.checkpoints import checkpoint_files, newest, number_of
from tsdsae_keras.training.devices.one import ONE_DEVICE
from tsdsae_keras.training.interrupt import StopOnSignal
from tsdsae_keras.training.run import RunFolder, new_name, recorded_settings, resume_command, versions

log = logging.getLogger(__name__)


def train(settings, devices=ONE_DEVICE):
    """Trains by the settings and returns the run folder.

    The model with the lowest validation sum of its `selection_terms`, or the one that reached `stop_at_recon`, is saved
    as `model.keras` and scored on test data. A run that ends early is continued by `resume`. Progress is logged (see
    `tsdsae_keras.process`).

    Args:
        settings: `Settings`.
        devices: what it trains on, see `training.devices.opening.open_devices`.

    Raises:
        InputError: something cannot be used, or the disk is full.
        TrainingDiverged: step after step had no finite loss.
        Stopped: on Ctrl-C or SIGTERM.
    """
    start = time.perf_counter()
    run = RunFolder(settings.out or new_name(settings))
    with devices.leader_first():
        if devices.leads:
            run.check_free()
        data = open_data(settings)
        streams = fitting.open_streams(settings, data)
        devices.check(settings, streams)
        if devices.leads:
            run.create(record_of(settings, data))
    _work(run, settings, data, streams, {"prepare": time.perf_counter() - start}, devices)
    return run


def resume(run, settings, devices=ONE_DEVICE):
    """Continues an unfinished run from its last whole checkpoint, to the same end as if it had not been interrupted.

    On another number of devices than before the end is the same up to rounding.

    Raises:
        InputError: the data are not those the run was started with, or as in `train`.
        Stopped: on Ctrl-C or SIGTERM.
    """
    if run.evaluation.is_file():
        log.info(f"{run.folder} is finished: its scores are in {run.evaluation}")
        return run
    start = time.perf_counter()
    with devices.leader_first():
        data = reopen_data(run)
        streams = fitting.open_streams(settings, data)
        devices.check(settings, streams)
    _work(run, settings, data, streams, {"prepare": time.perf_counter() - start}, devices)
    return run


def reopen_data(run):
    """The data that a run was started with; InputError where they have changed since."""
    known, settings = run.read_settings(), recorded_settings(run)
    data = open_data(settings)
    if data.identity != known["settings"]["data_identity"]:
        raise InputError(f"{settings.data} has changed since {run.folder} was started; start a new run on it")
    if known["versions"] != versions():
        log.warning("note: Python or packages have other versions than when the run was started, so its end may differ")
    return data


def _work(run, settings, data, streams, seconds, devices):
    """All of a run but its data, from its last whole checkpoint on."""
    if data.warning:
        log.warning(f"warning: {data.warning}")
    shared = f" on {devices.count} devices" if devices.count > 1 else ""
    log.info(f"run: {run.folder} ({settings.model}, {keras.backend.backend()}{shared})")
    hold = run.held() if devices.leads else contextlib.nullcontext()
    with hold, StopOnSignal(agree=devices.agree) as stop, graceful_exit(run.folder, [run], stop, devices.options):
        with devices.leader_first():
            # Not before the run is held: looking for it clears away what a process at work has half written.
            checkpoint = newest(run.checkpoints)
        with devices.own_folder(run) as own:
            state = _train(own, settings, data, streams, checkpoint, stop, devices, seconds)
        if stop.asked:
            raise KeyboardInterrupt
        devices.close()
        if devices.leads:
            finish(run, settings, data, seconds | {"epochs": state.history.seconds})


def _train(run, settings, data, streams, checkpoint, stop, devices, seconds):
    """Trains what is left; adds the seconds to `seconds` and returns the `Fitting`."""
    with devices.scope():
        model = fitting.build_model(settings, data)
        fitting.compile_model(model, settings, settings.epochs * streams[0].batches)
        state = fitting.start_or_restore(model, run, settings, data, checkpoint)
        if checkpoint:
            log.info(f"resuming after epoch {state.first} of {settings.epochs}{phase_text(model)}")
        writer = fitting.event_writer(run, state)
        seconds["train"] = fitting.fit(state, run, settings, data, streams, writer, stop, devices.leads, devices)
    return state


def finish(run, settings, data, seconds):
    """Scores the best model of a trained run, writes what a finished run has and logs it."""
    start, card = time.perf_counter(), settings.card
    best = _best_model(run)
    result = card.part("evaluate")(best, data, settings.seed)
    if card.finish:
        card.part("finish")(best, data, run.picture)
    seconds = seconds | {"evaluate": time.perf_counter() - start}
    write_json(run.seconds, {name: np.round(value, 3).tolist() for name, value in seconds.items()})
    write_json(run.evaluation, result)
    spent = ", ".join(f"{name} {seconds[name]:.0f} s" for name in ("prepare", "train", "evaluate"))
    log.info(f"\n{card.part('table')(result)}\n\nseconds: {spent}")
    for path in (run.model, run.evaluation, *([run.picture] if card.finish else []), run.history):
        log.info(f"  {path}")
    log.info(f"  {run.events} (tensorboard --logdir {run.events})")


@contextlib.contextmanager
def graceful_exit(folder, runs, stop, options=""):
    """Turns the ways in which a run, or several in a folder, can end early into one line each.

    `options`: with which it is to be resumed.
    """
    again = resume_command(folder, options)
    try:
        yield
    except KeyboardInterrupt:
        status = 128 + (stop.asked or signal.SIGINT)
        raise Stopped(f"stopped{_tell_progress(runs)}; resume with: {again}", status) from None
    except OSError as error:
        reason = f"{error.strerror or error} ({error.filename or folder})"
        how = f"fix this, then resume with: {again}"
        raise InputError(f"{reason}: stopped{_tell_progress(runs)}; {how}") from error


def _tell_progress(runs):
    """The last epoch that all runs have saved."""
    files = [checkpoint_files(run.checkpoints) for run in runs]
    saved = min(number_of(paths[-1]) + 1 if paths else 0 for paths in files)
    return f" with epoch {saved} saved" if saved else " before the first epoch was saved"


def _best_model(run):
    if not run.model.is_file():
        raise TrainingDiverged(
            f"no epoch of the last stage had a finite validation loss, so nothing was saved; see {run.history}, "
            "and lower --learning-rate"
        )
    return load_model(run.model)


def record_of(settings, data):
    """What a run folder keeps: the settings, and where the data are and what they are."""
    folder = "" if data.folder is None else str(data.folder.resolve())
    return settings.to_dict() | {"data_folder": folder, "data_identity": data.identity}
