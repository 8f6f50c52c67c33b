"""Linear probes: what they can read and cannot, and that ridge is the closed form."""

import numpy as np
import pytest
from sklearn.linear_model import Ridge

from tsdsae_keras.errors import InputError
from tsdsae_keras.metrics.linear_probes import PROTOCOLS, STRENGTHS, _ridge, draw_fifth, predict_linear

pytestmark = pytest.mark.no_backend


def clusters(n=240, d=12, spread=0.3, seed=0):
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 3, n)
    return np.eye(d)[labels] * 3 + spread * rng.normal(size=(n, d)), np.array(["a", "b", "c"])[labels]


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_clusters_are_read_and_noise_is_not(protocol):
    x, labels = clusters(1200)  # of far fewer, so many epochs at this rate would not be enough
    answer = predict_linear(x[:800], labels[:800], x[800:], protocol=protocol)
    assert (answer == labels[800:]).mean() > 0.98
    noise = np.random.default_rng(1).normal(size=x.shape)
    answer = predict_linear(noise[:800], labels[:800], noise[800:], protocol=protocol)
    assert (answer == labels[800:]).mean() < 0.45


def test_ridge_is_the_closed_form():
    x, labels = clusters(60)
    member = np.unique(labels, return_inverse=True)[1]
    for strength, scores in zip((10.0, 1000.0), _ridge(x, member, 3, (10.0, 1000.0)), strict=True):
        expected = Ridge(alpha=strength).fit(x, 2.0 * np.eye(3)[member] - 1).predict(x)
        np.testing.assert_allclose(scores(x), expected, rtol=1e-8, atol=1e-10)
    assert (STRENGTHS[0], STRENGTHS[-1]) == pytest.approx((10, 10**4))


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_scale_and_shift_of_dimensions_change_nothing(protocol):
    x, labels = clusters(spread=1.5)
    scale, shift = np.geomspace(0.01, 100, 12), np.arange(12)
    expected = predict_linear(x[:160], labels[:160], x[160:], protocol=protocol)
    found = predict_linear(x[:160] * scale + shift, labels[:160], x[160:] * scale + shift, protocol=protocol)
    assert (found == expected).mean() > 0.98


def test_a_constant_dimension_is_no_obstacle():
    x, labels = clusters()
    x[:, 5] = 7.0
    assert (predict_linear(x[:160], labels[:160], x[160:]) == labels[160:]).all()


def test_groups_are_held_out_whole():
    groups = np.repeat(np.arange(10), 7)
    held = draw_fifth(groups, seed=0)
    assert held.sum() == 14 and len(set(groups[held])) == 2 and not set(groups[held]) & set(groups[~held])


def test_validation_rows_decide_where_they_are_given():
    x, labels = clusters(spread=2.0)
    validation = (x[120:160], np.where(np.arange(40) < 5, "unseen", labels[120:160]))
    answer = predict_linear(x[:120], labels[:120], x[160:], validation=validation)
    assert set(answer) <= {"a", "b", "c"}


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda x, y: (x, np.full(len(y), "a")), "two classes"),
        (lambda x, y: (np.where(x > 2, np.nan, x), y), "nan"),
        (lambda x, y: (x[:, 0], y), "shapes"),
    ],
)
def test_what_cannot_be_probed_is_refused(change, named):
    x, labels = change(*clusters())
    with pytest.raises(InputError, match=named):
        predict_linear(x, labels, x)
    with pytest.raises(InputError, match="protocol"):
        predict_linear(*clusters(), clusters()[0], protocol="svm")
