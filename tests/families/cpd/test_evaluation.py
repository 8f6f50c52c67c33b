"""Scores of ideal, constant and wrong codes, and a short run of a real model."""

import numpy as np
import pytest

from tsdsae_keras.data.sets.pose_pool import PoseData
from tsdsae_keras.data.sets.rooms import Rooms
from tsdsae_keras.data.sets.solids import Solids, matrices
from tsdsae_keras.data.sets.sprites import Sprites
from tsdsae_keras.families.cpd.baselines import MDPHomomorphism
from tsdsae_keras.families.cpd.evaluation import evaluate, fall, flat, table
from tsdsae_keras.families.cpd.model import CPD
from tsdsae_keras.families.cpd.offsets import nearest_rotation
from tsdsae_keras.families.cpd.pictures import neighbours_png

pytestmark = pytest.mark.no_backend  # what an oracle says is scored in NumPy; actions have laws of their own

CORNERS = np.float32([[1, 0], [-0.5, 3**0.5 / 2], [-0.5, -(3**0.5) / 2]])  # a regular simplex
TURN = matrices(np.random.default_rng(0).normal(size=(3, 4)))


class Oracle(CPD):
    """Codes from the true pose and class of an image, which it is told when the image is rendered."""

    def tell(self, scene, code_of):
        self.seen, render = {}, scene.render
        length = self.group_dim + self.extra_dim

        def tell(poses, classes):
            images = render(poses, classes)
            codes = np.array(code_of(poses, classes), "float32").reshape(len(images), length)
            self.seen |= {image.tobytes(): code for image, code in zip(images, codes, strict=True)}
            return images

        scene.render = tell
        self.unknown = np.zeros(length, "float32")
        return self

    def encode(self, x):
        return {"code": np.stack([self.seen.get(image.tobytes(), self.unknown) for image in x])}


def sprites_code(poses, classes):
    return np.concatenate([poses + np.float32([[0, 0, 0], [3, 1, 0], [0, 2, 5]])[classes], CORNERS[classes]], axis=1)


def pose_code(scene):
    """The true pose times a constant of the class, on the side that the action leaves free."""

    def code_of(poses, classes):
        if scene.group == "rotate":
            pose = (poses @ TURN[classes]).reshape(-1, 9)
        elif scene.group == "rotate_right":
            pose = (TURN[classes] @ poses).reshape(-1, 9)
        else:
            spin = np.array([0.7, -1.1])[classes]
            place = poses[:, 0] + 1j * poses[:, 1]
            place = place * np.exp(1j * spin) if scene.group == "isometries_2d_local" else place
            place, angle = place + np.array([1 + 2j, -3])[classes], poses[:, 2] + spin
            pose = np.stack([place.real, place.imag, np.cos(angle), np.sin(angle)], axis=1)
        return np.concatenate([pose, CORNERS[classes]], axis=1)

    return code_of


def oracle(scene, code_of, **data):
    model = Oracle(group=scene.group, dims=scene.dims, channels=scene.channels, width=1, extra_dim=2)
    return model.tell(scene, code_of), PoseData(scene, **{"images": 64, "held_out": 240, **data})


def test_ideal_codes_score_the_best():
    result = evaluate(*oracle(Sprites(), sprites_code), seed=0)
    for name, scores in flat(result).items():
        if name == "InfoNCE":  # its floor is a mean over random batches
            assert scores["value"] == pytest.approx(scores["best"], abs=0.02)
        else:
            assert scores["value"] == pytest.approx(scores["best"], abs=1e-5), name
        assert scores["interval"][0] <= scores["value"] <= scores["interval"][1]
    assert result["lossless"]["value"] > 100
    assert result["hit_rate"].keys() == {"1", "10", "20"} and result["hit_rate"]["20"]["n"] == 2048
    assert {each["value"] for each in result["curve"].values()} == {1.0} and "40" in result["curve"]
    assert "hit-rate, steps: 20" in table(result)


def test_what_is_lost_with_steps_has_an_interval():
    def curve(last):
        return {str(n): {"value": value, "n": 2000} for n, value in ((1, 0.95), (5, 0.9), (40, last))}

    low, high = fall(curve(0.945))["interval"]
    assert low < 0 < high and fall(curve(0.945))["value"] == pytest.approx(0.005)
    # The standard error of a difference of two shares: sqrt(.95 .05 / 2000 + .5 .5 / 2000) = .0122.
    assert fall(curve(0.5))["interval"] == pytest.approx([0.45 - 1.96 * 0.0122, 0.45 + 1.96 * 0.0122], abs=1e-4)


def test_constant_codes_score_the_worst():
    result = evaluate(
        *oracle(Sprites(), lambda poses, classes: np.tile(np.float32([0, 0, 0, 1, 0]), (len(poses), 1))), 0
    )
    assert result["hit_rate"]["1"]["value"] < 0.2  # the action still moves the pose, but towards nothing
    assert result["info_nce"]["value"] == pytest.approx(result["info_nce"]["worst"], abs=1e-5)
    assert result["class_accuracy"]["value"] == pytest.approx(1 / 3, abs=0.1)
    assert result["lossless"]["value"] == 0
    assert result["pose_error"]["place (pixels)"]["value"] == pytest.approx(32 / 4, rel=0.1)  # of a uniform place


def test_a_wrong_class_and_a_wrong_pose_are_told_apart():
    def swap(poses, classes):
        code = sprites_code(poses, classes)
        code[:, 3:] = np.random.default_rng(len(poses)).permutation(code[:, 3:])
        return code

    result = evaluate(*oracle(Sprites(), swap), seed=0)
    assert result["pose_error"]["place (pixels)"]["value"] < 1e-4
    assert result["class_accuracy"]["value"] < 0.5

    def still(poses, classes):
        return sprites_code(0 * poses, classes)

    result = evaluate(*oracle(Sprites(), still), seed=0)
    assert result["class_accuracy"]["value"] == 1 and result["hit_rate"]["1"]["value"] < 0.3


SCENES = [Solids(), Solids(side="right"), Rooms(), Rooms("local")]


@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.group)
def test_poses_are_right_up_to_a_constant_of_the_class(scene):
    result = evaluate(*oracle(scene, pose_code(scene)), seed=0)
    assert all(result["hit_rate"][steps]["value"] == 1 for steps in ("1", "10", "20"))
    assert result["pose_error"] and all(each["value"] < 0.05 for each in result["pose_error"].values())


def test_classes_that_were_left_out_are_scored_apart():
    result = evaluate(*oracle(Sprites(), sprites_code, left_out=(2,)), seed=0)
    assert result["left_out"]["hit_rate"]["10"]["value"] == 1
    assert result["left_out"]["pose_error"]["place (pixels)"]["value"] < 1e-4
    assert "left out: hit-rate, steps: 10" in table(result)
    assert result["class_accuracy"]["worst"] == 0.5


def test_a_baseline_has_no_pose_and_no_class():
    model = MDPHomomorphism(width=1, latent_dim=3, seed=0)
    data = PoseData(Sprites(), images=64, held_out=64)
    result = evaluate(model, data, seed=0)
    assert set(result) == {"hit_rate", "hit_rate_5", "curve", "fall", "lossless", "settings"}
    assert 0 <= result["hit_rate"]["1"]["value"] < 0.5
    assert neighbours_png(model, data, "test", "epoch 1").startswith(b"\x89PNG")


def test_the_nearest_rotation_of_a_rotation_is_itself_and_of_a_mirror_image_a_rotation():
    np.testing.assert_allclose(nearest_rotation(2 * TURN[0]), TURN[0], atol=1e-12)
    assert np.linalg.det(nearest_rotation(TURN[0] @ np.diag([1, 1, -0.1]))) == pytest.approx(1)
