"""The laws of LAP and UNI, against pairs that the authors' loader drew and against closed forms."""

from pathlib import Path

import numpy as np
import pytest

from tsdsae_keras.data.sets.dsprites_render import GRID, render
from tsdsae_keras.data.sets.transitions import Grid, draw_pairs, lap, uni
from tsdsae_keras.errors import InputError

pytestmark = pytest.mark.no_backend

REFERENCE = Path(__file__).parents[2] / "reference" / "slowvae"
with np.load(REFERENCE / "pairs.npz", allow_pickle=False) as _arrays:
    PAIRS = dict(_arrays)
KINDS = {
    "lap": {},
    "lap_random_rate": {"rate": -1},
    "uni": {"kind": "uni"},
    "uni_k2": {"kind": "uni", "changed": 2},
}
GRIDS = {
    "dsprites": GRID,
    "cars3d": Grid(("elevation", "azimuth", "type"), (4, 24, 183), ("type",)),
    "shapes3d": Grid(tuple("fwosha"), (10, 10, 10, 8, 4, 15), ("h",)),
}
N = 40_000


def check_within_four_errors(found, expected, n, deviation):
    """Two means of independent draws, n[0] and n[1] of them, differ by at most four standard errors."""
    error = deviation * np.sqrt(sum(1 / each for each in n))
    assert (np.abs(found - expected) <= 4 * error + 1e-12).all(), (found, expected, error)


@pytest.mark.parametrize("name", KINDS)
def test_pairs_are_distributed_as_the_authors(name):
    pairs = draw_pairs(GRID, np.random.default_rng(0), N, **KINDS[name]).reshape(N, 2, 5)
    step = np.abs(pairs[:, 1] - pairs[:, 0])
    n = N, int(PAIRS[f"{name}/n"])
    chance = PAIRS[f"{name}/p_change"]
    check_within_four_errors((step > 0).mean(axis=0), chance, n, np.sqrt(chance * (1 - chance)))
    check_within_four_errors(step.mean(axis=0), PAIRS[f"{name}/mean_abs_step"], n, step.std(axis=0))
    check_within_four_errors(pairs[:, 1].mean(axis=0), PAIRS[f"{name}/mean_end"], n, pairs[:, 1].std(axis=0))
    share = PAIRS[f"{name}/n_changed"]
    found = np.bincount((step > 0).sum(axis=1), minlength=6) / N
    check_within_four_errors(found, share, n, np.sqrt(share * (1 - share)))
    steps = np.stack([np.bincount(column, minlength=40) for column in step.T]) / N
    known = PAIRS[f"{name}/abs_step_hist"]
    known = known / known.sum(axis=1, keepdims=True)
    common = known * n[1] >= 10  # where counts are near normal
    check_within_four_errors(steps[common], known[common], n, np.sqrt(known * (1 - known))[common])


@pytest.mark.parametrize("name", GRIDS)
def test_lap_on_other_grids(name):
    grid, exact = GRIDS[name], {key: PAIRS[f"exact_lap/{name}/{key}"] for key in ("p_change", "mean_abs_step")}
    start = grid.draw(np.random.default_rng(0), N)
    step = np.abs(lap(grid, start, np.random.default_rng(1)) - start)
    chance = exact["p_change"]
    check_within_four_errors((step > 0).mean(axis=0), chance, (N,), np.sqrt(chance * (1 - chance)))
    check_within_four_errors(step.mean(axis=0), exact["mean_abs_step"], (N,), step.std(axis=0))


@pytest.mark.parametrize("size, origin", [(6, 0), (6, 3), (40, 0), (40, 20), (32, 16)])
def test_lap_from_one_value(size, origin):
    grid = Grid(tuple("abcde"), (size, 40, 40, 40, 40))  # with four others it hardly ever happens that nothing moves
    start = np.concatenate([np.full((N, 1), origin), GRID.draw(np.random.default_rng(0), N)[:, 1:]], axis=1)
    end = lap(grid, start, np.random.default_rng(2))
    known = PAIRS[f"transition/{size}_from_{origin}"]
    share = np.bincount(end[:, 0], minlength=size) / N
    check_within_four_errors(share, known, (N,), np.sqrt(known * (1 - known)))


def test_every_pair_differs_and_categories_stay():
    start = GRID.draw(np.random.default_rng(0), 5000)
    for rate in (1, 10, -1):
        end = lap(GRID, start, np.random.default_rng(1), rate)
        assert (end != start).any(axis=1).all()
        np.testing.assert_array_equal(end[:, 0], start[:, 0])
        assert (end >= 0).all() and (end < GRID.sizes).all()
    assert ((uni(GRID, start, np.random.default_rng(1), 3) != start).sum(axis=1) == 3).all()


def test_grids_on_which_nothing_can_move():
    fixed = Grid(("a", "b"), (3, 1), categorical=("a",))
    with pytest.raises(InputError, match="no factor among a, b has an order"):
        lap(fixed, np.zeros((2, 2), int), np.random.default_rng(0))
    with pytest.raises(InputError, match="2 factors cannot change"):
        uni(fixed, np.zeros((2, 2), int), np.random.default_rng(0), 2)


def test_index_of_the_last_factor_is_fastest():
    assert GRID.index([[0, 0, 0, 0, 1], [2, 5, 39, 31, 31]]).tolist() == [1, 737_279]


def test_the_renderer_draws_the_published_frames():
    with np.load(REFERENCE / "dsprites_frames.npz", allow_pickle=False) as arrays:
        factors, packed = arrays["factors"], arrays["images"]
    images = np.unpackbits(packed, axis=1).reshape(-1, 64, 64, 1)
    differ = (render(factors) != images).sum(axis=(1, 2, 3))
    assert (differ == 0).sum() >= 263
    assert differ.sum() <= 20


def test_the_renderer_knows_its_symmetries():
    factors = GRID.draw(np.random.default_rng(0), 200)
    turned = factors.copy()
    factors[:, 2], turned[:, 2] = 0, 39
    np.testing.assert_array_equal(render(factors), render(turned))
    square = render([[0, 5, 0, 0, 0]])[0, ..., 0]  # pixel centres less than 9.6 from 16, both ways: 6.5 to 25.5
    assert square.sum() == square[6:26, 6:26].sum() == 400
