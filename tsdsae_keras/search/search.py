"""A search from its first trial to its page; it resumes where it was interrupted, and can be extended.

search.json    what is searched and how, the identity of the data
oracle/        KerasTuner's own files
trials/NN/     a run folder for each trial (`trials`), with its TensorBoard events
events/        what the trials vary, for TensorBoard's HParams page: tensorboard --logdir SEARCH
results.csv    a row a trial
best.keras     the smallest model whose score is within the margin of the best
report.html    a page of it all
"""

import contextlib
import logging

from tsdsae_keras.data.sets import open_data
from tsdsae_keras.errors import InputError, Stopped
from tsdsae_keras.search.folder import resume_command
from tsdsae_keras.search.hypermodel import RepresentationHyperModel
from tsdsae_keras.search.oracles import make_oracle
from tsdsae_keras.search.space import space_from_dict
from tsdsae_keras.search.tuner import SearchTuner
from tsdsae_keras.training.hparams import ExperimentWriter
from tsdsae_keras.training.interrupt import StopOnSignal
from tsdsae_keras.training.run import RunFolder


class Search:
    """A search in its `SearchFolder`, which has a plan, on its data.

    Raises:
        InputError: the data are not those the search was started with, or do not allow its objective.
    """

    def __init__(self, folder):
        self.folder, self.plan = folder, folder.read()
        self.space = space_from_dict(self.plan["space"], self.plan["base"])
        self.data = open_data(self.space.base)
        if self.data.identity != self.plan["data_identity"]:
            where = self.data.folder or self.space.base.data
            raise InputError(f"{where} has changed since {folder.folder} was started; start a new search on it")
        self.hypermodel = RepresentationHyperModel(self.data, self.space)

    @property
    def search_card(self):
        """The family's `SearchCard`."""
        return self.hypermodel.search_card

    def tuner(self, stop=None):
        """The tuner, with the trials that there are already."""
        plan, base = self.plan, self.space.base
        direction = self.search_card.directions[plan["objective"]]
        oracle = make_oracle(plan["tuner"], plan["objective"], direction, plan["trials"], base.epochs, base.seed)
        tuner = SearchTuner(oracle, self.hypermodel, self.folder, stop)
        oracle.verbose = 0
        return tuner

    def run(self, chief=False):
        """Trains and measures until the trials are done, alone or as the chief of workers.

        Raises:
            InputError: another process is at work in the folder, or the disk is full.
            Stopped: on Ctrl-C or SIGTERM.
        """
        with RunFolder(self.folder.folder).held(), StopOnSignal() as stop, graceful_exit(self.folder, stop):
            self._describe()
            self._search(stop, check=not chief)

    def work(self):
        """Runs trials that a chief gives out, until it has no more."""
        with StopOnSignal() as stop, graceful_exit(self.folder, stop):
            self._search(stop)

    def _search(self, stop, check=True):
        if check:
            self.hypermodel.check(self.plan["objective"])
        quieten()
        self.tuner(stop).search()

    def _describe(self):
        """Tells TensorBoard what is varied; once."""
        if not any(self.folder.events.glob("*")):
            measures = (self.plan["objective"], *self.search_card.measures, "val_loss", self.search_card.selection)
            ranges = self.space.ranges.items()
            domains = {name: each if isinstance(each, list) else (each["min"], each["max"]) for name, each in ranges}
            with ExperimentWriter(self.folder.events, domains, dict.fromkeys(measures)):
                pass


def quieten():
    """Hides TensorFlow's warning that functions are traced again: every trial is another model."""
    logging.getLogger("tensorflow").setLevel(logging.ERROR)


@contextlib.contextmanager
def graceful_exit(folder, stop):
    """Turns the ways in which a search can end early into one line each."""
    from keras_tuner.errors import FatalError

    try:
        yield
    except KeyboardInterrupt:
        status = 128 + (stop.asked or 2)
        raise Stopped(f"stopped; resume with: {resume_command(folder.folder)}", status) from None
    except (FatalError, OSError) as error:
        raise InputError(f"{error}: stopped; fix this, then resume with: {resume_command(folder.folder)}") from error
