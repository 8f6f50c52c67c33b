"""The HParams page, asked by its own code what it sees."""

import pytest

from tsdsae_keras.training.hparams import ExperimentWriter, TrialWriter

pytestmark = pytest.mark.no_backend

DOMAINS = {
    "z_dim": [8, 16],
    "decoder": ["frame", "sequence"],
    "learning_rate": (0.001, 0.01),
    "standardize": [True, False],
}


@pytest.fixture(scope="module")
def seen(tmp_path_factory):
    """(the experiment, the session groups) of three trials: one finished, one failed, one stopped and gone on with."""
    folder = tmp_path_factory.mktemp("search")
    with ExperimentWriter(folder / "events", DOMAINS, ["balanced"]):
        pass
    values = {"z_dim": 8, "decoder": "frame", "learning_rate": 0.002, "standardize": True}
    with TrialWriter(folder / "0" / "events", values) as writer:
        writer.scalars({"train/loss": 1.0}, 0)
        writer.close()  # as at the end of training, before the model is measured
        writer.finish({"balanced": 0.5}, 3)
    with pytest.raises(ValueError, match="lost"), TrialWriter(folder / "1" / "events", values | {"z_dim": 16}):
        raise ValueError("lost")
    with pytest.raises(KeyboardInterrupt), TrialWriter(folder / "2" / "events", values):
        raise KeyboardInterrupt
    with TrialWriter(folder / "2" / "events", values, first_epoch=2) as writer:
        writer.finish({"balanced": 0.75}, 3)
    return ask(str(folder))


def ask(folder):
    from tensorboard.backend.event_processing.data_provider import MultiplexerDataProvider
    from tensorboard.backend.event_processing.plugin_event_multiplexer import EventMultiplexer
    from tensorboard.context import RequestContext
    from tensorboard.plugins import base_plugin
    from tensorboard.plugins.hparams import api_pb2, backend_context, list_session_groups

    events = EventMultiplexer().AddRunsFromDirectory(folder).Reload()
    page = backend_context.Context(base_plugin.TBContext(data_provider=MultiplexerDataProvider(events, folder)))
    request = api_pb2.ListSessionGroupsRequest(slice_size=10, allowed_statuses=[0, 1, 2, 3])
    groups = list_session_groups.Handler(RequestContext(), page, "", request).run().session_groups
    tags = page.hparams_metadata(RequestContext(), "")
    return page.experiment_from_metadata(RequestContext(), "", True, tags, None), list(groups)


def test_what_varies_and_what_is_measured(seen):
    experiment, _ = seen
    infos = {info.name: info for info in experiment.hparam_infos}
    assert [value.number_value for value in infos["z_dim"].domain_discrete.values] == [8, 16]
    assert [value.string_value for value in infos["decoder"].domain_discrete.values] == ["frame", "sequence"]
    assert [value.bool_value for value in infos["standardize"].domain_discrete.values] == [False, True]
    interval = infos["learning_rate"].domain_interval
    assert (interval.min_value, interval.max_value) == (0.001, 0.01)
    assert [info.name.tag for info in experiment.metric_infos] == ["search/balanced"]


def test_every_trial_is_a_row_with_its_values_end_and_measures(seen):
    _, groups = seen
    rows = {group.sessions[0].name.split("/")[0]: group for group in groups for _ in group.sessions}
    assert {name: group.sessions[0].status for name, group in rows.items()} == {"0": 1, "1": 2, "2": 1}
    assert rows["0"].hparams["decoder"].string_value == "frame" and rows["0"].hparams["z_dim"].number_value == 8
    assert rows["0"].hparams["standardize"].bool_value is True
    measured = {name: [value.value for value in group.metric_values] for name, group in rows.items()}
    assert measured == {"0": [0.5], "1": [], "2": [0.75]}
