"""What is done when a run goes wrong."""

import keras
import numpy as np
import pytest

from tests import cases
from tsdsae_keras.errors import InputError, TrainingDiverged
from tsdsae_keras.families.tsdsae.watch import warning
from tsdsae_keras.settings import Settings
from tsdsae_keras.training.callbacks import KeepBest
from tsdsae_keras.training.fitting import compile_model
from tsdsae_keras.training.guards import StopOnBadSteps, Watch, WatchCollapse


def spoil_rows(n, rows):
    x = cases.sequences(n)
    x[rows] = np.nan
    return x


def new_model():
    model = cases.compile_with_adam(cases.small())
    model.adapt(cases.sequences())
    return model


def fit(x, guard, epochs=1):
    model = new_model()
    history = model.fit(x, batch_size=1, epochs=epochs, shuffle=False, verbose=0, callbacks=[guard])
    return model, history


def test_bad_steps_with_good_ones_between_do_not_stop():
    _, history = fit(spoil_rows(6, [0, 1, 3, 4]), StopOnBadSteps(3))
    assert history.history["skipped_steps"] == [4.0]


def test_bad_steps_in_a_row_stop_and_the_model_is_as_before(tmp_path):
    model = new_model()
    keep = KeepBest(tmp_path / "model.keras")
    keep.set_model(model)
    guard = StopOnBadSteps(3, keep.keep_something)
    with pytest.raises(TrainingDiverged, match=r"batch 5 of epoch 1: these updates were skipped, .*model\.keras"):
        model.fit(spoil_rows(7, [2, 3, 4, 5]), batch_size=1, shuffle=False, verbose=0, callbacks=[guard])
    good = new_model()
    good.fit(cases.sequences(7)[:2], batch_size=1, shuffle=False, verbose=0)
    saved = keras.saving.load_model(keep.path)
    cases.check_same(saved.p_x.get_weights(), good.p_x.get_weights(), "weights of the two good steps")


def test_bad_steps_in_a_row_are_counted_across_epochs():
    with pytest.raises(TrainingDiverged, match="batch 1 of epoch 2"):
        fit(spoil_rows(4, [0, 2, 3]), StopOnBadSteps(3), epochs=2)


def test_a_large_gradient_is_scaled_down_before_it_counts():
    model, x = cases.small(), cases.sequences()
    model.adapt(x)
    compile_model(model, Settings(clip_norm=1e-3, schedule="constant"), steps=1)
    history = model.fit(x, batch_size=len(x), verbose=0).history
    first = [value for value in model.optimizer.variables if value.path.endswith("momentum")]
    norm = np.sqrt(sum(np.square(keras.ops.convert_to_numpy(value)).sum() for value in first))
    assert norm == pytest.approx((1 - model.optimizer.beta_1) * 1e-3, rel=1e-3)
    assert history["gradient_norm"][0] > 1e-2  # what is logged is the norm as it was


@pytest.mark.parametrize(("stage", "use", "warnings"), [(1, 0.0, 0), (2, 0.001, 1), (2, 0.5, 0)])
def test_ignoring_v_is_said_once_and_in_the_last_stage(stage, use, warnings, caplog):
    model = cases.small()
    watch = WatchCollapse(Watch(lambda model: {"v_use": use, "active_v": 1}, warning), every=2)
    watch.set_model(model)
    if stage == 2:
        model.enter_stage(2)
    seen = []
    for epoch in range(6):
        logs = {"loss": 1.0}
        watch.on_epoch_end(epoch, logs)
        seen.append(logs.get("watch_v_use"))
    assert seen == [None, use] * 3
    assert len(caplog.messages) == warnings
    assert all("--stage-two-at" in line and "--z-dim" in line for line in caplog.messages)


def test_a_warning_is_not_given_again_after_a_resume(caplog):
    watch = WatchCollapse(Watch(lambda model: {"v_use": 0.0}, warning), every=1)
    watch.set_model(cases.small("dsae"))
    watch.restore({"warned": True})
    watch.on_epoch_end(0, {})
    assert caplog.messages == [] and watch.state() == {"warned": True}


def test_data_that_are_not_finite_are_refused_before_training():
    with pytest.raises(InputError, match="NaN or infinity"):
        cases.compile_with_adam(cases.small()).fit(spoil_rows(4, [1]), verbose=0)


AGREED = {"v_use": 0.6, "swap_f1": 1.0, "judge_f1": 1.0, "real_f1": 1.0}
CONTRADICTED = {
    "agreed": ({}, None),
    "judge": ({"judge_f1": 1 / 3}, "F1 0.333 (1.000 on real sound)"),
    "within chance": ({"judge_f1": 0.9}, None),
    "a judge that knows little": ({"judge_f1": 0.6, "real_f1": 0.6}, None),
    "no claim": ({"swap_f1": 0.5, "judge_f1": 0.3}, None),
    "v unused": ({"v_use": 0.005}, "though the own encoder's F1 is 1.000"),
}


@pytest.mark.no_backend
@pytest.mark.parametrize("name", CONTRADICTED)
def test_a_judge_that_contradicts_the_own_encoder_is_heard(name):
    found, words = CONTRADICTED[name]
    line = warning(AGREED | found)
    assert line is None if words is None else words in line and "\n" not in line
