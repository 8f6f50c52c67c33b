"""A run resumed from a checkpoint ends as one that was never interrupted."""

import csv

import numpy as np
import pytest

from tests import cases
from tsdsae_keras.errors import InputError
from tsdsae_keras.training import callbacks
from tsdsae_keras.training.checkpoints import WriteCheckpoint, checkpoint_files, newest, restore

EPOCHS, SWITCH = 4, 2


def train(folder, checkpoint=None, until=EPOCHS, seed=3):
    """Fits a small model from a checkpoint, or from the start, and returns it with its callbacks."""
    folder.mkdir(exist_ok=True)
    model, x = cases.compile_with_adam(cases.small()), cases.sequences(7)
    model.adapt(x)
    kept = (callbacks.KeepBest(folder / "model.keras"), callbacks.WriteHistory(folder / "history.csv"))
    if checkpoint:
        restore(model, kept, checkpoint)
    model.fit(
        x,
        batch_size=3,
        validation_data=(x[:4],),
        initial_epoch=checkpoint.epoch + 1 if checkpoint else 0,
        epochs=until,
        shuffle=False,
        verbose=0,
        callbacks=[
            callbacks.SeedEpochs(seed),
            callbacks.EnterStageTwo(SWITCH),
            *kept,
            WriteCheckpoint(folder / "checkpoints", kept),
        ],
    )
    return model, kept


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The folder of an unbroken run."""
    folder = tmp_path_factory.mktemp("whole")
    train(folder)
    return folder


def test_a_broken_run_ends_like_a_whole_one(whole, tmp_path):
    """Broken right before the switch, and in stage 2."""
    checkpoint = None
    for epoch, stage in ((SWITCH - 1, 1), (SWITCH, 2)):
        train(tmp_path, checkpoint, until=epoch + 1)
        checkpoint = newest(tmp_path / "checkpoints")
        assert (checkpoint.epoch, checkpoint.stage) == (epoch, stage)
    train(tmp_path, checkpoint)
    for name in ("model.keras", "history.csv"):
        assert (tmp_path / name).read_bytes() == (whole / name).read_bytes(), name
    a, b = newest(whole / "checkpoints").weights, newest(tmp_path / "checkpoints").weights
    assert list(a) == list(b)
    cases.check_same(a.values(), b.values(), "weights at the end")


def test_another_seed_ends_otherwise(whole, tmp_path):
    train(tmp_path, until=1, seed=4)
    first = [next(csv.DictReader((folder / "history.csv").open())) for folder in (whole, tmp_path)]
    assert first[0]["loss"] != first[1]["loss"]


def test_the_last_two_are_kept(whole):
    assert [path.name for path in checkpoint_files(whole / "checkpoints")] == ["epoch-000002.ckpt", "epoch-000003.ckpt"]


DAMAGE = {
    "cut": lambda content: content[:-1000],
    "a bit turned": lambda content: content[:2000] + bytes([content[2000] ^ 1]) + content[2001:],
    "empty": lambda content: b"",
    "replaced": lambda content: np.random.default_rng(0).bytes(5000),
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_a_damaged_one_is_named_and_passed_over(whole, tmp_path, damage, caplog):
    copies = [tmp_path / path.name for path in checkpoint_files(whole / "checkpoints")]
    for copy in copies:
        copy.write_bytes((whole / "checkpoints" / copy.name).read_bytes())
    copies[-1].write_bytes(damage(copies[-1].read_bytes()))
    (tmp_path / ".tmp-epoch-000004-x.ckpt").write_bytes(b"half")
    assert newest(tmp_path).epoch == 2
    (said,) = caplog.messages
    assert "epoch-000003.ckpt is damaged" in said and "the one before" in said
    assert sorted(tmp_path.iterdir()) == copies
    copies[0].write_bytes(damage(copies[0].read_bytes()))
    assert newest(tmp_path) is None


def test_a_checkpoint_of_another_model_is_refused(whole):
    model = cases.compile_with_adam(cases.small(z_dim=2))
    with pytest.raises(InputError, match=r"of another model: .* 29 more differ"):
        restore(model, (), newest(whole / "checkpoints"))


def test_patience_that_has_ended_is_remembered(tmp_path):
    keep = callbacks.KeepBest(tmp_path / "model.keras", patience=1)
    keep.set_model(cases.small("dsae"))
    for epoch, loss in enumerate([1.0, 2.0]):
        keep.on_epoch_end(epoch, {"val_recon": loss, "val_kl_z": 0.0, "val_kl_v": 0.0})
    before, state = keep.path.read_bytes(), keep.state()
    keep.path.unlink()
    other = callbacks.KeepBest(keep.path, patience=1)
    other.restore(state)
    assert other.finished and other.best_epoch == 0 and keep.path.read_bytes() == before
