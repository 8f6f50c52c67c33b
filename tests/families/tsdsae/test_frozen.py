"""Where the local parts are frozen and do not see v, a training step leaves kl_z and the transition out; no more."""

import numpy as np
import pytest

from tests import cases
from tests.gradients import terms_and_gradients


def history_of(model, x):
    return cases.compile_with_adam(model).fit(x, validation_data=(x,), batch_size=4, verbose=0).history


@pytest.mark.parametrize("name", cases.STAGED)
def test_logs_of_stage_one_hold_what_the_loss_holds(name):
    model, x = cases.small(name), cases.sequences(8)
    logs = history_of(model, x)
    assert model.idle_terms() == ("kl_z",) and "kl_z" not in logs and logs["val_kl_z"][0] > 0
    np.testing.assert_allclose(logs["loss"][0], logs["recon"][0] + logs["kl_v"][0], rtol=1e-5)
    total = logs["val_recon"][0] + logs["val_kl_z"][0] + logs["val_kl_v"][0]
    np.testing.assert_allclose(logs["val_loss"][0], total, rtol=1e-5)
    model.enter_stage(2)
    assert model.idle_terms() == () and "kl_z" in history_of(model, x)


def test_kl_z_stays_where_it_teaches():
    assert cases.small("dsae").idle_terms() == ()
    assert cases.small(local_encoder="full").idle_terms() == ()  # q(z | x, v) sees v, which trains


def test_what_is_left_out_had_no_gradient():
    model, x = cases.small(), cases.sequences()

    def kl_z():
        return {"loss": model.loss_terms(x, sample=False)["kl_z"]}

    value, gradients = terms_and_gradients(model, kl_z)
    trains = {weight.path for weight in model.trainable_variables}
    moved = {path for path, gradient in gradients.items() if gradient is not None and np.any(gradient)}
    assert value["loss"] > 0 and moved and not moved & trains
