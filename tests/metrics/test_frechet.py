"""The distance meets its closed forms, two halves of a set show the effect of sampling, patches are what they claim."""

import json

import numpy as np
import pytest

from tsdsae_keras.errors import InputError
from tsdsae_keras.metrics.frechet import DEPTH, frechet_distance, half_split_distance, logmel_patches

pytestmark = pytest.mark.no_backend


def exactly(mean, covariance, n, seed):
    """n vectors whose mean and unbiased covariance are exactly those asked for."""
    noise = np.random.default_rng(seed).normal(size=(n, len(mean)))
    noise -= noise.mean(axis=0)
    white = np.linalg.solve(np.linalg.cholesky(np.cov(noise, rowvar=False)), noise.T).T
    return white @ np.linalg.cholesky(covariance).T + mean


def rotate(diagonal, angle):
    rotation = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return rotation @ np.diag(diagonal) @ rotation.T


def value(a, b, **options):
    return frechet_distance(a, b, embedding="test", **options)["value"]


def test_a_set_is_at_no_distance_from_itself():
    x = np.random.default_rng(0).normal(size=(300, 40)) * np.logspace(-3, 3, 40)
    scale = np.trace(np.cov(x, rowvar=False))
    assert 0 <= value(x, x) < 1e-10 * scale
    assert 0 <= value(x[:20], x[:20], allow_few=True) < 1e-6 * scale


def test_covariances_that_commute_meet_the_closed_form():
    first, second = np.array([1.0, 4.0, 9.0]), np.array([4.0, 0.25, 9.0])
    gap = np.array([3.0, 0.0, -1.0])
    a, b = exactly(np.zeros(3), np.diag(first), 50, 0), exactly(gap, np.diag(second), 70, 1)
    expected = gap @ gap + ((np.sqrt(first) - np.sqrt(second)) ** 2).sum()
    assert value(a, b) == pytest.approx(expected, abs=1e-8)


@pytest.mark.parametrize("angle", [0.3, 1.1, np.pi / 2])
def test_two_dimensions_meet_the_closed_form(angle):
    # In two dimensions Tr M^1/2 = sqrt(Tr M + 2 sqrt(det M)).
    s_a, s_b = np.diag([2.0, 0.5]), rotate([3.0, 0.1], angle)
    root = np.sqrt(np.trace(s_a @ s_b) + 2 * np.sqrt(np.linalg.det(s_a) * np.linalg.det(s_b)))
    expected = 4.0 + np.trace(s_a) + np.trace(s_b) - 2 * root
    assert value(exactly([0, 2], s_a, 40, 0), exactly([0, 0], s_b, 40, 1)) == pytest.approx(expected, abs=1e-8)


def test_rank_one_sets_on_crossed_lines_share_nothing():
    line = np.array([-1.0, 0.0, 1.0])  # variance 1
    along_x, along_y = np.stack([line, 0 * line], 1), np.stack([0 * line, 2 * line], 1)
    assert value(along_x, along_y) == pytest.approx(1 + 4, abs=1e-12)


def test_symmetric_and_blind_to_rotation_and_shift():
    rng = np.random.default_rng(2)
    a, b = rng.normal(size=(60, 5)), rng.normal(size=(80, 5)) * [1, 2, 0.1, 1, 3] + 0.5
    rotation = np.linalg.qr(rng.normal(size=(5, 5)))[0]
    assert value(b, a) == pytest.approx(value(a, b), rel=1e-9)
    assert value(a @ rotation + 7, b @ rotation + 7) == pytest.approx(value(a, b), rel=1e-9)
    assert value(3 * a, 3 * b) == pytest.approx(9 * value(a, b), rel=1e-9)


def test_duplicated_dimensions_double_it():
    rng = np.random.default_rng(3)
    a, b = rng.normal(size=(50, 4)), rng.normal(size=(50, 4)) * 2 + 1
    assert value(np.hstack([a, a]), np.hstack([b, b])) == pytest.approx(2 * value(a, b), rel=1e-6)


def test_worse_is_farther_and_what_it_cannot_see():
    rng = np.random.default_rng(4)
    real, good = rng.normal(size=(2, 400, 6))
    bells = exactly(np.zeros(6), np.eye(6), 400, 5)
    assert value(real, good) < value(real, good + 0.5) < value(real, 5 * good + 3)
    coins = np.sign(rng.normal(size=(400, 6)))  # of quite another shape, brought to the same mean and covariance
    coins = (coins - coins.mean(0)) @ np.linalg.inv(np.linalg.cholesky(np.cov(coins, rowvar=False))).T
    assert value(bells, coins) == pytest.approx(0, abs=1e-9)


def test_few_vectors_are_refused_unless_asked_and_overstate_it():
    x = np.random.default_rng(5).normal(size=(4000, 20))
    with pytest.raises(InputError, match="20 vectors of dimension 20; give 21 or more, or say allow_few"):
        value(x, x[:20])
    with pytest.raises(InputError, match=r"real has 1 vectors of dimension 20; give 2 or more$"):
        value(x[:1], x, allow_few=True)
    few, fair, many = (value(x[:n], x[n : 2 * n], allow_few=True) for n in (10, 100, 2000))
    assert few > 5 * fair > 25 * many > 0


def test_the_result_carries_name_and_numbers():
    x = np.random.default_rng(6).normal(size=(30, 3)).astype("float32")
    found = frechet_distance(x, x[:20] + 1, embedding="vggish")
    assert found["embedding"] == "vggish" and found["n"] == [30, 20] and found["dimension"] == 3
    assert json.loads(json.dumps(found)) == found


def test_two_halves_are_two_samples_of_half_the_size():
    rng = np.random.default_rng(7)
    split = half_split_distance(rng.normal(size=(1000, 8)), embedding="test", repeats=8)
    halves = np.mean([value(*rng.normal(size=(2, 500, 8))) for _ in range(20)])
    full = np.mean([value(*rng.normal(size=(2, 1000, 8))) for _ in range(20)])
    assert split["n"] == [500, 500] and split["repeats"] == 8
    assert split["value"] == pytest.approx(halves, rel=0.3)
    assert halves / full == pytest.approx(2, rel=0.3)


def test_halves_keep_groups_whole():
    clips = np.random.default_rng(8).normal(size=(200, 4))
    x, clip = np.repeat(clips, 6, axis=0), np.repeat(np.arange(200), 6)
    options = {"embedding": "test", "repeats": 4}
    apart, mixed = half_split_distance(x, groups=clip, **options), half_split_distance(x, **options)
    assert apart["value"] > 2 * mixed["value"]  # six patches alike are one clip, not six
    again, other = (half_split_distance(x, groups=clip, seed=seed, **options) for seed in (0, 1))
    assert apart == again != other


def test_patches_are_means_and_deviations_over_0_96_s():
    x = np.random.default_rng(9).normal(size=(2, 251, 5))
    vectors, clip = logmel_patches(x, 256 / 16000)
    assert vectors.shape == (8, 10) and clip.tolist() == [0] * 4 + [1] * 4
    part = x[1, 120:180]
    np.testing.assert_allclose(vectors[6], np.concatenate([part.mean(0), part.std(0)]), atol=1e-12)
    again, _ = logmel_patches(np.where(np.arange(251)[:, None] < 240, x, 99.0)[:, :240], 0.016)
    np.testing.assert_array_equal(again, vectors)  # what is left over at the end is dropped


def test_short_clips_are_one_patch_and_padding_is_not_heard():
    x = np.random.default_rng(10).normal(size=(2, 130, 3))
    mask = np.arange(130) < np.array([[130], [7]])
    vectors, clip = logmel_patches(np.where(mask[..., None], x, np.nan), 0.016, mask)
    assert clip.tolist() == [0, 0, 1]
    np.testing.assert_allclose(vectors[2], np.concatenate([x[1, :7].mean(0), x[1, :7].std(0)]), atol=1e-12)


def test_silence_lies_80_decibels_below_the_peak():
    x = np.full((1, 60, 2), -36.0, "float32")
    x[0, :30] = 5.0
    (vector,), _ = logmel_patches(x, 0.016)
    np.testing.assert_allclose(vector, [5 - DEPTH / 2] * 2 + [DEPTH / 2] * 2, rtol=1e-6)
    assert pytest.approx(80) == 10 * DEPTH / np.log(10)
    assert logmel_patches(np.full((1, 60, 2), -36.0), 0.016)[0].tolist() == [[-36, -36, 0, 0]]


X = np.zeros((2, 60, 3))


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: value(np.zeros(9), np.zeros((9, 2))), r"real has shape \(9,\)"),
        (lambda: value(np.zeros((9, 3)), np.zeros((9, 2))), "dimension 3 and other 2"),
        (lambda: value(np.full((9, 2), np.nan), np.zeros((9, 2))), "real holds nan"),
        (lambda: half_split_distance(X[0], embedding="test", repeats=0), "repeats is 0"),
        (lambda: half_split_distance(X[0], embedding="test", groups=np.zeros(60)), "has 1 group"),
        (lambda: half_split_distance(X[0], embedding="test", groups=np.zeros(8)), r"groups has shape \(8,\)"),
        (lambda: logmel_patches(X[0], 0.016), r"x has shape \(60, 3\)"),
        (lambda: logmel_patches(X, 0.016, np.ones((2, 59))), r"mask has shape \(2, 59\)"),
        (lambda: logmel_patches(X, 0.016, np.arange(2)[:, None] * np.ones((2, 60))), "clip 0 has no valid frame"),
        (lambda: logmel_patches(X, 1.0), "seconds_per_frame is 1.0"),
        (lambda: logmel_patches(X, -1.0), "seconds_per_frame is -1.0"),
    ],
)
def test_what_cannot_be_measured_is_one_line(call, text):
    with pytest.raises(InputError, match=text) as caught:
        call()
    assert "\n" not in str(caught.value)
