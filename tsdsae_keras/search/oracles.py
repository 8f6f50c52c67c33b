"""KerasTuner's ways to choose the next trial, with their files written whole, and a grid that can be resumed.

Seen in KerasTuner 1.4.8, and fixed here: a process killed while it writes `oracle.json` leaves half of it, which no
later search reads; a chief saves a trial that has ended as one that runs; `GridSearchOracle` forgets its place, so
that an interrupted grid ends as soon as it is resumed; a seed of 0 is taken for none; three failures in a row end a
search; Hyperband begins with runs of one epoch, which here would have no second stage.
"""

import itertools
import math

import keras_tuner
from keras_tuner import oracles

from tsdsae_keras.files import write_json

LEAST_EPOCHS = 3  # of a run that Hyperband begins with
FACTOR = 3


class _WholeFiles:
    """Files replaced whole, and a trial that has ended is no longer among those that run."""

    @keras_tuner.synchronized
    def end_trial(self, trial):
        super().end_trial(trial)
        self.save()

    def save(self):
        write_json(self._get_oracle_fname(), self.get_state())

    def _save_trial(self, trial):
        write_json(f"{self._get_trial_dir(trial.trial_id)}/trial.json", trial.get_state())


class RandomOracle(_WholeFiles, oracles.RandomSearchOracle):
    """Drawn at random, without repetition."""


class BayesianOracle(_WholeFiles, oracles.BayesianOptimizationOracle):
    """Drawn where a Gaussian process expects the best, after a few drawn at random."""


class GridOracle(_WholeFiles, keras_tuner.Oracle):
    """Every combination of the values once, the last option of the space the fastest; ranges in ten steps."""

    def populate_space(self, trial_id):
        names = [each.name for each in self.hyperparameters.space]
        tried = [trial.hyperparameters.values for trial in self.trials.values()]
        for combination in itertools.product(*(each.values for each in self.hyperparameters.space)):
            values = dict(zip(names, combination, strict=True))
            if values not in tried:
                return {"status": "RUNNING", "values": values}
        return {"status": "STOPPED", "values": None}


class HyperbandOracle(_WholeFiles, oracles.HyperbandOracle):
    """Many short runs, the best of which are trained again, longer, three times longer in each round.

    A run is shortened as a whole: stage 1 and the schedule of the learning rate take the same share of it. Half a
    schedule would not be a fair comparison, and a stage that is over cannot be made longer, so a promoted configuration
    starts from its beginning; that costs half as much again as resuming would.
    """

    def _get_num_brackets(self):
        longest = max(self.max_epochs, LEAST_EPOCHS)
        return 1 + math.floor(math.log(longest / LEAST_EPOCHS, self.factor) + 1e-9)


def make_oracle(name, objective, direction, trials, epochs, seed):
    """The oracle called "random", "bayesian", "hyperband" or "grid"; the last two set the number of trials if None."""
    shared = {
        "objective": keras_tuner.Objective(objective, direction),
        "seed": seed + 1,
        "max_consecutive_failed_trials": math.inf,
    }
    if name == "hyperband":
        oracle = HyperbandOracle(max_epochs=epochs, factor=FACTOR, **shared)
        oracle.max_trials = trials
        return oracle
    return {"random": RandomOracle, "bayesian": BayesianOracle, "grid": GridOracle}[name](max_trials=trials, **shared)
