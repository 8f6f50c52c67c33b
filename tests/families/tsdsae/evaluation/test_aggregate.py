"""The mixture finds the clusters of the codes, and draws come from where they lie."""

import numpy as np
import pytest

from tsdsae_keras.errors import InputError
from tsdsae_keras.families.tsdsae.evaluation.aggregate import CodeMixture, draw, fit_code_mixture

pytestmark = pytest.mark.no_backend

MEANS = np.array([[-6.0, 0.0, 2.0], [0.0, 6.0, 0.0], [6.0, -6.0, 0.0]])
SPREADS = np.array([[1.0, 0.5, 0.1], [0.5, 1.0, 1.0], [0.2, 0.2, 0.2]])


def clusters(n, seed):
    rng = np.random.default_rng(seed)
    member = rng.integers(3, size=n)
    return MEANS[member] + SPREADS[member] * rng.normal(size=(n, 3))


def test_components_are_found_and_met():
    mixture = fit_code_mixture(clusters(300, 0))
    order = mixture.means[:, 0].argsort()
    assert len(mixture.weights) == 3
    np.testing.assert_allclose(mixture.means[order], MEANS, atol=0.3)
    np.testing.assert_allclose(mixture.weights, 1 / 3, atol=0.08)
    deviations = np.sqrt(np.diagonal(mixture.covariances[order], axis1=1, axis2=2))
    np.testing.assert_allclose(deviations, SPREADS, rtol=0.2)


def test_draws_have_the_moments_of_the_mixture():
    covariances = np.array([[[1.0, 0.8], [0.8, 1.0]], [[0.25, 0.0], [0.0, 4.0]]])
    mixture = CodeMixture(np.array([0.25, 0.75]), np.array([[-10.0, 0.0], [10.0, 1.0]]), covariances)
    drawn = draw(mixture, 40_000, seed=0)
    left = drawn[:, 0] < 0
    assert left.mean() == pytest.approx(0.25, abs=0.01)
    for mean, covariance, part in zip(mixture.means, covariances, (drawn[left], drawn[~left]), strict=True):
        np.testing.assert_allclose(part.mean(0), mean, atol=0.05)
        np.testing.assert_allclose(np.cov(part, rowvar=False), covariance, atol=0.08)


def test_seeds_fix_fit_and_draw():
    v = clusters(90, 1)
    first, again = (draw(fit_code_mixture(v, 3, seed=3), 20, seed=4) for _ in range(2))
    np.testing.assert_array_equal(first, again)
    assert (first != draw(fit_code_mixture(v, 3, seed=3), 20, seed=5)).all()


def test_last_digits_of_the_codes_do_not_move_the_draws():
    v = clusters(300, 0)
    other = v + 1e-6 * np.random.default_rng(1).normal(size=v.shape)
    np.testing.assert_allclose(
        draw(fit_code_mixture(other), 50, seed=4), draw(fit_code_mixture(v), 50, seed=4), atol=1e-4
    )


def test_one_cluster_is_one_component():
    v = np.random.default_rng(2).normal(size=(200, 4))
    mixture = fit_code_mixture(v)
    assert len(mixture.weights) == 1
    np.testing.assert_allclose(mixture.means[0], v.mean(0), atol=1e-9)
    np.testing.assert_allclose(mixture.covariances[0], np.cov(v, rowvar=False, ddof=0), atol=1e-5)


@pytest.mark.parametrize("n", [2, 5, 17, 40])
def test_few_codes_of_many_dimensions_still_make_a_mixture(n):
    v = np.random.default_rng(n).normal(size=(n, 16))
    mixture = fit_code_mixture(v)
    assert len(mixture.weights) <= max(1, n // 17)
    drawn = draw(mixture, 200, seed=0)
    assert np.isfinite(drawn).all()
    assert np.abs(drawn.mean(0) - v.mean(0)).max() < 0.5 and drawn.std() < 2 * v.std()


def test_codes_that_hardly_vary_are_drawn_where_they_lie():
    ideal = np.repeat([[1.0, -1.0, 0.0], [-1.0, 1.0, 0.0]], 100, axis=0)  # one code a timbre, one dimension unused
    drawn = draw(fit_code_mixture(ideal), 500, seed=0)
    distance = np.minimum(*(np.abs(drawn - code).max(1) for code in ideal[[0, -1]]))
    assert distance.max() < 0.01
    assert draw(fit_code_mixture(np.ones((9, 2))), 5, seed=0) == pytest.approx(1, abs=1e-4)


@pytest.mark.parametrize(
    ("v_mean", "components", "text"),
    [
        (np.zeros(8), None, r"shape \(8,\)"),
        (np.zeros((1, 8)), None, r"shape \(1, 8\)"),
        (np.full((4, 2), np.inf), None, "nan or infinity"),
        (np.zeros((4, 2)), 5, "components is 5; it should be from 1 to 4"),
        (np.zeros((4, 2)), 0, "components is 0"),
    ],
)
def test_what_cannot_be_fitted_is_one_line(v_mean, components, text):
    with pytest.raises(InputError, match=text):
        fit_code_mixture(v_mean, components)
