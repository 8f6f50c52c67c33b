"""Views: each distortion in closed form, and batches that depend on (seed, epoch, step) alone."""

import numpy as np
import pytest

from tests.families.selfie.small import Pool, run_settings
from tsdsae_keras.families.selfie.batches import Views, batches, scale_of
from tsdsae_keras.families.selfie.views import ViewSettings, crop_matrix, draw_crop, fade, make_view, mix, normalise

pytestmark = pytest.mark.no_backend


def test_mixing_adds_energies():
    x, other = (np.random.default_rng(seed).normal(size=(3, 4, 5)).astype("float32") for seed in (0, 1))
    share = np.array([0.0, 0.2, 0.5])
    mixed = mix(x, other, share)
    np.testing.assert_allclose(mixed[0], x[0], rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(np.exp(mixed[1]), 0.8 * np.exp(x[1]) + 0.2 * np.exp(other[1]), rtol=1e-5)
    np.testing.assert_allclose(mix(x, x, share), x, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(("start", "length"), [(0, 8), (2, 4), (-3, 12), (5, 1), (-4, 6)])
def test_a_crop_is_linear_interpolation_with_zeros_outside(start, length):
    x = np.random.default_rng(0).normal(size=8)
    found = crop_matrix(np.array([start]), np.array([length]), 8)[0] @ x
    places = start + np.linspace(0, 1, 8) * (length - 1)
    expected = np.interp(places, np.arange(-9, 18), np.pad(x, (9, 10)))
    np.testing.assert_allclose(found, expected, atol=1e-6)
    if (start, length) == (0, 8):
        np.testing.assert_allclose(found, x, atol=1e-6)


def test_crops_stay_on_their_canvas():
    matrices = draw_crop(np.random.default_rng(0), 500, 16, 0.6, 1.5, canvas=1.0)
    np.testing.assert_allclose(matrices.sum(axis=2), 1, atol=1e-5)  # no zeros are met where the canvas is the clip
    whole = np.abs(matrices - np.eye(16)).max(axis=(1, 2)) < 1e-6
    assert whole.mean() == pytest.approx(5 / 9, abs=0.07)  # a larger crop is held to the canvas
    assert (draw_crop(np.random.default_rng(0), 500, 16, 0.6, 1.5, canvas=1.5).sum(axis=2) < 0.5).any()


def test_a_fade_adds_a_line_over_time():
    x = np.zeros((2, 5, 3), "float32")
    faded = fade(x, np.array([[1.0, -1.0], [0.5, 0.5]]))
    np.testing.assert_allclose(faded[0, :, 1], [1, 0.5, 0, -0.5, -1])
    np.testing.assert_allclose(faded[1], 0.5)


def test_both_views_are_normalised_together():
    first, second = normalise(*np.random.default_rng(0).normal(3, 2, (2, 4, 6, 5)).astype("float32"))
    both = np.stack([first, second])
    assert both.mean() == pytest.approx(0, abs=1e-5) and both.std() == pytest.approx(1, abs=1e-5)
    assert abs(first.mean()) > 1e-4


def test_a_view_without_distortion_is_the_standardised_clip():
    x = np.random.default_rng(0).normal(size=(2, 6, 5)).astype("float32")
    still = ViewSettings(mixup=0, smallest=1, largest=1, fader=0)
    np.testing.assert_allclose(
        make_view(x, x[::-1], (0.5, 2.0), still, np.random.default_rng(0)), (x - 0.5) / 2, atol=1e-5
    )


def test_a_batch_depends_on_seed_epoch_and_step_alone():
    through = Views(Pool(), run_settings(), "train")
    made = {(epoch, step): through.make(epoch, step) for epoch in range(3) for step in range(4)}
    alone = Views(Pool(), run_settings(), "train").make(2, 1)
    for name in ("first", "second"):
        np.testing.assert_array_equal(made[2, 1][name], alone[name])
        assert not np.array_equal(made[2, 1][name], made[2, 2][name])
    other = Views(Pool(), run_settings(seed=6), "train").make(2, 1)
    assert not np.array_equal(other["first"], alone["first"])


def test_the_memory_holds_the_latest_windows_and_only_those():
    pool = Views(Pool(), run_settings(), "train")
    assert pool._recall(0, 0, np.random.default_rng(0)) is None
    earlier = []  # in the order in which they were drawn
    for epoch, step in ((0, 2), (0, 3), (1, 0)):
        clips, starts = pool._windows(epoch)
        rows = slice(step * 3, step * 3 + 3)
        earlier += list(pool._read(clips[rows], starts[rows, 0]))
    now = pool._recall(1, 1, np.random.default_rng(1))
    seen = set()
    for seed in range(40):
        for window in pool._recall(1, 1, np.random.default_rng(seed)):
            found = [number for number, known in enumerate(earlier) if np.array_equal(known, window)]
            assert found, "a window that is not in the memory of 7"
            seen |= set(found)
    assert now.shape == (3, 12, 8) and len(seen) >= 5
    assert max(seen) == 8


def test_windows_lie_in_their_clips_and_short_clips_are_padded_by_silence():
    pool = Views(Pool(), run_settings(), "train")
    clips, starts = pool._windows(0)
    lengths = pool.clips.lengths[clips]
    assert (starts >= 0).all() and (starts + 12 <= np.maximum(lengths, 12)[:, None]).all()
    short = pool.clips.read([4], [0], 12)[0]
    np.testing.assert_allclose(short[9:], np.log(1e-5), rtol=1e-6)
    np.testing.assert_allclose(short[:9, 0], 4 + np.arange(9) / 100, rtol=1e-6)


def test_two_crops_start_from_two_windows():
    still = {"mixup": 0, "smallest_crop": 1, "largest_crop": 1, "fader": 0}
    one = Views(Pool((40, 40)), run_settings(**still), "train").make(0, 0)
    two = Views(Pool((40, 40)), run_settings(**still, two_crops=True), "train").make(0, 0)
    np.testing.assert_allclose(one["first"], one["second"], atol=1e-6)
    assert not np.allclose(two["first"], two["second"], atol=1e-3)


def test_the_scale_is_that_of_what_is_valid():
    data = Pool()
    values = np.concatenate([np.tile(i + np.arange(n) / 100, 8) for i, n in enumerate((20, 12, 40, 16, 9))])
    assert scale_of(data) == pytest.approx((values.mean(), values.std()), rel=1e-5)


def test_streams_give_every_epoch_its_own_batches_and_validation_always_the_same():
    stream = batches(Pool(), run_settings(), "train")
    seen = []
    for epoch in (0, 1, 0):
        stream.set_epoch(epoch)
        seen.append([batch["first"].numpy() for batch in stream.dataset])
    assert len(seen[0]) == stream.batches == 4
    np.testing.assert_array_equal(seen[0], seen[2])
    assert not np.array_equal(seen[0], seen[1])
    held = batches(Pool(), run_settings(), "validation")
    held.set_epoch(0)
    first = [batch["second"].numpy() for batch in held.dataset]
    held.set_epoch(3)
    np.testing.assert_array_equal(first, [batch["second"].numpy() for batch in held.dataset])
