"""The page of an evaluation, the decoder of frozen codes, and the points that figures show."""

import json
import shutil

import numpy as np
import pytest

from tests.families.cpd.test_evaluation import oracle, pose_code, sprites_code
from tsdsae_keras import cli
from tsdsae_keras.data.sets.pose_pool import Pool
from tsdsae_keras.data.sets.rooms import Rooms
from tsdsae_keras.data.sets.solids import Solids, matrices
from tsdsae_keras.data.sets.sprites import Sprites
from tsdsae_keras.families.cpd import decoding, figures
from tsdsae_keras.families.cpd.baselines import Linear, MDPHomomorphism
from tsdsae_keras.families.cpd.codes import DataCodes
from tsdsae_keras.families.cpd.decoding import FrozenDecoder, reconstruct, true_codes
from tsdsae_keras.families.cpd.evaluation import evaluate
from tsdsae_keras.families.cpd.model import CPD
from tsdsae_keras.families.cpd.pose_space import pose_points, rotation_vectors
from tsdsae_keras.families.cpd.report import rows
from tsdsae_keras.report.figures import png_bytes

pytestmark = pytest.mark.no_backend  # runs, codes and decoders of every backend are in test_pretrained.py


@pytest.fixture(scope="module")
def run(finished_run, tmp_path_factory):
    """A copy of the run."""
    return shutil.copytree(finished_run, tmp_path_factory.mktemp("report") / "run")


def test_evaluate_writes_scores_and_a_page_with_all_its_pictures(run, capsys):
    assert cli.main(["evaluate", str(run), "--decoder-steps", "2"]) == 0
    assert "reconstruction of frozen codes" in capsys.readouterr().out
    result = json.loads((run / "evaluation.json").read_text())
    assert result["reconstruction"]["steps"] == 2 and "40" in result["curve"]
    page = (run / "report.html").read_text()
    for title in ("Neighbours of predicted codes", "Poses", "Classes", "Trajectories", "Hit-rate by steps", "Decoded"):
        assert title in page
    assert page.count("data:image/png;base64,") == 6


def test_without_a_decoder_its_score_is_left_out(run, tmp_path):
    assert cli.main(["evaluate", str(run), "--decoder-steps", "0", "--out", str(tmp_path / "scores.json")]) == 0
    assert "reconstruction" not in json.loads((tmp_path / "scores.json").read_text())
    assert (tmp_path / "report.html").read_text().count("data:image/png;base64,") == 5


def test_a_negative_number_of_steps_is_refused(run, capsys):
    assert cli.main(["evaluate", str(run), "--decoder-steps", "-1"]) == 2
    assert "--decoder-steps is -1; it must be 0 or more" in capsys.readouterr().err
    assert cli.main(["evaluate", str(run), "--frames", "50"]) == 2  # an option of another family
    assert "--frames cannot be used with cpd" in capsys.readouterr().err


def test_the_table_goes_by_steps_and_every_score_has_its_direction():
    result = evaluate(*oracle(Sprites(), sprites_code, left_out=(2,)), seed=0)
    groups = {group["group"]: group["rows"] for group in rows(result)}
    rates = groups["hit-rate among 32, by steps"]
    assert [row["name"] for row in rates[:4]] == ["1 step", "2 steps", "5 steps", "10 steps"]
    assert [row["name"] for row in rates[9:11]] == ["40 steps", "1, among the 5 nearest"]
    directions = {row["name"]: row["direction"] for row in groups["pose and class"]}
    assert directions["class accuracy"] == "higher" and directions["pose error, place (pixels)"] == "lower"
    assert directions["InfoNCE"] == "lower"
    assert "hit-rate, steps: 20" in {row["name"] for row in groups["classes that training never showed"]}


def test_a_code_without_place_is_decoded_worse_than_the_true_pose_and_class(monkeypatch):
    # A small decoder that learns fast shows the difference in seconds.
    monkeypatch.setattr(decoding, "BATCH", 32)
    monkeypatch.setattr(decoding, "RATE", 8e-3)

    def sizes_alone(poses, classes):
        return np.concatenate([poses * np.float32([0, 0, 1]), sprites_code(poses, classes)[:, 3:]], axis=1)

    found = {}
    for name, code_of in (("whole", sprites_code), ("lost", sizes_alone)):
        codes = DataCodes(*oracle(Sprites(), code_of, images=600, held_out=64))
        found[name], images, decoded = reconstruct(codes, 0, steps=120, width=6)
        assert images.shape == decoded.shape == (64, 64, 64, 1)
    whole, lost = found["whole"], found["lost"]
    assert whole["best"] < 0.8 * whole["worst"]  # the true pose is worth something
    gap = whole["worst"] - whole["best"]
    assert whole["value"] - whole["best"] < 0.3 * gap and lost["value"] - lost["best"] > 0.7 * gap
    assert lost["worst"] == whole["worst"]


def test_a_decoder_learns_which_of_two_images_it_is():
    images = np.zeros((2, 64, 64, 1), "uint8")
    images[1] = 255
    codes = np.float32([[5.0, 1.0], [5.0, 3.0]])  # a number that never varies is not an obstacle
    decoder = FrozenDecoder(np.repeat(codes, 8, axis=0), np.repeat(images, 8, axis=0), steps=300, width=4)
    decoded = decoder.decode(codes)
    assert decoded[0].mean() < 0.2 and decoded[1].mean() > 0.8
    expected = np.square(decoded - images / 255).mean(axis=(1, 2, 3))
    np.testing.assert_allclose(decoder.errors(codes, images), expected, rtol=1e-4)


def test_true_codes_tell_angles_by_cosine_and_sine():
    pool = Pool(Rooms(), 8, (0,), (0, 1))
    codes = true_codes(pool)
    np.testing.assert_allclose(codes[:, :2], pool.poses[:, :2])
    np.testing.assert_allclose(np.arctan2(codes[:, 3], codes[:, 2]), pool.poses[:, 2], atol=1e-5)
    np.testing.assert_array_equal(codes[:, 4:].argmax(axis=1), pool.classes)
    assert true_codes(Pool(Solids(), 4, (0,), (0, 1, 2))).shape == (4, 12)


def test_rotation_vectors_point_along_the_axis_by_the_angle():
    half = np.radians(40) / 2
    about_z = matrices(np.array([[np.cos(half), 0, 0, np.sin(half)]]))
    np.testing.assert_allclose(rotation_vectors(about_z), [[0, 0, 40]], atol=1e-9)


POINTS = {
    "translate": (CPD, {"dims": 6}, 3),
    "translate, a plane": (CPD, {"dims": 2}, 2),
    "translate, a line": (CPD, {"dims": 1}, 2),
    "rotate": (CPD, {"group": "rotate"}, 3),
    "quaternions": (CPD, {"group": "rotate_quaternion"}, 3),
    "plane": (CPD, {"group": "isometries_2d"}, 2),
    "vector": (Linear, {"group": "rotate"}, 3),
    "latent": (MDPHomomorphism, {"latent_dim": 11}, 3),
}


@pytest.mark.parametrize("case", POINTS)
def test_poses_of_every_group_have_points(case):
    kind, how, dims = POINTS[case]
    model = kind(width=1, seed=0, **how)
    images = np.random.default_rng(0).integers(0, 256, (12, 64, 64, 1), dtype="uint8")
    points, names = pose_points(model, model.encode(images)["code"])
    assert points.shape == (12, dims) and np.isfinite(points).all()
    assert len(names) == len(set(names)) == dims


@pytest.mark.parametrize("scene", [Solids(), Rooms(), Sprites()], ids=lambda scene: scene.name)
def test_figures_of_every_kind_of_pose_are_drawn(scene):
    model, data = oracle(scene, sprites_code if scene.name == "sprites" else pose_code(scene))
    codes = DataCodes(model, data).of("test")
    panels = [figures.pose_figure(model, codes), figures.trajectory_figure(model, codes)]
    views = len(panels[0].axes)
    assert views == (4 if scene.name != "rooms" else 1)
    # An ideal code leads exactly to the codes of the true images.
    for axes in panels[1].axes:
        true, predicted = (np.stack(line.get_data()) for line in axes.lines)
        np.testing.assert_allclose(true, predicted, atol=1e-2)
    assert all(png_bytes(figure).startswith(b"\x89PNG") for figure in panels)
