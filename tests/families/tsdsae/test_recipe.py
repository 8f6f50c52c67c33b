"""Recordings and few sequences: the recipe chosen for them, and the reasons why they may not do."""

import numpy as np
import pytest

from tests.prepared import write_prepared
from tsdsae_keras.data.audio.logmel import FrontEnd
from tsdsae_keras.data.prepared.store import PreparedData
from tsdsae_keras.errors import InputError
from tsdsae_keras.families.tsdsae.batches import batches
from tsdsae_keras.families.tsdsae.suitability import spread_of_timbre, why_not_to_swap
from tsdsae_keras.settings import with_preset

pytestmark = pytest.mark.no_backend
RNG = np.random.default_rng(0)
FRAMES, BANDS = 250, 8  # 4 s
TILT = np.linspace(-1, 1, BANDS)


def prepare(folder, count, contrast, frames=FRAMES, recordings=None, **front_end):
    """Sequences of noise whose spectra are tilted by one of two slopes, half of each: +- `contrast` in dB at the ends.

    The mean over bands of a tilt is 0, so their spread is contrast * rms(TILT).
    """
    slope = contrast * np.log(10) / 10 * np.where(np.arange(count) % 2, 1.0, -1.0)
    x = slope[:, None, None] * TILT + RNG.normal(0, 0.1, (count, frames, BANDS)) + RNG.normal(0, 2, (count, 1, 1))
    arrays = {"features": x.astype("float32")}
    if recordings:
        arrays["recording"] = (np.arange(count) % recordings).astype("int32")
    shards = {split: [arrays] for split in ("train", "validation", "test")}
    settings = FrontEnd(n_mels=BANDS, **front_end).to_dict()
    return write_prepared(folder, shards, front_end=settings)


def test_few_sequences_are_passed_until_an_epoch_has_the_steps_of_the_preset(tmp_path, caplog):
    caplog.set_level("INFO", logger="tsdsae_keras")
    folder = str(prepare(tmp_path / "data", 48, 6.0, frames=2, floor_db=60))
    settings = with_preset({"data": folder})
    assert (settings.batch_size, settings.epoch_steps, settings.level_db, settings.epochs) == (16, 75, 6.0, 28)
    assert "48 training sequences are few" in caplog.text and "--level-db 6.0" in caplog.text
    assert batches(PreparedData(folder), settings, "train").batches == 75
    for given in ({"preset": "quick"}, {"epochs": 28}):
        assert with_preset({"data": folder, **given}).epoch_steps is None
    assert with_preset({"data": folder, "batch_size": 8, "epoch_steps": 10}).epoch_steps == 10


def test_v_of_recordings_comes_from_another_sequence_of_the_recording(tmp_path, caplog):
    caplog.set_level("INFO", logger="tsdsae_keras")
    folder = str(prepare(tmp_path / "data", 48, 6.0, frames=2, recordings=16))
    settings = with_preset({"data": folder})
    assert (settings.v_source, settings.mmd_swap_weight, settings.kl_z_weight) == ("recording", 0.0, 4.0)
    assert "--v-source recording" in caplog.text
    data = PreparedData(folder)
    for rows in batches(data, settings, "train").rows(0, 0):
        of_recording = data.label("train", "recording")[rows]
        assert (of_recording[::2] == of_recording[1::2]).all()
    longer = with_preset({"data": folder, "epochs": 60})
    assert (longer.v_source, longer.epoch_steps, longer.epochs) == ("recording", None, 60)
    assert with_preset({"data": folder, "batch_size": 15}).v_source == "sequence"
    whole = str(prepare(tmp_path / "whole", 48, 6.0, frames=2, recordings=48))  # each has one sequence
    assert with_preset({"data": whole}).v_source == "sequence"
    for given, words in (
        ({"batch_size": 15}, "--batch-size"),
        ({"data": str(prepare(tmp_path / "b", 48, 6.0))}, "none"),
    ):
        with pytest.raises(InputError, match=words):
            settings = with_preset({"data": folder, "preset": "quick", "v_source": "recording", **given})
            batches(PreparedData(settings.data), settings, "train")


def test_levels_are_left_alone_where_silence_has_no_level(tmp_path):
    assert with_preset({"data": str(prepare(tmp_path / "data", 48, 6.0, frames=2))}).level_db == 0.0


def test_many_sequences_are_trained_on_as_the_preset_says(tmp_path):
    folder = str(prepare(tmp_path / "data", 600, 6.0, frames=1, floor_db=60))
    assert with_preset({"data": folder}).replace(data="dmelodies") == with_preset({})


@pytest.mark.parametrize(
    ("count", "contrast", "reason"),
    [(40, 6.0, None), (40, 0.5, "too alike"), (12, 6.0, "48 s of training sound is too little")],
)
def test_why_swaps_cannot_be_learned(tmp_path, count, contrast, reason):
    data = PreparedData(prepare(tmp_path / "data", count, contrast))
    assert spread_of_timbre(data) == pytest.approx(contrast * np.sqrt(np.mean(TILT**2)), abs=0.1)
    found = why_not_to_swap(data)
    assert found is None if reason is None else reason in found
