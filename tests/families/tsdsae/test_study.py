"""The study: its grid, what it refuses, how a run is read, its figures and table; and real runs, killed and gone on."""

import json
import math
from pathlib import Path

import keras
import numpy as np
import pytest

from tests.processes import Script, said, wait_for
from tests.search.small import write_folder
from tsdsae_keras.cli import main
from tsdsae_keras.data.prepared.store import PreparedData
from tsdsae_keras.errors import InputError, TrainingDiverged
from tsdsae_keras.families.tsdsae.evaluation.posteriors import Split
from tsdsae_keras.families.tsdsae.evaluation.subject import TestSubject
from tsdsae_keras.families.tsdsae.study import run as study_run
from tsdsae_keras.families.tsdsae.study.figures import study_figures
from tsdsae_keras.families.tsdsae.study.grid import StudyFolder, grid
from tsdsae_keras.families.tsdsae.study.octave import list_octaves, octave_scores
from tsdsae_keras.families.tsdsae.study.options import StudyOptions
from tsdsae_keras.families.tsdsae.study.results import draw, format_table
from tsdsae_keras.settings import Settings

pytestmark = pytest.mark.no_backend

BACKEND = keras.backend.backend()
SMALL = ["--backend", BACKEND, "--data", "data", "--stage-two-at", "2", "--batch-size", "8", "--v-dim", "2"]
SMALL += ["--optimizers", "adam", "--z-dims", "3", "--pairs", "2", "--watch-every", "0", "--bad-steps", "2"]
STUDY = Script("tuning/study.py", *SMALL)


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return PreparedData(write_folder(tmp_path_factory.mktemp("data") / "small"))


@pytest.fixture
def folder(tmp_path, data):
    made = StudyFolder(tmp_path / "study")
    made.begin(data, 4)
    return made


def test_the_grid_is_the_papers_or_any_part_of_it():
    assert len(grid(Settings(), StudyOptions())) == 4 * 3 * 6 * 2
    part = StudyOptions(models=("tsdsae", "dsae"), z_dims=(8, 8), seeds=(3, 1), optimizers=("adam",))
    names = ["tsdsae-z8-adam-frame-s3", "dsae-z8-adam-frame-s3", "tsdsae-z8-adam-frame-s1", "dsae-z8-adam-frame-s1"]
    assert list(grid(Settings(epochs=9), part)) == names
    assert {each.epochs for each in grid(Settings(epochs=9), part).values()} == {9}
    with pytest.raises(InputError, match="--z-dim is 0"):
        grid(Settings(), StudyOptions(z_dims=(0,)))


def test_a_study_is_of_one_set_of_data_and_pairs(folder, data, tmp_path):
    folder.begin(data, 4)
    with pytest.raises(InputError, match="--pairs is 5"):
        folder.begin(data, 5)
    record = json.loads(folder.record.read_text())
    folder.record.write_text(json.dumps(record | {"data_identity": "other"}))
    with pytest.raises(InputError, match="has changed since"):
        folder.begin(data, 4)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.txt").touch()
    with pytest.raises(InputError, match="not an empty folder"):
        StudyFolder(tmp_path / "full").begin(data, 4)


def test_a_run_that_was_started_keeps_its_settings(folder):
    part = StudyOptions(models=("dsae",), seeds=(1,), z_dims=(8,), optimizers=("adam",))
    [(name, settings)] = grid(Settings(), part).items()
    folder.run(name).create(settings.to_dict() | {"data_folder": "d", "data_identity": "i"})
    folder.check(grid(Settings(data="elsewhere", workers=1), part))
    with pytest.raises(InputError, match=r"holds dsae-z8-adam-frame-s1 with --reach None \(now 0.5\)"):
        folder.check(grid(Settings(stop_at_recon=0.5), part))


def test_a_run_is_made_by_one_process_at_a_time(folder):
    with folder.claim("a") as own, folder.claim("a") as other, folder.claim("b") as next_one:
        assert (own, other, next_one) == (True, False, True)
    folder.run("c").create({})
    with folder.run("c").held(), folder.claim("c") as other:
        assert not other, "somebody resumes the run on its own"
    with folder.claim("c") as own:
        assert own


HISTORY = """epoch,stage,val_recon,val_kl_z,val_kl_v
0,1,0.1,0.0,0.0
1,2,3.0,1.0,0.0
2,2,2.0,0.5,0.25
3,2,1.5,4.0,0.5
"""


@pytest.mark.parametrize(
    ("reach", "reached", "kept", "recon"), [(None, None, 3, 2.0), (1.0, False, 3, 2.0), (1.5, True, 4, 1.5)]
)
def test_the_kept_epoch_is_the_best_or_the_one_that_reached(tmp_path, reach, reached, kept, recon):
    (tmp_path / "history.csv").write_text(HISTORY)
    found = study_run.summarize_training(tmp_path / "history.csv", reach)
    assert (found["reached"], found["kept_epoch"], found["validation"]["recon"]) == (reached, kept, recon)
    assert found["epochs"] == 4


@pytest.mark.parametrize(
    ("died_of", "reason"),
    [(TrainingDiverged("10 steps in a row"), "10 steps in a row"), (MemoryError(), "out of memory: MemoryError")],
)
def test_a_run_that_fails_leaves_the_reason(folder, data, monkeypatch, died_of, reason):
    def fail(*_):
        raise died_of

    monkeypatch.setattr(study_run, "train", fail)
    study_run.make_run(folder, "a", Settings(), data, 4)
    result = json.loads(folder.result("a").read_text())
    assert result["failure"] == reason and result["settings"]["epochs"] == 28


def test_a_full_disk_is_no_result(folder, data, monkeypatch):
    def fail(*_):
        raise InputError("disk full") from OSError("disk full")

    monkeypatch.setattr(study_run, "train", fail)
    with pytest.raises(InputError, match="disk full"):
        study_run.make_run(folder, "a", Settings(), data, 4)
    assert not folder.result("a").exists()


def result(model="tsdsae", z_dim=8, seed=1, f1=1.0, decoder="frame", **more):
    """A made-up result."""
    f1s = {"real": 1.0, "pre": 1.0, "global": f1, "local": f1}
    heard = {"reconstruction": 0.9, "global": 0.8, "local": 0.7, "original": 0.95, "other_melody": 0.4}
    scores = {"own": f1s, "judge": f1s, "pitch": heard, "chroma": heard, "use_of_v": 0.5, "recon": 0.4}
    scores |= {"frechet": {"reconstruction": 3.0, "global": 9.0, "local": None, "half_split": None}}
    if more.get("octaves"):
        scores["octave"] = {"own": f1s, "judge": f1s}
    values = {"model": model, "z_dim": z_dim, "seed": seed, "optimizer": "adam", "decoder": decoder}
    training = {"epochs": 9, "reached": True, "validation": {"recon": 0.5}, "settings": {"epochs": 20}}
    return {"name": f"{model}-{z_dim}-{seed}", **values, **training, "scores": scores} | more


def test_the_table_has_the_median_of_seeds_and_what_is_missing():
    results = [result(seed=seed, f1=f1) for seed, f1 in enumerate((0.25, 1.0, 0.5))]
    results += [result("dsae", f1=None, settings={"epochs": 30}, reached=False), result("dsae", 32, failure="it broke")]
    lines = format_table(results).splitlines()
    header, _, tsdsae, dsae = ([cell.strip() for cell in line.split("|")] for line in lines[:4])
    own = header.index("own F1, after the global swap")
    assert tsdsae[own] == "0.500 (0.250\N{EN DASH}1.000)" and tsdsae[header.index("runs")] == "3"
    assert dsae[own] == "\N{EN DASH}" and dsae[header.index("epochs")] == "9"
    assert "decoder" not in header  # the same in all
    text = "\n".join(lines[4:])
    assert "not the same in all runs: epochs (20, 30)" in text
    assert "asked for: dsae-8-1" in text and "failed: dsae-32-1: it broke" in text


def test_figures_of_what_there_is():
    usual = {"f1.png", "fad_f1.png", "pitch.png"}
    assert set(study_figures([result(f1=None)])) == usual
    both = [result(seed=seed, decoder=decoder) for seed in (1, 2) for decoder in ("frame", "sequence")]
    assert set(study_figures(both)) == usual | {"decoder.png"}
    figures = study_figures([result(octaves=[4, 5]), result("dsae", octaves=[4, 5], seed=2)])
    assert set(figures) == usual | {"octave.png"}
    points = [line.get_ydata() for line in figures["f1.png"].axes[1].lines]
    assert np.concatenate(points).tolist() == [1.0, 1.0]


def test_figures_are_drawn_without_training(folder, capsys):
    with pytest.raises(InputError, match="no result"):
        draw(folder)
    folder.result("a").write_text(json.dumps(result()))
    assert main(["study", "--figures", "--out", str(folder.folder)]) == 0
    assert {path.name for path in folder.figures.iterdir()} == {"f1.png", "fad_f1.png", "pitch.png"}
    folder.result("b").write_text("[]")
    assert main(["study", "--figures", "--out", str(folder.folder)]) == 2
    assert "b.json is not a result of a study" in capsys.readouterr().err


class OfOctaves:
    """Prepared data of two octaves, each heard as a level of the upper or the lower half of the bands."""

    counts = {"train": 16, "test": 8}
    frames, label_names = 6, {"factors": ["octave"]}

    def labels(self, split):
        return {"factors": np.arange(self.counts[split])[:, None] % 2}

    def split(self, name):
        octave = self.labels(name)["factors"][:, 0]
        half = np.where(np.arange(8)[None, :] // 4 == octave[:, None], 4.0, 0.0)[:, None, :]
        x = half + np.random.default_rng(len(octave)).normal(0, 0.1, (len(octave), self.frames, 8))
        return Split(x.astype("float32"), np.arange(len(octave)) // 2 % 2)


class Model:
    """v is the mean frame, z the rest; the decoder adds v, or another's v changes nothing."""

    def __init__(self, uses_v):
        self.uses_v = uses_v

    def encode(self, x, mask=None):
        v = x.mean(axis=1)
        return {"v_mean": v, "z_mean": x - v[:, None] if self.uses_v else x}

    def decode(self, z, v, mask=None):
        return z + v[:, None] if self.uses_v else z


@pytest.mark.parametrize(("uses_v", "after"), [(True, 1.0), (False, 0.0)])
def test_the_octave_follows_v_or_stays_with_z(uses_v, after):
    data = OfOctaves()
    subject = TestSubject(Model(uses_v), data.split("train"), data.split("test"))
    found = octave_scores(subject, data)
    assert list_octaves(data) == [4, 5]
    assert found["own"] == {"pre": 1.0, "global": after, "local": after}
    assert found["judge"] == {"real": 1.0, "pre": 1.0, "global": after, "local": after}


def results_of(folder):
    """{name: result} without what depends on the clock."""
    found = {path.stem: json.loads(path.read_text()) for path in (folder / "study" / "results").glob("*.json")}
    for each in found.values():
        each.pop("seconds", None)
        each["settings"].pop("data")
    return found


@pytest.mark.slow
def test_a_killed_study_resumes_and_comes_to_the_same(tmp_path):
    runs = ["--models", "tsdsae", "dsae", "--seeds", "1", "--epochs", "8"]
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    for each in (whole, broken):
        each.mkdir()
        write_folder(each / "data")
    STUDY.finish(whole, *runs)
    for path in ("tsdsae-z3-adam-frame-s1/checkpoints/epoch-000003.ckpt", "dsae-z3-adam-frame-s1/model.keras"):
        process = STUDY.start(broken, *runs)
        assert wait_for(process, (broken / "study" / "runs" / path).exists), said(broken)
        process.kill()
        process.wait()
    STUDY.finish(broken, *runs, "--workers", "2")
    assert "2 of 2 runs have a result" in said(broken) and "resuming after epoch" in said(broken)
    assert results_of(broken) == results_of(whole)
    assert all(math.isfinite(each["scores"]["recon"]) for each in results_of(whole).values())
    written = {path: path.stat().st_mtime_ns for path in Path(broken / "study" / "results").iterdir()}
    STUDY.finish(broken, *runs)
    assert {path: path.stat().st_mtime_ns for path in written} == written, "a finished result was made again"


@pytest.mark.slow
def test_an_interrupted_study_says_how_to_resume_and_failures_do_not_end_it(tmp_path):
    write_folder(tmp_path / "data")
    runs = ["--models", "dsae", "--seeds", "1", "2", "--epochs", "4000", "--learning-rate", "1e30"]
    STUDY.finish(tmp_path, *runs)
    assert all("no finite loss or gradient" in each["failure"] for each in results_of(tmp_path).values())
    assert len(results_of(tmp_path)) == 2
    runs = ["--models", "dsae", "--seeds", "3", "--epochs", "4000"]
    process = STUDY.start(tmp_path, *runs)
    assert wait_for(process, (tmp_path / "study" / "runs" / "dsae-z3-adam-frame-s3" / "model.keras").exists)
    process.send_signal(2)
    assert process.wait() == 130
    assert "resume with: python tuning/study.py --backend" in said(tmp_path)
    assert "Traceback" not in said(tmp_path)
