"""Group arithmetic and losses held to the authors' numbers, gradients included; closed forms of the losses."""

from pathlib import Path

import numpy as np
import pytest
from keras import ops

from tests.groups.test_groups import gradients_of
from tsdsae_keras import groups
from tsdsae_keras.families.cpd import losses
from tsdsae_keras.ops import unit_vectors

REFERENCE = Path(__file__).parents[2] / "reference" / "cpd" / "groups.npz"
CASES = ("translate3", "translate6", "rotate", "rotate_right", "rotate_vector", "rotate_quaternion")
CASES += ("isometries_2d", "isometries_2d_local")


def case(name):
    """The group of a case and its arrays."""
    with np.load(REFERENCE) as file:
        arrays = {key.removeprefix(f"{name}/"): file[key] for key in file.files if key.startswith(f"{name}/")}
    sized = name.startswith("translate")
    return groups.find_group(name[:-1] if sized else name, int(name[-1]) if sized else 3), arrays


def code_of(group, raw, normalise=True):
    pose = group.pose_activation(raw[:, : group.action_dim])
    extra = raw[:, group.action_dim :]
    return pose, unit_vectors(extra) if normalise else extra


def up_to_sign(group, code):
    """Quaternions with the sign of the largest component made positive."""
    if group.name != "rotate_quaternion":
        return code
    code = np.array(code)
    largest = np.take_along_axis(code[:, :4], np.abs(code[:, :4]).argmax(axis=1)[:, None], axis=1)
    code[:, :4] *= np.sign(largest)
    return code


@pytest.mark.parametrize("name", CASES)
def test_codes_and_actions_are_the_authors(name):
    group, arrays = case(name)
    for letter in "xy":
        code = np.concatenate([ops.convert_to_numpy(part) for part in code_of(group, arrays[f"raw_{letter}"])], axis=1)
        np.testing.assert_allclose(code, arrays[f"code_{letter}"], rtol=1e-4, atol=1e-5)
    pose, extra = code_of(group, arrays["raw_x"])
    acted = group.act(ops.convert_to_tensor(arrays["action"]), pose)
    ten = group.act_in_turn(ops.convert_to_tensor(arrays["actions_10"]), pose)
    for found, expected in ((acted, arrays["acted"]), (ten, arrays["acted_10"])):
        whole = np.concatenate([ops.convert_to_numpy(found), ops.convert_to_numpy(extra)], axis=1)
        np.testing.assert_allclose(up_to_sign(group, whole), up_to_sign(group, expected), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("name", "nuclear"), [*((name, False) for name in CASES), ("rotate_right", True)])
def test_equivariance_and_info_nce_are_the_authors(name, nuclear):
    group, arrays = case(name)
    which = "equivariance_nuclear" if nuclear else "equivariance"
    action = ops.convert_to_tensor(arrays["action"])

    def loss(raw_x, raw_y, terms=(True, True)):
        (p, e), (q, f) = code_of(group, raw_x), code_of(group, raw_y)
        pose = losses.equivariance(group, group.act(action, p), q, nuclear=nuclear)
        return terms[0] * pose + terms[1] * losses.info_nce(e, f)

    raw = arrays["raw_x"], arrays["raw_y"]
    tensors = [ops.convert_to_tensor(value) for value in raw]
    np.testing.assert_allclose(loss(*tensors, (1, 0)), arrays[f"loss/{which}"], rtol=1e-4)
    np.testing.assert_allclose(loss(*tensors, (0, 1)), arrays["loss/info_nce"], rtol=1e-4)
    _, slopes = gradients_of(loss, *raw)
    for letter, slope in zip("xy", slopes, strict=True):
        expected = arrays[f"grad_{which}/raw_{letter}"]
        if name == "rotate_vector":
            # There the class is not part of the loss.
            _, slopes = gradients_of(lambda *raw: loss(*raw, (1, 0)), *raw)
        np.testing.assert_allclose(slope, expected, rtol=1e-4, atol=1e-5)


def _push_apart(codes, partner):
    return losses.push_apart(codes, ops.take(codes, partner, axis=0))


@pytest.mark.parametrize("name", CASES)
def test_the_hinge_is_the_authors(name):
    group, arrays = case(name)
    partner, whole = arrays["hinge_permutation"], name == "rotate_vector"

    def loss(raw_x, raw_y):
        (_, e), (q, f) = code_of(group, raw_x, normalise=False), code_of(group, raw_y, normalise=False)
        if whole:
            return _push_apart(ops.concatenate([q, f], axis=1), partner)
        return ops.mean(ops.square(e - f)) + _push_apart(f, partner)

    value, slopes = gradients_of(loss, arrays["raw_x"], arrays["raw_y"])
    np.testing.assert_allclose(value, arrays["loss/hinge"], rtol=1e-4)
    for letter, slope in zip("xy", slopes, strict=True):
        if slope is not None:
            np.testing.assert_allclose(slope, arrays[f"grad_hinge/raw_{letter}"], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", CASES)
def test_a_perfect_pose_costs_nothing_and_its_gradient_is_finite(name):
    group, arrays = case(name)
    raw = arrays["raw_x"]
    raw[0] = 0
    still = group.identity(len(raw))

    def loss(x, y):
        return losses.equivariance(group, group.act(still, code_of(group, x)[0]), code_of(group, y)[0])

    value, slopes = gradients_of(loss, raw, raw)
    assert value < 1e-6 and all(np.isfinite(slope).all() for slope in slopes)
    if group.name in ("rotate", "rotate_right"):
        p = code_of(group, ops.convert_to_tensor(raw))[0]
        _, (slope,) = gradients_of(losses.nuclear_norm, ops.convert_to_numpy(p - p))
        np.testing.assert_array_equal(slope, np.zeros_like(slope))


@pytest.mark.parametrize("group", [groups.rotate, groups.rotate_right], ids=lambda group: group.name)
def test_a_common_rotation_of_all_poses_changes_nothing(group):
    """From the right for the left action, from the left for the right one."""
    p, q, g = (group.pose_activation(group.draw(6, seed)[:, 0]) for seed in (1, 2, 3))
    action, common = group.draw(6, 4), group.draw(1, 5)
    other = groups.rotate_right if group is groups.rotate else groups.rotate
    moved = [other.act(common, value) for value in (p, q)]
    plain = losses.equivariance(group, group.act(action, p), q)
    np.testing.assert_allclose(losses.equivariance(group, group.act(action, moved[0]), moved[1]), plain, rtol=1e-5)
    assert float(ops.convert_to_numpy(losses.equivariance(group, group.act(action, p), g))) != pytest.approx(plain)


def test_info_nce_of_a_constant_class_is_log_batch_and_of_perfect_ones_its_floor():
    same = np.tile(np.float32([[0.6, 0.8]]), (16, 1))
    np.testing.assert_allclose(losses.info_nce(same, same), np.log(16), rtol=1e-5)
    classes = np.random.default_rng(0).integers(0, 3, 4096)
    corners = np.float32([[1, 0], [-0.5, 3**0.5 / 2], [-0.5, -(3**0.5) / 2]])  # a regular simplex
    e = corners[classes].reshape(-1, 16, 2)
    values = [float(ops.convert_to_numpy(losses.info_nce(batch, batch))) for batch in e]
    assert np.mean(values) == pytest.approx(2.00, abs=0.01)
    assert losses.info_nce_floor(3, 16) == pytest.approx(np.mean(values), abs=0.01)


def test_the_floor_of_info_nce():
    published = {(2, 16): 2.19, (3, 16): 2.00, (4, 16): 1.91, (2, 32): 2.87, (4, 64): 3.24}
    for (classes, batch), floor in published.items():
        assert losses.info_nce_floor(classes, batch) == pytest.approx(floor, abs=0.006)


def test_info_nce_does_not_see_the_order_of_the_batch_nor_overflow():
    e, f = np.random.default_rng(0).normal(size=(2, 6, 4)).astype("float32")
    order = np.random.default_rng(1).permutation(6)
    np.testing.assert_allclose(losses.info_nce(e, f), losses.info_nce(e[order], f[order]), rtol=1e-5)
    assert np.isfinite(ops.convert_to_numpy(losses.info_nce(200 * e, 200 * f, temperature=0.01)))


def test_a_code_that_is_its_own_partner_costs_one_and_pulls_nowhere():
    value, (slope,) = gradients_of(lambda e: losses.push_apart(e, e), np.ones((4, 3), "float32"))
    assert value == 1.0
    np.testing.assert_array_equal(slope, np.zeros((4, 3)))


def test_cross_entropy_is_finite_at_certainty():
    target = np.float32([0, 1, 1, 0])
    value, (slope,) = gradients_of(
        lambda p: losses.binary_cross_entropy(p, ops.convert_to_tensor(target)), np.float32([0, 1, 0, 1])
    )
    assert value == pytest.approx(50.0)  # two of the four clamped at 100 nats
    assert np.isfinite(slope).all()
