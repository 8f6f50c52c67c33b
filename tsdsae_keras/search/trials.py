"""The folder of one trial: a run folder, so that a killed trial resumes as a run does.

trial.json     hyperparameters
starts.json    how often it was started since its last finished epoch
scores.json    what was measured; written last, so a trial that has it is finished
failure.json   the reason, where it failed
"""

import contextlib
import logging

from tsdsae_keras.errors import InputError, TrainingDiverged
from tsdsae_keras.files import write_json
from tsdsae_keras.process import log_level
from tsdsae_keras.search.folder import read_json
from tsdsae_keras.training.checkpoints import checkpoint_files, newest, number_of
from tsdsae_keras.training.run import RunFolder

STARTS = 3  # without an epoch finished, after which a trial is given up
LONGEST = 500  # letters of a reason
NO_MEMORY = ("RESOURCE_EXHAUSTED", "out of memory", "OutOfMemory", "OOM when allocating")


class TrialFolder(RunFolder):
    """The paths of a trial."""

    def __init__(self, folder):
        super().__init__(folder)
        self.values = self.folder / "trial.json"
        self.starts = self.folder / "starts.json"
        self.scores = self.folder / "scores.json"
        self.failure = self.folder / "failure.json"

    def begin(self, settings, values):
        """Makes the folder where there is none, and counts this start.

        Raises:
            InputError: it was started too often without finishing an epoch.
        """
        if not self.settings.is_file():
            self.folder.mkdir(parents=True, exist_ok=True)
            self.create(settings)
        write_json(self.values, values)
        reached = self.first_epoch()
        before = read_json(self.starts, {"epoch": reached, "times": 0})
        times = before["times"] + 1 if before["epoch"] == reached else 1
        write_json(self.starts, {"epoch": reached, "times": times})
        if times > STARTS:
            raise InputError(f"its process was ended {STARTS} times in epoch {reached + 1}, out of memory or by hand")

    def first_epoch(self):
        """The epoch to begin with: 0, or the one after the last whole checkpoint."""
        if not checkpoint_files(self.checkpoints):
            return 0
        with log_level(logging.ERROR):  # a damaged one is named where training takes the checkpoint
            checkpoint = newest(self.checkpoints)
        return 0 if checkpoint is None else checkpoint.epoch + 1

    def check_model(self):
        """TrainingDiverged where training left no model."""
        if not self.model.is_file():
            raise TrainingDiverged("no epoch of the last stage had a finite validation loss, so nothing was saved")

    def fail(self, error):
        """Records why the trial failed; returns the reason."""
        reason = reason_of(error)
        self.folder.mkdir(parents=True, exist_ok=True)
        write_json(self.failure, {"reason": reason, "error": type(error).__name__})
        return reason

    def clear(self):
        """Removes what only an unfinished trial needs."""
        for path in (*checkpoint_files(self.checkpoints), self.starts):
            path.unlink(missing_ok=True)
        with contextlib.suppress(OSError):
            self.checkpoints.rmdir()


def count_epochs(folder):
    """The number of finished epochs that the checkpoints of a trial hold."""
    files = checkpoint_files(TrialFolder(folder).checkpoints)
    return number_of(files[-1]) + 1 if files else 0


def reason_of(error):
    """One line that says why a trial failed."""
    text = " ".join(str(error).split())[:LONGEST] or type(error).__name__
    if isinstance(error, MemoryError) or any(sign in f"{type(error).__name__} {error}" for sign in NO_MEMORY):
        return f"out of memory: {text}"
    return text if isinstance(error, (InputError, TrainingDiverged)) else f"{type(error).__name__}: {text}"
