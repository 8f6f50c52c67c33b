"""Images of known poses: what they show, how they are paired, and that the order of draws is fixed."""

import numpy as np
import pytest

from tsdsae_keras.data.sets.colour_shift import ColourShift, saturate
from tsdsae_keras.data.sets.pose_pool import Pool, PoseData
from tsdsae_keras.data.sets.rooms import Rooms
from tsdsae_keras.data.sets.solids import Solids, matrices
from tsdsae_keras.data.sets.sprites import MultiSprites, Sprites, draw_shapes
from tsdsae_keras.errors import InputError

pytestmark = pytest.mark.no_backend

SCENES = [Sprites(), MultiSprites(), ColourShift(), Solids(), Solids(side="right"), Rooms(), Rooms("local")]


def name_of(scene):
    return f"{scene.name} {scene.group}"


def act(group, g, poses):
    """What an action makes of true poses, written out here again."""
    if group == "rotate":
        return g @ poses
    if group == "rotate_right":
        return poses @ g
    if group == "isometries_2d_local":
        c, s = np.cos(poses[:, 2]), np.sin(poses[:, 2])
        shift = np.stack([c * g[:, 0] - s * g[:, 1], s * g[:, 0] + c * g[:, 1], g[:, 2]], axis=1)
        return poses + shift
    return poses + g


@pytest.mark.parametrize("scene", SCENES, ids=name_of)
def test_actions_lead_from_one_image_to_the_next_and_stay_in_the_class(scene):
    pool = Pool(scene, 80, (1,), range(scene.classes))
    assert pool.images.shape == (80, 64, 64, scene.channels) and pool.images.dtype == np.uint8
    rows = pool.rows(np.random.default_rng(0), 50, 3)
    assert len(np.unique(rows)) > 30
    assert (pool.classes[rows] == pool.classes[rows[:, :1]]).all()
    poses, actions = pool.poses[rows[:, 0]], pool.actions(rows)
    for step in range(3):
        poses = act(scene.group, actions[:, step], poses)
        np.testing.assert_allclose(poses, pool.poses[rows[:, step + 1]], atol=1e-5)
    triples = pool.triples(np.random.default_rng(0), 50)
    np.testing.assert_array_equal(triples["y"], pool.images[pool.rows(np.random.default_rng(0), 50)[:, 1]])
    assert set(triples) == {"x", "action", "y"}


@pytest.mark.parametrize("scene", SCENES, ids=name_of)
def test_images_tell_pose_and_class(scene):
    """Rendering is a function of pose and class alone, and other poses or classes look otherwise."""
    pool = Pool(scene, 40, (1,), range(scene.classes))
    np.testing.assert_array_equal(scene.render(pool.poses[:7], pool.classes[:7]), pool.images[:7])
    flat = pool.images.reshape(40, -1).astype(float)
    distance = np.abs(flat[:, None] - flat[None]).mean(axis=2) + np.eye(40)
    assert distance.min() > 0.05
    if scene.shares_poses:
        both = scene.render(pool.poses[[0, 0]], np.array([0, 1]))
        assert np.abs(both[0].astype(float) - both[1]).mean() > 0.05


def test_a_square_covers_what_it_should():
    """Of half-length .8 r, r = 10 s, centred at (16 + 32 u, 48 - 32 v)."""
    image = draw_shapes(np.array([[0.5, 0.25]]), np.array([1.0]), np.array([0]))[0]
    expected = np.zeros((64, 64))
    expected[32:48, 24:40] = 1
    np.testing.assert_array_equal(image, expected)


@pytest.mark.parametrize(("shape", "area"), [(0, 1.6**2), (1, np.pi * 0.6), (2, None)])
def test_shapes_have_their_area_wherever_they_are(shape, area):
    places = np.random.default_rng(0).random((20, 2))
    pixels = draw_shapes(places, np.full(20, 0.9), np.full(20, shape)).sum(axis=(1, 2)) / 81
    assert pixels.std() < 0.05  # the edge of a square lies between two samples, a quarter of a pixel apart
    if area:
        assert pixels.mean() == pytest.approx(area, rel=0.01)


def test_sprites_add_up_where_they_overlap():
    image = MultiSprites().render(np.full((1, 6), 0.5), np.array([0]))[0]
    assert (image[32, 32] == 255).all() and image[0, 0].sum() == 0


def test_hues_are_those_of_the_colour_circle():
    import colorsys

    hues = np.linspace(0, 0.9, 19)
    np.testing.assert_allclose(saturate(hues), [colorsys.hsv_to_rgb(hue, 1, 1) for hue in hues], atol=1e-6)


def test_a_cube_at_rest_shows_one_face():
    """Along z, the third face of the palette, of 2 x .62 x 26 pixels, lit by .45 + .55 x .77."""
    image = Solids().render(np.eye(3)[None], np.array([0]))[0].astype(float)
    seen = image.max(axis=2) > 0
    assert seen.sum() == 32**2
    np.testing.assert_allclose(image[32, 32] / 255, np.array([0.25, 0.40, 0.95]) * (0.45 + 0.55 * 0.77), atol=0.003)


def test_a_quarter_turn_of_a_body_is_a_quarter_turn_of_its_outline():
    pose = matrices(np.random.default_rng(0).normal(size=(1, 4)))
    quarter = np.array([[0.0, -1, 0], [1, 0, 0], [0, 0, 1]])
    images = Solids().render(np.concatenate([pose, quarter @ pose]), np.array([1, 1])).max(axis=3) > 0
    np.testing.assert_array_equal(np.rot90(images[0]), images[1])


def test_rotations_can_be_kept_near_the_pose_of_rest():
    poses = Solids(largest_angle=90.0).draw_poses(np.random.default_rng(0), np.zeros(200, int))
    angles = np.degrees(np.arccos((np.trace(poses, axis1=1, axis2=2) - 1) / 2))
    assert angles.max() <= 90 and angles.mean() > 55


def test_a_wall_is_as_high_as_its_distance_says():
    """Along x from the centre of the room of 4 x 3 the wall is 2 away; half of it takes 32 x .5 / 2 rows."""
    image = Rooms().render(np.zeros((1, 3)), np.array([0]))[0].astype(float)
    column = np.abs(np.diff(image[:, 32], axis=0)).sum(axis=1) > 5
    assert np.flatnonzero(column).tolist() == [23, 39]  # 32 -+ 32 x .5 / 2 = 24 and 40


def test_turning_to_the_left_moves_the_picture_to_the_right():
    views = Rooms().render(np.array([[0, 0, 0], [0, 0, np.radians(20)]], "float32"), np.array([0, 0]))
    shift = round(32 * np.tan(np.radians(20)))
    ahead = views[0, 32, 32].astype(float)
    assert np.abs(views[1, 32, 32 + shift] - ahead).max() < 12


def test_splits_share_no_image_and_draws_depend_on_their_seed_alone():
    data = PoseData(Sprites(), images=40, held_out=30, seed=3)
    poses = [set(map(tuple, data.pool(split).poses)) for split in ("train", "validation", "test")]
    assert not poses[0] & poses[1] and not poses[0] & poses[2] and not poses[1] & poses[2]
    again = PoseData(Sprites(), images=40, held_out=30, seed=3)
    assert again.identity == data.identity != PoseData(Sprites(), images=40, held_out=30, seed=4).identity
    first, second = (each.triples("train", np.random.default_rng(1), 5) for each in (data, again))
    for name, values in first.items():
        np.testing.assert_array_equal(values, second[name])


def test_last_images_can_be_kept_distinct():
    pool = Pool(Sprites(), 40, (1,), range(3))
    rows = pool.rows(np.random.default_rng(0), 96, 2, distinct=32)
    assert all(len(set(batch)) == 32 for batch in rows[:, -1].reshape(3, 32))
    among = np.flatnonzero(pool.classes == 1)
    rows = pool.rows(np.random.default_rng(0), 20, 1, distinct=5, among=among)
    assert set(rows.ravel()) <= set(among) and len(set(rows[:5, -1])) == 5


def test_classes_can_be_left_out():
    data = PoseData(Sprites(), images=40, held_out=30, left_out=(1,))
    assert set(data.pool("train").classes) == set(data.pool("test").classes) == {0, 2}
    assert set(data.pool("left_out").classes) == {1}
    assert "left_out" in data.splits and "left_out" not in PoseData(Sprites()).splits
    with pytest.raises(InputError, match="1 classes are left"):
        PoseData(Sprites(), left_out=(0, 1))
    with pytest.raises(InputError, match="has class 3"):
        PoseData(Sprites(), left_out=(3,))
