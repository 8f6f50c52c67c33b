"""Laws of the groups, on every backend."""

from types import SimpleNamespace

import keras
import numpy as np
import pytest
from keras import ops
from scipy.linalg import expm
from scipy.spatial.transform import Rotation

from tests.gradients import terms_and_gradients
from tsdsae_keras import groups
from tsdsae_keras.errors import InputError
from tsdsae_keras.groups import rotations

POSES = [groups.find_group(name) for name in groups.POSES] + [groups.Translations(6)]
CODES = [(groups.Translation((0,), 4.0), 1), (groups.Translation((0, 2)), 3), (groups.PlaneRotation((0, 2)), 3)]
CODES += [(groups.PlaneRotation((0, 1)), 2), (groups.SpaceRotation(), 3), (groups.SpaceRotation((1, 2, 3)), 4)]


def name_of(value):
    return getattr(value, "name", None)


def draw_elements(group, n=6, seed=0):
    """n poses, and three elements for each."""
    raw = np.random.default_rng(seed).normal(size=(n, group.action_dim)).astype("float32")
    return group.pose_activation(ops.convert_to_tensor(raw)), *(group.draw(n, seed + k) for k in (1, 2, 3))


def check_close(left, right, atol=1e-5):
    np.testing.assert_allclose(ops.convert_to_numpy(left), ops.convert_to_numpy(right), rtol=1e-5, atol=atol)


@pytest.mark.parametrize("group", POSES, ids=name_of)
def test_poses_obey_the_laws(group):
    p, g1, g2, g3 = draw_elements(group)
    p = group.act(group.identity(6), p)  # the quaternion with the real part that an action gives
    moved = group.act(g1, p)
    check_close(group.act(g2, moved), group.act(group.compose(g2, g1), p))
    check_close(group.act(group.inverse(g1), moved), p)
    check_close(group.act(group.identity(6), p), p)
    both = group.compose(g3, group.compose(g2, g1)), group.compose(group.compose(g3, g2), g1)
    check_close(group.act(both[0], p), group.act(both[1], p))
    check_close(group.act_in_turn(ops.stack([g1, g2, g3], axis=1), p), group.act(both[0], p))
    check_close(group.distance(p, p), np.zeros(6))


@pytest.mark.parametrize("group", [group for group in POSES if group.name != "rotate_vector"], ids=name_of)
def test_two_poses_tell_what_leads_from_one_to_the_other(group):
    p, g, *_ = draw_elements(group)
    check_close(group.relative(p, group.act(g, p)), g)


def test_a_vector_does_not_tell_its_rotation():
    with pytest.raises(InputError, match="rotate_vector"):
        groups.rotate_vector.relative(np.ones((1, 3)), np.ones((1, 3)))


def test_local_motions_are_products_of_matrices():
    """SE(2) as 3 x 3 matrices acting from the right."""

    def matrix(a, b, angle):
        c, s = np.cos(angle), np.sin(angle)
        return np.array([[c, -s, a], [s, c, b], [0, 0, 1]])

    group = groups.isometries_2d_local
    raw = np.random.default_rng(3).normal(size=(1, 3)).astype("float32")
    g = np.random.default_rng(4).normal(size=(1, 3)).astype("float32")
    product = matrix(*raw[0]) @ matrix(*g[0])
    expected = [[product[0, 2], product[1, 2], product[0, 0], product[1, 0]]]
    check_close(group.act(ops.convert_to_tensor(g), group.pose_activation(ops.convert_to_tensor(raw))), expected)


@pytest.mark.parametrize("group", [groups.rotate, groups.rotate_right], ids=name_of)
def test_rotations_stay_rotations_over_twenty_steps(group):
    p = draw_elements(group)[0]
    for step in range(20):
        p = group.act(group.draw(6, step), p)
    matrix = ops.convert_to_numpy(rotations.matrices(p))
    np.testing.assert_allclose(matrix @ matrix.transpose(0, 2, 1), np.broadcast_to(np.eye(3), (6, 3, 3)), atol=1e-5)
    np.testing.assert_allclose(np.linalg.det(matrix), 1, atol=1e-5)


LENGTHS = (0, 1e-30, 1e-8, 1e-4, 0.316, 0.3163, 1, np.pi, 10)


def vectors():
    direction = np.array([0.48, -0.6, 0.64])
    return np.array([length * direction for length in LENGTHS], "float32")


def test_the_exponential_is_that_of_the_skew_matrix():
    v = vectors()
    found = ops.convert_to_numpy(rotations.exponential(ops.convert_to_tensor(v)))
    skew = [np.array([[0, a, b], [-a, 0, c], [-b, -c, 0]]) for a, b, c in v.astype("float64")]
    np.testing.assert_allclose(found, [expm(matrix) for matrix in skew], atol=2e-6)
    turned = Rotation.from_rotvec(np.stack([-v[:, 2], v[:, 1], -v[:, 0]], axis=1).astype("float64"))
    np.testing.assert_allclose(found, turned.as_matrix(), atol=2e-6)


def gradients_of(function, *arrays):
    variables = [keras.Variable(array, name=f"v{i}") for i, array in enumerate(arrays)]
    holder = SimpleNamespace(variables=variables)

    def terms():
        return {"loss": function(*(ops.convert_to_tensor(variable) for variable in variables))}

    value, gradients = terms_and_gradients(holder, terms)
    return value["loss"], [gradients[variable.path] for variable in variables]


def weigh(values):
    """A sum in which every entry counts differently."""
    weights = np.random.default_rng(9).normal(size=values.shape).astype("float32")
    return ops.sum(values * ops.convert_to_tensor(weights))


@pytest.mark.parametrize("group", POSES, ids=name_of)
def test_gradients_are_finite_at_awkward_values(group):
    raw = np.zeros((len(LENGTHS), group.action_dim), "float32")
    raw[:, : min(3, group.action_dim)] = vectors()[:, : min(3, group.action_dim)]
    g = ops.convert_to_numpy(group.draw(len(raw), 0))
    g[:4] = ops.convert_to_numpy(group.identity(4))
    _, (slope, of_action) = gradients_of(lambda raw, g: weigh(group.act(g, group.pose_activation(raw))), raw, g)
    assert np.isfinite(slope).all() and np.isfinite(of_action).all()


def test_the_gradient_of_the_exponential_is_that_of_differences():
    v = np.array([[1e-5, 0, 0], [0.1, 0.2, -0.22], [0.2, -0.2, 0.1], [2.0, 0.5, -1.0]], "float32")
    weights = np.random.default_rng(9).normal(size=(4, 3, 3))

    def plain(v):
        skew = [np.array([[0, a, b], [-a, 0, c], [-b, -c, 0]]) for a, b, c in v]
        return sum(np.sum(weight * expm(matrix)) for weight, matrix in zip(weights, skew, strict=True))

    _, (slope,) = gradients_of(
        lambda v: ops.sum(rotations.exponential(v) * ops.convert_to_tensor(weights.astype("float32"))), v
    )
    for place in np.ndindex(v.shape):
        step = np.zeros(v.shape)
        step[place] = 1e-5
        expected = (plain(v.astype("float64") + step) - plain(v.astype("float64") - step)) / 2e-5
        np.testing.assert_allclose(slope[place], expected, rtol=1e-4, atol=1e-4)


def test_quaternions_and_matrices_agree():
    turns = Rotation.random(50, random_state=0)
    # Half turns about the axes, and next to them, where three of the four components vanish.
    special = Rotation.from_rotvec(np.pi * np.concatenate([np.eye(3), np.eye(3) * (1 - 1e-4)]))
    for rotation in (turns, special, Rotation.identity(2)):
        matrix = rotation.as_matrix().astype("float32")
        q = ops.convert_to_numpy(rotations.quaternions_of(ops.convert_to_tensor(matrix)))
        expected = np.roll(rotation.as_quat(), 1, axis=1)  # scipy puts the real part last
        np.testing.assert_allclose(np.abs(np.sum(q * expected, axis=1)), 1, atol=1e-6)
        assert (q[:, 0] >= 0).all()
        np.testing.assert_allclose(rotations.matrices_of(ops.convert_to_tensor(q)), matrix, atol=1e-6)


def test_quaternions_are_as_far_apart_as_their_matrices():
    p, g, *_ = draw_elements(groups.rotate_quaternion)
    q = groups.rotate_quaternion.act(g, p)
    matrices = (rotations.rows(rotations.matrices_of(value)) for value in (p, q))
    check_close(groups.rotate_quaternion.distance(p, q), groups.rotate.distance(*matrices))
    check_close(groups.rotate_quaternion.distance(p, -p), np.zeros(6))


def test_rotations_are_drawn_uniformly():
    drawn = ops.convert_to_numpy(groups.rotate.draw(4000, 0))
    assert np.abs(drawn.mean(axis=0)).max() < 0.04  # of a uniform rotation 0, 7 standard errors
    # The angle of a uniform rotation has mean pi/2 + 2/pi.
    angle = np.arccos(np.clip((np.trace(drawn, axis1=1, axis2=2) - 1) / 2, -1, 1))
    assert abs(angle.mean() - (np.pi / 2 + 2 / np.pi)) < 0.05


@pytest.mark.parametrize(("group", "dims"), CODES, ids=lambda value: name_of(value) or str(value))
def test_groups_of_codes_obey_the_laws(group, dims):
    groups.check_group(group, dims)
    z = np.random.default_rng(0).normal(size=(4, 5, dims)).astype("float32")
    g = group.draw(4, 0)
    moved = ops.convert_to_numpy(group.act(g, ops.convert_to_tensor(z)))
    for t in range(5):  # the same element at every time
        check_close(moved[:, t], group.act(g, ops.convert_to_tensor(z[:, t])))
    for axis in set(range(dims)) - set(group.axes):
        np.testing.assert_array_equal(moved[..., axis], z[..., axis])


def test_a_rotation_of_the_plane_turns_as_written():
    z, angle = np.array([[1.0, 5.0, 2.0]], "float32"), np.array([[0.3]], "float32")
    c, s = np.cos(0.3), np.sin(0.3)
    moved = groups.PlaneRotation((0, 2)).act(ops.convert_to_tensor(angle), ops.convert_to_tensor(z))
    check_close(moved, z @ np.array([[c, 0, -s], [0, 1, 0], [s, 0, c]]))


class Scaling(groups.Group):
    """A user's group: positive factors of all axes."""

    def act(self, g, p):
        return g * p

    def compose(self, g2, g1):
        return g1 * g2

    def inverse(self, g):
        return 1 / g

    def identity(self, n):
        return ops.ones((n, 1))

    def draw(self, n, seed):
        return ops.exp(keras.random.uniform((n, 1), -1, 1, seed=seed))


def test_a_group_of_ones_own_is_checked():
    groups.check_group(Scaling(), 3)
    for method, wrong, law in (
        ("inverse", lambda g: -g, "inverse"),
        ("inverse", lambda g: g / 0.0, "inverse"),
        ("identity", lambda n: ops.zeros((n, 1)), "identity"),
        ("compose", lambda g2, g1: g1, "compose"),
        ("act", lambda g, p: ops.concatenate([p, g], axis=-1), "shape"),
    ):
        group = Scaling()
        setattr(group, method, wrong)
        with pytest.raises(InputError, match=law):
            groups.check_group(group, 3)


@pytest.mark.parametrize(
    ("group", "actions", "reason"),
    [
        (groups.rotate, np.eye(3)[None] * 1.1, "row 0: R R^T differs from I by 0.21"),
        (groups.rotate, np.stack([np.eye(3), np.diag([1, 1, -1])]), "row 1: its determinant is -1"),
        (groups.rotate, np.zeros((2, 9)), "takes numbers"),
        (groups.translate, np.zeros((2, 4)), "takes numbers"),
        (groups.translate, np.array([["a", "b", "c"]]), "takes numbers"),
        (groups.isometries_2d, np.array([[0, 0, 0], [0, np.nan, 0]]), "not finite in row 1"),
    ],
)
def test_what_is_not_in_the_group_is_refused(group, actions, reason):
    with pytest.raises(InputError, match=reason.replace("^", r"\^")):
        group.check(actions)


def test_elements_of_the_group_are_accepted():
    for group in POSES:
        group.check(ops.convert_to_numpy(group.draw(5, 0)))


def test_an_unknown_group_is_refused():
    with pytest.raises(InputError, match="translate or rotate"):
        groups.find_group("dihedral")
