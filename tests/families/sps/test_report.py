"""What TensorBoard shows of a run, and the page of an evaluation."""

import json
import re

import keras
import numpy as np
import pytest

from tests.families.sps.test_use import MAJOR, note
from tsdsae_keras.base.loading import load_model
from tsdsae_keras.cli import main
from tsdsae_keras.data.sets import open_data
from tsdsae_keras.data.sets.frame_sequences import FrameSequences
from tsdsae_keras.families import find_family
from tsdsae_keras.families.sps.building import build
from tsdsae_keras.families.sps.evaluation import music
from tsdsae_keras.families.sps.evaluation.rows import TITLES, rows
from tsdsae_keras.families.sps.evaluation.scores import evaluate
from tsdsae_keras.families.sps.model import SPS
from tsdsae_keras.families.sps.pictures import figures, show_codes, sounds
from tsdsae_keras.families.sps.watch import watch
from tsdsae_keras.report.figures import png_bytes
from tsdsae_keras.settings import Settings
from tsdsae_keras.training.run import RunFolder, recorded_settings
from tsdsae_keras.training.train import record_of

pytestmark = pytest.mark.no_backend  # all three go the same way

FEW = {"data": "ball", "trajectories": 6, "test_trajectories": 6, "frames": 7}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run folder with a small model that was not trained."""
    settings = Settings(model="sps", **find_family("sps").smallest | FEW)
    data = open_data(settings)
    run = RunFolder(tmp_path_factory.mktemp("sps") / "run")
    run.create(record_of(settings, data))
    build(settings, data).save(run.model)
    run.evaluation.write_text("{}")  # as if it was finished
    return run


class Writer:
    """What TensorBoard is told."""

    def __init__(self):
        self.told = {}

    def picture(self, name, png, step):
        self.told[name] = png

    def sound(self, name, samples, rate, step):
        self.told[name] = samples


def test_tensorboard_has_codes_and_roll_outs(run):
    writer = Writer()
    show_codes(open_data(recorded_settings(run)))(load_model(run.model), writer, 0)
    assert set(writer.told) == {"codes", "roll-out"} and all(png[:4] == b"\x89PNG" for png in writer.told.values())


def test_the_page_has_trajectories_and_every_score_an_untrained_value(run, capsys):
    assert main(["evaluate", str(run.folder)]) == 0
    assert "linear probe, mean of the axes" in capsys.readouterr().out
    page = (run.folder / "report.html").read_text()
    titles = re.findall(r"<figcaption><strong><bdi>([^<]+)</bdi>", page)
    assert titles == ["Place against codes", "Trajectories", "Roll-outs"]
    scores = json.loads(run.evaluation.read_text())["scores"]
    assert {name for name in TITLES if name.startswith(("probe", "own"))} <= set(scores)
    check_scores(scores)


def check_scores(scores):
    """Each has an interval, which holds the value where that is a mean, and the value of an untrained model."""
    for name, found in scores.items():
        low, high = found["interval"]
        assert low <= high and np.isfinite(found["untrained"]), name
        if name.startswith(("probe", "own", "recon", "imagined", "code_error", "commutation")):
            assert low <= found["value"] <= high, name


@pytest.fixture(scope="module")
def melodies():
    """A small model of music, and scales of harmonic tones."""
    keras.utils.set_random_seed(0)
    model = SPS("music", channels=(2, 2, 2, 2), decoder_units=(4,), prior_units=4, center=True, seed=0)
    pitch = np.add.outer(np.linspace(61, 72, 5), MAJOR[:5]).astype("float64")
    x = np.stack([[note(each) for each in row] for row in pitch])
    splits = ("train", "validation", "test")
    x, labels = dict.fromkeys(splits, x), dict.fromkeys(splits, pitch[..., None])
    data = FrameSequences("music", x, labels, ("pitch",), "tones")
    model.adapt(x["train"])
    return model, data


def test_every_score_of_music_has_an_interval_and_an_untrained_value(melodies, monkeypatch):
    monkeypatch.setattr(music, "GRID", 6)
    monkeypatch.setattr(music, "SHIFTS", np.array([-1.0, 0.0, 1.0]))
    model, data = melodies
    result = evaluate(model, data)
    assert set(result["scores"]) == set(TITLES) - {name for name in TITLES if name.startswith(("probe", "own"))}
    check_scores(result["scores"])
    assert len(rows(result)) == len(result["scores"])
    shown = figures(model, data, result)
    assert list(shown) == ["Pitch against code", "Pitch of what codes sound like", "Roll-outs"]
    for each in shown.values():
        assert png_bytes(each["image"])[:4] == b"\x89PNG" and each["alt"]
    line = shown["Pitch of what codes sound like"]["image"].axes[0].lines[1]
    slope = np.diff(line.get_ydata()) / np.diff(line.get_xdata())
    np.testing.assert_allclose(slope, result["points"]["slope"], rtol=1e-6)


def test_tensorboard_plays_what_is_imagined(melodies):
    model, data = melodies
    writer = Writer()
    show_codes(data)(model, writer, 0)
    told = writer.told
    assert set(told) == {"codes", "roll-out", "reconstructed", "imagined"}
    assert len(told["imagined"]) == len(told["reconstructed"]) == 512 * (5 * 5 - 1)
    names = [each["name"] for each in sounds(model, data)]
    assert names == ["original", "reconstructed", "imagined", "codes shifted by -1", "codes shifted by +1"]


def test_the_watch_sees_how_near_the_codes_are_to_the_truth():
    rng = np.random.default_rng(0)
    x = {split: np.uint8(rng.integers(0, 256, (4, 5, 32, 32, 3))) for split in ("train", "validation")}
    model = SPS("video", channels=(2, 2, 3), decoder_units=(4,), prior_units=4)
    labels = {split: 2.0 - 3.0 * model.encode(frames / np.float32(255))["mean"][..., :2] for split, frames in x.items()}
    labels = {split: np.concatenate([each, rng.normal(size=(4, 5, 1))], axis=-1) for split, each in labels.items()}
    known = FrameSequences("video", x, labels, ("x", "y", "z"), "planted")
    found = watch(known, None).measure(model)
    assert found["probe_x"] < 1e-6 and found["probe_y"] < 1e-6 and found["probe_z"] > 0.5
    assert set(watch(FrameSequences("video", x, {}, (), "unknown"), None).measure(model)) == {"z_std"}
