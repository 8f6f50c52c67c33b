"""Hyperparameters for TensorBoard's HParams page, written by hand: the page's own writer would import TensorFlow.

The page knows three messages, each the metadata of a summary without a value: what is varied and measured (once, in
the log folder above all trials), the values a trial started with, and how it ended (both in the trial's folder).
Measures are plain scalars of the trial's folder.
"""

import time

from tsdsae_keras.training.events import EventWriter

GROUP = "search"  # begins the names of the measures


class TrialWriter(EventWriter):
    """The events of one trial: everything an `EventWriter` writes, and the trial's row on the HParams page.

    As a context it says at its end whether the trial succeeded: `finish` was called.

    Args:
        folder: of the trial's events.
        values: {name: number, text or bool} of the hyperparameters.
        first_epoch: 0, or the epoch from which a broken trial goes on.
    """

    def __init__(self, folder, values, first_epoch=0):
        super().__init__(folder, first_epoch or None)
        self.finished = False
        started = {"hparams": {name: _value(value) for name, value in values.items()}, "start_time_secs": time.time()}
        self._write(values=[_summary("session_start_info", started)])

    def finish(self, measures, step):
        """Writes the trial's measures, {name: number}, and that it succeeded."""
        self.scalars({f"{GROUP}/{name}": value for name, value in measures.items()}, step)
        self._end("STATUS_SUCCESS")
        self.finished = True

    def close(self):
        """Finishes the file in the middle of a trial: `LogToTensorBoard` closes when training ends, measures follow."""

    def __exit__(self, kind, *_):
        if not self.finished and kind is not None and issubclass(kind, Exception):
            self._end("STATUS_FAILURE")  # a trial that was stopped is no failure, and goes on
        super().close()

    def _end(self, status):
        from tensorboard.plugins.hparams import api_pb2

        ended = {"status": api_pb2.Status.Value(status), "end_time_secs": time.time()}
        self._write(values=[_summary("session_end_info", ended)])


class ExperimentWriter(EventWriter):
    """Says once, in the folder above all trials, what they vary and what is measured of each.

    Args:
        folder: the log folder.
        domains: {name: list of values, or (least, most)} of the hyperparameters.
        measures: names of the measures.
    """

    def __init__(self, folder, domains, measures):
        super().__init__(folder)
        infos = [_hparam(name, domain) for name, domain in domains.items()]
        metrics = [{"name": {"tag": f"{GROUP}/{name}"}, "display_name": name} for name in measures]
        experiment = {"hparam_infos": infos, "metric_infos": metrics, "time_created_secs": time.time()}
        self._write(values=[_summary("experiment", experiment)])


def _summary(kind, fields):
    from tensorboard.compat.proto.summary_pb2 import Summary
    from tensorboard.plugins.hparams import metadata, plugin_data_pb2

    content = plugin_data_pb2.HParamsPluginData(**{kind: fields})
    made = metadata.create_summary_metadata(content)
    return Summary.Value(tag=f"_hparams_/{kind}", metadata=made, tensor=metadata.NULL_TENSOR)


def _hparam(name, domain):
    from tensorboard.plugins.hparams import api_pb2

    first = domain[0]
    kind = "BOOL" if isinstance(first, bool) else "STRING" if isinstance(first, str) else "FLOAT64"
    info = api_pb2.HParamInfo(name=name, type=api_pb2.DataType.Value(f"DATA_TYPE_{kind}"))
    if isinstance(domain, tuple):
        info.domain_interval.min_value, info.domain_interval.max_value = domain
    else:
        info.domain_discrete.extend(domain)
    return info


def _value(value):
    from google.protobuf.struct_pb2 import Value

    if isinstance(value, bool):
        return Value(bool_value=value)
    return Value(string_value=value) if isinstance(value, str) else Value(number_value=float(value))
