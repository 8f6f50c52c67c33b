"""Hyperparameters for TensorBoard's HParams page, by its plugin.

What is varied and measured is written once in the log folder above all trials; the values a trial started with and how
it ended are in the trial's own folder, where its measures are plain scalars.
"""

import tensorflow as tf
from tensorboard.plugins.hparams import api as hp
from tensorboard.plugins.hparams import api_pb2, summary

from tsdsae_keras.training.events import EventWriter

GROUP = "search"  # begins the names of the measures


class TrialWriter(EventWriter):
    """The events of one trial: everything an `EventWriter` writes, and the trial's row on the HParams page.

    As a context it says at its end whether the trial succeeded: `finish` was called.
    """

    def __init__(self, folder, values, first_epoch=0):
        super().__init__(folder, first_epoch)
        self.finished = False
        with self._at(0):
            hp.hparams(values, trial_id="")  # with an id, or by default, trials of equal values share a row

    def finish(self, measures, step):
        """Writes the trial's measures, {name: number}, and that it succeeded."""
        self.scalars({f"{GROUP}/{name}": value for name, value in measures.items()}, step)
        self._end(api_pb2.STATUS_SUCCESS)
        self.finished = True

    def close(self):
        """Does nothing: `LogToTensorBoard` closes when training ends, and the measures follow."""

    def __exit__(self, kind, *_):
        if not self.finished and kind is not None and issubclass(kind, Exception):
            self._end(api_pb2.STATUS_FAILURE)  # a trial that was stopped has not failed, and is resumed
        super().close()

    def _end(self, status):
        with self._at(0):
            tf.summary.experimental.write_raw_pb(summary.session_end_pb(status).SerializeToString())


class ExperimentWriter(EventWriter):
    """Says once, in the folder above all trials, what is measured of each and what they vary.

    `domains` are {name: list of values, or (least, most)}.
    """

    def __init__(self, folder, domains, measures):
        super().__init__(folder)
        varied = [hp.HParam(name, _domain(domain)) for name, domain in domains.items()]
        with self._at(0):
            hp.hparams_config(varied, [hp.Metric(f"{GROUP}/{name}", display_name=name) for name in measures])


def _domain(values):
    """The plugin's domain; it takes values of one type, and whole numbers for others than 1.0."""
    if isinstance(values, tuple):
        return hp.RealInterval(*map(float, values))
    return hp.Discrete(values if isinstance(values[0], (bool, str)) else list(map(float, values)))
