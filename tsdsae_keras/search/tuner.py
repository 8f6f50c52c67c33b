"""The tuner: trials in run folders, which resume where they were interrupted and fail with a reason."""

import contextlib
import io
import logging
import math
import time

import keras_tuner
from keras_tuner import errors

from tsdsae_keras.errors import TrainingDiverged
from tsdsae_keras.files import write_json
from tsdsae_keras.report.table import short_text
from tsdsae_keras.search.hypermodel import EPOCHS, read_scores
from tsdsae_keras.search.trials import TrialFolder

log = logging.getLogger(__name__)

IDLE = 0.5  # seconds between questions to an oracle that has nothing to do yet


class SearchTuner(keras_tuner.Tuner):
    """Runs the trials of an oracle, each in its own `TrialFolder`; alone, or as chief or worker (`workers`)."""

    def __init__(self, oracle, hypermodel, search, stop=None):
        self.search_folder, self.stop, self.asked = search, stop, 0.0
        with contextlib.redirect_stdout(io.StringIO()):  # it tells which of its files it reads
            super().__init__(oracle, hypermodel, directory=str(search.folder), project_name=search.oracle.name)

    def _populate_initial_space(self):
        # KerasTuner builds models to find out what they ask for; here the space is known.
        hp = self.oracle.get_space()
        self.hypermodel.declare_hyperparameters(hp)
        self.oracle.update_space(hp)

    def _get_tuner_fname(self):
        # One name for the chief and for a search that is alone, so that either can continue the other's.
        return str(self.search_folder.oracle / (f"{self.tuner_id}.json" if self._is_worker() else "tuner.json"))

    def save(self):
        if not self._is_worker():
            self.oracle.save()
        write_json(self._get_tuner_fname(), self.get_state())

    def on_search_begin(self):
        self.save()

    def pre_create_trial(self):
        # An oracle that waits for other workers is asked again without a pause.
        time.sleep(max(0.0, self.asked + IDLE - time.monotonic()))
        self.asked = time.monotonic()

    def on_trial_begin(self, trial):
        values = self.hypermodel.space.values(trial.hyperparameters)
        said = ", ".join(f"{name} {short_text(value)}" for name, value in values.items())
        log.info(f"trial {trial.trial_id}: {said}")

    def run_trial(self, trial, *_, **__):
        run = TrialFolder(self.search_folder.trial(trial.trial_id))
        found = read_scores(run.scores)
        try:
            found = self._measure(trial.hyperparameters, run) if found is None else found
            value = found[self.oracle.objective.name]
            if not math.isfinite(value):
                raise TrainingDiverged(f"{self.oracle.objective.name} is {value}")
        except OSError as error:
            reason = f"{error.strerror or error} ({error.filename or run.folder})"
            raise errors.FatalRuntimeError(reason) from error
        except Exception as error:  # whatever a trial dies of, the search continues
            reason = run.fail(error)
            if self.stop is not None:
                self.stop.on_train_end()  # which Keras leaves out when training ends by an error
            log.warning(f"trial {trial.trial_id} failed: {reason}")
            raise errors.FailedTrialError(reason) from None
        run.failure.unlink(missing_ok=True)
        run.clear()
        log.info(f"trial {trial.trial_id}: {self.oracle.objective.name} {value:.4f}")
        return found

    def _measure(self, hp, run):
        settings = self.hypermodel.settings(hp)
        values = self.hypermodel.space.values(hp) | {"epochs": hp.values.get(EPOCHS, settings.epochs)}
        run.begin(self.search_folder.describe(settings), values)
        with run.held():
            return self.hypermodel.fit(hp, self._try_build(hp), run=run, stop=self.stop)

    def load_model(self, trial):
        """The trained model of a trial, in the stage it ended in."""
        run = TrialFolder(self.search_folder.trial(trial.trial_id))
        return self.hypermodel.rebuild(trial.hyperparameters, run.model)
