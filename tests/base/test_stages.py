"""The stage switch: what is frozen is bit-identical, what is thawed moves, the prior never does."""

import numpy as np
import pytest

from tests import cases
from tsdsae_keras.training.callbacks import EnterStageTwo


def local_parts(model):
    return model.q_z, model.p_z


def fit(model, epochs, **more):
    model.fit(cases.sequences(8), batch_size=4, epochs=epochs, verbose=0, **more)


class Watch(EnterStageTwo):
    """EnterStageTwo that remembers the weights at both ends of stage 1 and of the first epoch of stage 2."""

    def on_train_begin(self, logs=None):
        self.start = cases.weights_of(*local_parts(self.model))
        self.ends = {}

    def on_epoch_begin(self, epoch, logs=None):
        before = cases.weights_of(self.model.q_v)
        super().on_epoch_begin(epoch, logs)
        if epoch == self.at:
            self.at_switch = before

    def on_epoch_end(self, epoch, logs=None):
        prior = getattr(self.model, "informed_prior", None)
        parts = {"local": local_parts(self.model), "global": (self.model.q_v,), "prior": (prior,) if prior else ()}
        self.ends[epoch] = {name: cases.weights_of(*some) for name, some in parts.items()}


@pytest.mark.parametrize("name", cases.STAGED)
def test_switch_in_one_fit(name):
    model, watch = cases.compile_with_adam(cases.small(name)), Watch(2)
    fit(model, 4, callbacks=[watch])
    cases.check_same(watch.start, watch.ends[1]["local"], "local parts through stage 1")
    cases.check_all_moved(watch.ends[1]["local"], watch.ends[2]["local"], "local parts in the first epoch of stage 2")
    cases.check_all_moved(watch.ends[0]["global"], watch.ends[1]["global"], "global encoder in stage 1")
    if name == "tsdsae":
        cases.check_all_moved(watch.at_switch, watch.ends[2]["global"], "global encoder in stage 2")
        cases.check_same(watch.at_switch, watch.ends[2]["prior"], "the prior is the global encoder at the switch")
        cases.check_same(watch.ends[2]["prior"], watch.ends[3]["prior"], "the prior through stage 2")
    else:
        cases.check_same(watch.at_switch, watch.ends[3]["global"], "global encoder of DSAE-f in stage 2")


def test_switch_between_two_fits_keeps_the_moments():
    model = cases.compile_with_adam(cases.small())
    fit(model, 2)
    start = cases.weights_of(*local_parts(model))
    before = {variable.path: np.array(variable) for variable in model.optimizer.variables}
    model.enter_stage(2)
    after = {variable.path: np.array(variable) for variable in model.optimizer.variables}
    assert set(before) < set(after)
    for path, value in before.items():
        np.testing.assert_array_equal(value, after[path], err_msg=path)
    assert any("momentum" in path and np.any(value) for path, value in before.items())
    new = [path for path in after if path not in before]
    assert all("local_encoder" in path or "transition" in path for path in new) and not any(after[p].any() for p in new)
    fit(model, 1)
    cases.check_all_moved(start, cases.weights_of(*local_parts(model)), "local parts after a fit in stage 2")


def test_a_step_that_is_not_finite_changes_nothing_and_is_counted():
    model, x = cases.compile_with_adam(cases.small(stage=2)), cases.sequences(8)
    model.adapt(x)
    fit(model, 1)
    x[:4] = np.nan
    weights, slots = cases.weights_of(model), [np.array(slot) for slot in model.optimizer.variables]
    logs = model.fit(x[:4], batch_size=4, epochs=1, verbose=0).history
    kept = [weight for weight in weights if weight.dtype.kind == "f"]
    cases.check_same(kept, [w for w in cases.weights_of(model) if w.dtype.kind == "f"], "weights")
    cases.check_same(slots, [np.array(slot) for slot in model.optimizer.variables], "optimizer")
    assert logs["skipped_steps"] == [1.0]
    logs = model.fit(x, batch_size=4, epochs=1, verbose=0, shuffle=False).history
    assert logs["skipped_steps"] == [1.0] and np.isfinite(logs["loss"]).all() and logs["gradient_norm"][0] > 0
