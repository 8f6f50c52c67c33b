"""The callbacks on a model that only counts."""

import csv
import io

import numpy as np
import pytest

from tests import cases
from tsdsae_keras.errors import InputError
from tsdsae_keras.training import callbacks


def run(model, callback, losses, epochs_of_stage_one=0):
    """Feeds validation losses, one an epoch, and returns the epochs that were run."""
    callback.set_model(model)
    model.stop_training = False
    callback.on_train_begin()
    for epoch, loss in enumerate(losses):
        if epoch == epochs_of_stage_one and model.stage < model.stages:
            model.enter_stage(2)
        callback.on_epoch_begin(epoch)
        model.p_x.output_layer.bias.assign(np.full(5, epoch, "float32"))
        logs = {"val_recon": loss, "val_kl_z": 0.0, "val_kl_v": 0.0, "val_kl_v_gswap": -100.0 * epoch}
        callback.on_epoch_end(epoch, logs)
        if model.stop_training:
            break
    callback.on_train_end()
    return epoch + 1


def bias_of(model):
    return float(np.array(model.p_x.output_layer.bias)[0])


def test_best_model_of_the_last_stage_only(tmp_path):
    model = cases.small()
    losses = [0.1, 0.1, 5.0, 3.0, 4.0, float("nan"), 3.5, 1.0]
    assert run(model, callbacks.KeepBest(tmp_path / "model.keras", patience=3), losses, 2) == 7
    assert bias_of(model) == 3.0  # the epoch of 3.0; neither stage 1, nor the swap terms, nor what came too late
    assert [path.name for path in tmp_path.iterdir()] == ["model.keras"]


def test_the_epoch_that_reconstructs_well_enough_is_kept_and_the_last(tmp_path):
    logs = {2: (0.2, float("nan")), 4: (2.0, 0.0), 5: (1.5, 9.0)}  # validation recon and kl_z
    model, keep = cases.small(), callbacks.KeepBest(tmp_path / "model.keras", stop_at_recon=1.5)
    keep.set_model(model)
    model.enter_stage(2)
    for epoch, (recon, kl_z) in logs.items():
        model.p_x.output_layer.bias.assign(np.full(5, epoch, "float32"))
        keep.on_epoch_end(epoch, {"val_recon": recon, "val_kl_z": kl_z, "val_kl_v": 0.0})
        assert keep.finished == (epoch == 5), "an epoch without a finite loss, or above the mark, ends nothing"
    assert model.stop_training and keep.best_epoch == 5 and keep.best == 10.5  # though epoch 4 had 2.0 in all
    other = callbacks.KeepBest(tmp_path / "other.keras", stop_at_recon=1.5)
    other.restore(keep.state())
    assert other.state() == keep.state()
    model.load_weights(other.path)
    assert bias_of(model) == 5.0


def test_stage_one_never_reconstructs_well_enough(tmp_path):
    keep = callbacks.KeepBest(tmp_path / "model.keras", stop_at_recon=1.0)
    assert run(cases.small(), keep, [0.1, 0.1, 2.0, 0.9, 0.1], 2) == 4


def test_a_model_of_one_stage_is_kept_from_the_start(tmp_path):
    model = cases.small("dsae")
    assert run(model, callbacks.KeepBest(tmp_path / "model.keras"), [0.1, 0.2, 0.3]) == 3
    assert bias_of(model) == 0.0


def test_keeping_the_best_needs_validation(tmp_path):
    callback = callbacks.KeepBest(tmp_path / "model.keras")
    callback.set_model(cases.small("dsae"))
    with pytest.raises(InputError, match="validation_data"):
        callback.on_epoch_end(0, {"recon": 1.0})


def test_history_keeps_the_terms_of_both_stages(tmp_path):
    history = callbacks.WriteHistory(tmp_path / "history.csv")
    model = cases.compile_with_adam(cases.small())
    model.fit(cases.sequences(4), batch_size=2, epochs=2, verbose=0, callbacks=[callbacks.EnterStageTwo(1), history])
    rows = list(csv.DictReader(io.StringIO((tmp_path / "history.csv").read_text())))
    assert [row["stage"] for row in rows] == ["1", "2"]
    assert rows[0]["kl_z_lswap"] == "" and float(rows[1]["kl_z_lswap"]) >= 0.0
    assert float(rows[0]["recon"]) > 0.0 and float(rows[1]["gradient_norm"]) > 0.0


def test_draws_depend_on_seed_and_epoch_alone():
    model, x = cases.small(), cases.sequences()
    model.adapt(x)

    def losses(seed, epoch):
        callback = callbacks.SeedEpochs(seed)
        callback.set_model(model)
        callback.on_epoch_begin(epoch)
        return [cases.numbers(model.loss_terms(x, sample=True))["loss"] for _ in range(2)]

    first = losses(1, 5)
    assert first[0] != first[1]
    assert losses(1, 6) != first and losses(2, 5) != first
    assert losses(1, 5) == first
