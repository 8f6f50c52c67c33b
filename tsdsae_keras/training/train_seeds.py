"""`train --seeds`: several runs that differ in the seed alone, trained by one program."""

import contextlib
import logging
import time
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np

from tsdsae_keras.data.sets import open_data
from tsdsae_keras.errors import InputError, TrainingDiverged
from tsdsae_keras.settings import Settings, settings_from_dict
from tsdsae_keras.training import fitting
from tsdsae_keras.training.callbacks import SeedEpochs, phase_text
from tsdsae_keras.training.checkpoints import WriteCheckpoint, newest, read
from tsdsae_keras.training.interrupt import StopOnSignal
from tsdsae_keras.training.run import RunFolder, new_name
from tsdsae_keras.training.train import finish, graceful_exit, record_of, reopen_data

log = logging.getLogger(__name__)


@dataclass(eq=False)
class SeedRun:
    """One of the runs: its folder, its settings, the checkpoint it resumes from, if any, and its `WriteHistory`."""

    folder: RunFolder
    settings: Settings
    checkpoint: object = None
    history: object = None

    @property
    def epoch(self):
        """The last one that was kept, counted from 0; -1 for none."""
        return -1 if self.checkpoint is None else self.checkpoint.epoch

    @property
    def trained(self):
        """Whether it stopped before its last epoch, as its callbacks wanted, and trains no more."""
        return self.checkpoint is not None and self.checkpoint.states["KeepBest"]["finished"]


def train_seeds(settings, seeds):
    """Trains a model for each seed, all at once, in run folders `seed-N` of the folder that the settings name.

    Each is the run that `train` makes of its seed, up to rounding. Where they end before their time, `resume_seeds`
    takes them up together, and `resume` each alone. Progress is logged (see `tsdsae_keras.process`).

    Raises:
        InputError: the backend is not JAX, seeds or data that cannot be used, or the disk is full.
        TrainingDiverged: of some seeds; the others are trained and scored.
        Stopped: on Ctrl-C or SIGTERM.
    """
    _check(seeds)
    start, out = time.perf_counter(), Path(settings.out or new_name(settings))
    each = [settings.replace(seed=seed, out=str(out / f"seed-{seed}")) for seed in seeds]
    runs = [SeedRun(RunFolder(one.out), one) for one in each]
    for run in runs:
        run.folder.check_free()
    data = open_data(settings)
    if settings.card.arrays is None:
        raise InputError(f"--seeds cannot train {settings.model}; start a run for each seed")
    settings.card.part("arrays")(data, "train")  # refuses what cannot be trained so, before folders are made
    stream = fitting.open_streams(settings, data)[0]
    for run in runs:
        run.folder.create(record_of(run.settings, data))
    _work(out, runs, data, stream, {"prepare": time.perf_counter() - start})


def resume_seeds(folder, runs):
    """Resumes the unfinished `RunFolder`s that `train_seeds` made in a folder, from the last epoch that all have.

    Raises:
        InputError: the data are not those they were started with, or as in `train_seeds`.
        Stopped: on Ctrl-C or SIGTERM.
    """
    start = time.perf_counter()
    unfinished = [run for run in runs if not run.evaluation.is_file()]
    if not unfinished:
        log.info(f"all runs in {folder} are finished")
        return
    runs = [SeedRun(run, settings_from_dict(run.read_settings()["settings"])) for run in unfinished]
    _check([run.settings.seed for run in runs])
    if len({run.settings.replace(seed=0, out=None) for run in runs}) > 1:
        raise InputError(f"the runs in {folder} differ in more than the seed; resume each alone")
    data = reopen_data(unfinished[0])
    stream = fitting.open_streams(runs[0].settings, data)[0]
    _work(Path(folder), runs, data, stream, {"prepare": time.perf_counter() - start})


def _check(seeds):
    if keras.backend.backend() != "jax":
        raise InputError("--seeds trains several models in one program, which only JAX can; add --backend jax")
    twice = [seed for number, seed in enumerate(seeds) if seed in seeds[:number]]
    if twice:
        raise InputError(f"--seeds names {twice[0]} twice; each run needs a seed of its own")


def _work(out, runs, data, stream, seconds):
    """All but the data, from the last epoch that all runs have."""
    log.info(f"runs: {out}/seed-... ({len(runs)} seeds in one program, {keras.backend.backend()})")
    with contextlib.ExitStack() as held, StopOnSignal() as stop, graceful_exit(out, [run.folder for run in runs], stop):
        for run in runs:
            held.enter_context(run.folder.held())
        runs = _together(runs)
        start = time.perf_counter()
        errors = _fit(runs, data, stream, stop)
        seconds["train"] = time.perf_counter() - start
        if stop.asked:
            raise KeyboardInterrupt
        for run, error in zip(runs, errors, strict=True):
            if error is None:
                finish(run.folder, run.settings, data, seconds | {"epochs": run.history.seconds})
    failed = [f"{run.folder.folder}: {error}" for run, error in zip(runs, errors, strict=True) if error is not None]
    if failed:
        raise TrainingDiverged("; ".join(failed))


def _together(runs):
    """The runs that resume together, each with its checkpoint: where they train, all with that of the same epoch.

    An epoch is kept by all before the next begins, and each keeps the last two. So one that is further behind has left
    the others in training, with an error, and is left out.
    """
    for run in runs:
        run.checkpoint = newest(run.folder.checkpoints)
    training = [run for run in runs if not run.trained]
    most = max((run.epoch for run in training), default=-1)
    behind = [run for run in training if run.epoch < most - 1]
    for run in behind:
        log.warning(
            f"note: {run.folder.folder} ended before the others and is left out; alone: {run.folder.resume_command}"
        )
    last = min((run.epoch for run in training if run not in behind), default=-1)
    for run in training:
        if run.epoch > last:
            run.checkpoint = None if last < 0 else read(run.folder.checkpoints / f"epoch-{last:06d}.ckpt")
    return [run for run in runs if run not in behind]


def _fit(runs, data, stream, stop):
    """Trains what is left to train; returns of each run the error that ended it, or None."""
    from tsdsae_keras.training.vmap_seeds import SeedTrainer  # here: JAX may not be installed

    settings = runs[0].settings
    arrays = settings.card.part("arrays")
    train, validation = arrays(data, "train"), arrays(data, "validation")
    members = [_member(run, data, stream) for run in runs]
    left = [member for run, member in zip(runs, members, strict=True) if not run.trained]
    first = max((run.epoch + 1 for run in runs if not run.trained), default=0)
    if first:
        log.info(f"resuming after epoch {first} of {settings.epochs}")
    batches = [validation[at : at + settings.batch_size] for at in range(0, len(validation), settings.batch_size)]

    def show(epoch, logs, spent):
        model = left[0].model
        term = model.selection_terms[0]
        values = " ".join(f"{float(one[f'val_{term}']):.4f}" for one in logs)
        head = f"epoch {epoch + 1:>{len(str(settings.epochs))}}/{settings.epochs}{phase_text(model)}"
        log.info(f"{head}  val {term} {values}  {spent:.1f} s")

    if left and first < settings.epochs:
        SeedTrainer(left, train, batches, range(first, settings.epochs)).fit(stop, show)
    return [member.error for member in members]


def _member(run, data, stream):
    """The model of a run with its callbacks, as its checkpoint left them."""
    from tsdsae_keras.training.vmap_seeds import Member

    settings = run.settings
    model = fitting.build_model(settings, data)
    fitting.compile_model(model, settings, settings.epochs * stream.batches)
    state = fitting.start_or_restore(model, run.folder, settings, data, run.checkpoint)
    run.history = state.history
    work = fitting.epoch_callbacks(state, settings, data, fitting.event_writer(run.folder, state))
    callbacks = [SeedEpochs(settings.seed), *work, WriteCheckpoint(run.folder.checkpoints, state.stateful)]
    return Member(model, callbacks, lambda epoch: np.stack(stream.rows(settings.seed, epoch)))
