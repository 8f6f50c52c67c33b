"""The ball: physics, camera and pictures, held to the authors' numbers and pictures."""

from pathlib import Path

import numpy as np
import pytest

from tsdsae_keras.data.sets import ball, ball_render
from tsdsae_keras.data.sets.cards.ball import BallSettings

pytestmark = pytest.mark.no_backend

REFERENCE = Path(__file__).parents[2] / "reference" / "sps" / "ball.npz"
STORED = np.load(REFERENCE)


def test_trajectories_are_those_of_the_authors():
    found = ball.trajectories(STORED["initial"], 20)
    np.testing.assert_allclose(found, STORED["trajectory"], atol=0.006)
    np.testing.assert_allclose(found, STORED["trajectory_exact"], atol=1e-9)


def test_a_ball_keeps_nine_tenths_of_its_speed():
    """Dropped from height h it rises to .81 h, .6561 h ..."""
    path = ball.trajectories([[0, 1.0, 0, 0, 0, 0]], 20_000)[0, :, 1]  # the bounces end after finitely many seconds
    assert path[-1] == 0 and path.min() == 0
    first = np.sqrt(2 / 10)
    step = ball.STEP
    after = path[int(np.ceil(first / step)) : int((first + 2 * 0.9 * np.sqrt(20) / 10) / step)]
    assert after.max() <= 0.81 + 1e-9


def test_the_camera_is_that_of_the_authors():
    place = ball_render.project(STORED["frame_position"])
    np.testing.assert_allclose(place, np.stack([STORED["frame_pixel_x"], STORED["frame_pixel_y"]], -1), atol=1e-9)
    np.testing.assert_allclose(
        ball_render.eye_coordinates(STORED["frame_position"])[:, 2], STORED["frame_depth"], atol=1e-9
    )


def test_pictures_are_those_of_the_authors():
    error = np.abs(ball_render.render(STORED["frame_position"]).astype(float) - STORED["frame"])
    assert error.mean() < 1 and error.max() < 20
    beyond = ball_render.render([0, 0.5, 40.0]).astype(float)
    assert np.abs(beyond - STORED["background"]).mean() < 1


def test_data_are_equal_for_equal_seeds_and_every_ball_is_in_view():
    settings = BallSettings(trajectories=4, test_trajectories=3, frames=6, data_seed=3)
    data, again = ball.open_balls(settings), ball.open_balls(settings)
    assert data.identity == again.identity
    assert data.x["train"].shape == (4, 6, 32, 32, 3) and data.x["train"].dtype == np.uint8
    np.testing.assert_array_equal(data.x["test"], again.x["test"])
    assert (data.frames("train").max(axis=(2, 3, 4)) >= 0.5).all()
    x, y, z = np.moveaxis(data.labels["train"][:, 0], -1, 0)
    assert (np.abs(x) <= 3).all() and (y == 1).all() and ((z >= 0) & (z <= 3)).all()
    assert ball.open_balls(BallSettings(trajectories=4, test_trajectories=3, frames=6)).identity != data.identity


@pytest.mark.parametrize("kind", ["seven", "continuous"])
def test_coloured_balls_show_their_colour(kind):
    rng = np.random.default_rng(1)
    colours = ball.draw_colours(rng, 8, kind)
    pictures = ball_render.render(np.tile([0.0, 1.0, 0.0], (8, 1)), colours)
    column, row = np.floor(ball_render.project([0.0, 1.0, 0.0])).astype(int)
    middle = pictures[:, row, column] / 255
    assert len(np.unique(middle, axis=0)) > 3
    ratio = middle / colours
    np.testing.assert_allclose(ratio, ratio[:, :1].repeat(3, axis=1), atol=0.1)  # one shade on all three channels
