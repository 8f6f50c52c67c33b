"""What TensorBoard shows of a run, the page of an evaluation, and runs of several seeds as one row."""

import json
import re
import shutil
from types import SimpleNamespace

import numpy as np
import pytest

from tsdsae_keras.base.loading import load_model
from tsdsae_keras.cli import main
from tsdsae_keras.data.sets import open_data
from tsdsae_keras.families import find_family
from tsdsae_keras.families.selfie.pictures import map_figure, principal_plane, show_map, write_map
from tsdsae_keras.families.selfie.report import rows
from tsdsae_keras.settings import Settings
from tsdsae_keras.training.fitting import build_model
from tsdsae_keras.training.run import RunFolder, recorded_settings
from tsdsae_keras.training.train import record_of

pytestmark = pytest.mark.no_backend  # all three go the same way


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run folder with a small model that was not trained."""
    folder = tmp_path_factory.mktemp("selfie")
    settings = Settings(model="selfie-style", **find_family("selfie-style").smallest | {"cache": str(folder / "cache")})
    data = open_data(settings)
    run = RunFolder(folder / "run")
    run.create(record_of(settings, data))
    build_model(settings, data).save(run.model)
    run.evaluation.write_text("{}")  # as if it was finished
    return run


def test_tensorboard_has_a_map_and_the_match_of_views(run, tmp_path):
    told, settings = {}, recorded_settings(run)
    writer = SimpleNamespace(picture=lambda name, png, step: told.setdefault(name, png))
    data, model = open_data(settings), load_model(run.model)
    show_map(data, settings)(model, writer, 0)
    write_map(model, data, tmp_path / "map.png")
    assert set(told) == {"embeddings", "views"}
    assert all(png[:4] == b"\x89PNG" for png in (*told.values(), (tmp_path / "map.png").read_bytes()))


def test_the_page_has_intervals_maps_and_players(run, capsys):
    assert main(["evaluate", str(run.folder), "--tasks", "synth6"]) == 0
    assert "reconstruction of ours" in capsys.readouterr().out
    page = (run.folder / "report.html").read_text()
    titles = re.findall(r"<figcaption><strong><bdi>([^<]+)</bdi>", page)
    assert titles == ["Map of synth6", "Map of the pool", "Views"] and "a reconstruction of ours" in page
    assert page.count("data:audio/ogg;base64,") == 6 and len(page) < 3_000_000
    result = json.loads(run.evaluation.read_text())
    groups = {group["group"]: group["rows"] for group in rows(result)}
    assert list(groups) == ["synth6", "projections of validation clips"]
    for row in groups["synth6"]:
        assert row["interval"][0] <= row["value"] <= row["interval"][1] and row["worst"] == pytest.approx(1 / 6)
    assert "mean of 3 seeds" in {row["name"]: row["note"] for row in groups["synth6"]}["untrained"]


def test_runs_of_several_seeds_are_one_row(run, tmp_path, capsys):
    for seed in (0, 1):
        shutil.copytree(run.folder, tmp_path / "full" / f"seed-{seed}")
    arguments = ["probe", str(tmp_path / "full"), "synth6", "--compare", str(run.folder), "--cache", str(tmp_path)]
    assert main([*arguments, "--out", str(tmp_path / "scores.json")]) == 0
    scores = json.loads((tmp_path / "scores.json").read_text())["synth6"]
    both, alone = scores[str(tmp_path / "full")], scores[str(run.folder)]
    assert both["seeds"] == [alone["value"]] * 2 and both["value"] == alone["value"]
    assert "seeds" not in alone


def test_a_map_shows_what_lies_in_a_plane():
    rng = np.random.default_rng(0)
    plane = rng.normal(size=(60, 2)) * (3, 1)
    x = plane @ np.linalg.qr(rng.normal(size=(5, 5)))[0][:2] + 4
    points, share = principal_plane(x)
    assert points.shape == (60, 2) and share.sum() == pytest.approx(1, abs=1e-6)
    figure = map_figure(x, ["a", "b", "c"] * 20, marked=[0, 4])
    assert [text.get_text() for text in figure.axes[0].texts] == ["1", "2"]
    assert len(figure.axes[0].collections) == 3
