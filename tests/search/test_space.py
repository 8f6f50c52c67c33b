"""Spaces: what they take, what they refuse, and what of a trial depends on them."""

import json

import keras_tuner
import pytest

from tsdsae_keras.errors import InputError
from tsdsae_keras.search.oracles import LEAST_EPOCHS, make_oracle
from tsdsae_keras.search.space import Space, make_space, names_of
from tsdsae_keras.settings import with_preset

pytestmark = pytest.mark.no_backend

BASE = with_preset({"epochs": 28, "stage_two_at": 4})


def declare(space):
    hp = keras_tuner.HyperParameters()
    space.declare(hp)
    return hp


def test_the_small_space_varies_z_alone_and_the_full_one_all_that_matters():
    assert set(make_space("zdim", BASE).ranges) == {"z_dim"}
    full = make_space("full", BASE, seeds=3)
    assert {8, 16, 32} < set(full.ranges["z_dim"]) and full.ranges["seed"] == [0, 1, 2]
    wanted = {"v_dim", "units", "local_encoder", "global_encoder", "decoder", "swap_weight"}
    assert wanted | {"learning_rate", "batch_size", "stage_two_at"} <= set(full.ranges) <= set(names_of(BASE))


def test_what_is_drawn_comes_back_as_settings():
    ranges = {"z_dim": [8, 16], "swap_weight": {"min": 0.5, "max": 2.0}, "units": {"min": 16, "max": 32, "log": True}}
    space = Space(ranges, BASE)
    hp = declare(space)
    hp.values |= {"z_dim": 16, "swap_weight": 0.75, "units": 20}
    settings = space.settings(space.values(hp))
    assert (settings.z_dim, settings.swap_weight, settings.units) == (16, 0.75, 20)
    assert settings.epochs == BASE.epochs


def test_a_shorter_run_keeps_both_stages_in_proportion():
    for epochs, first in ((14, 2), (7, 1), (2, 1)):
        settings = make_space("zdim", BASE).settings({"z_dim": 8}, epochs)
        assert (settings.epochs, settings.stage_two_at) == (epochs, first)


REFUSED = {
    "unknown": ({"zdim": [8]}, "unknown 'zdim'"),
    "empty": ({"z_dim": []}, "z_dim is \\[\\]"),
    "value": ({"z_dim": [8, 0]}, "--z-dim is 0"),
    "kind": ({"z_dim": [8, "16"]}, "of one kind"),
    "twice": ({"z_dim": [8, 8]}, "must differ"),
    "choice": ({"decoder": ["big"]}, "--decoder is 'big'"),
    "turned": ({"learning_rate": {"min": 2.0, "max": 1.0}}, "a < b"),
    "zero": ({"learning_rate": {"min": 0.0, "max": 1.0, "log": True}}, "above 0"),
    "option": ({"learning_rate": {"min": 0.1, "max": 1.0, "step": 1}}, "a < b"),
    "late": ({"stage_two_at": [4, 28]}, "stage 2 would never begin"),
    "units": ({"units": [1]}, "--units is 1"),
    "list": ([8, 16], "must be a dict"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_invalid_arguments_are_refused_in_one_line(tmp_path, name):
    ranges, words = REFUSED[name]
    path = tmp_path / "space.json"
    path.write_text(json.dumps(ranges))
    with pytest.raises(InputError, match=words) as error:
        make_space(str(path), BASE)
    assert "\n" not in str(error.value)


def test_no_such_space():
    with pytest.raises(InputError, match="zdim or full or a JSON file"):
        make_space("everything", BASE)


def run_through(oracle, space, folder, trials=100, score=lambda values: 1.0):
    """The values of the trials that an oracle gives out."""
    oracle._set_project_dir(str(folder), "oracle")
    oracle.verbose = 0
    hp = oracle.get_space()
    space.declare(hp)
    oracle.update_space(hp)
    given = []
    while len(given) < trials:
        trial = oracle.create_trial("tuner")
        if trial.status == "STOPPED":
            break
        given.append(dict(trial.hyperparameters.values))
        oracle.update_trial(trial.trial_id, {"balanced": score(given[-1])})
        trial.status = "COMPLETED"
        oracle.end_trial(trial)
    return given


def test_an_interrupted_grid_resumes_and_has_every_combination_once(tmp_path):
    space = Space({"z_dim": [8, 16, 32], "decoder": ["frame", "sequence"]}, BASE)
    first = run_through(make_oracle("grid", "balanced", "max", None, 28, 0), space, tmp_path, trials=2)
    oracle = make_oracle("grid", "balanced", "max", None, 28, 0)
    oracle._set_project_dir(str(tmp_path), "oracle")
    oracle.reload()
    both = first + run_through(oracle, space, tmp_path)
    assert sorted((each["z_dim"], each["decoder"]) for each in both) == [
        (z_dim, decoder) for z_dim in (8, 16, 32) for decoder in ("frame", "sequence")
    ]


def test_every_run_of_hyperband_has_room_for_both_stages(tmp_path):
    space = make_space("full", BASE)
    given = run_through(make_oracle("hyperband", "balanced", "max", None, 28, 0), space, tmp_path)
    epochs = [values["tuner/epochs"] for values in given]
    assert min(epochs) >= LEAST_EPOCHS and max(epochs) == 28
    for values in given:
        settings = space.settings({name: values[name] for name in space.ranges}, values["tuner/epochs"])
        assert 1 <= settings.stage_two_at < settings.epochs == values["tuner/epochs"]


def test_the_same_seed_draws_the_same(tmp_path):
    space = make_space("full", BASE)
    draws = [
        run_through(make_oracle(name, "balanced", "max", 4, 28, seed), space, tmp_path / f"{name}{number}")
        for name in ("random", "bayesian")
        for number, seed in enumerate((0, 0, 1))
    ]
    assert draws[0] == draws[1] != draws[2] and draws[3] == draws[4] != draws[5]
