"""The laws of the loss: its optima, floors and symmetries, what collapse looks like, and where gradients are finite."""

from types import SimpleNamespace

import keras
import numpy as np
import pytest
from keras import ops
from scipy.linalg import hadamard
from scipy.stats import ortho_group

from tests.gradients import terms_and_gradients
from tsdsae_keras.errors import InputError
from tsdsae_keras.families.selfie import terms
from tsdsae_keras.families.selfie.model import FORMS, TERMS, loss_terms

STYLE, PLAIN = FORMS["selfie-style"], FORMS["align-uniform"]


def tensors(*arrays):
    return [ops.convert_to_tensor(np.float32(each)) for each in arrays]


def number(function, *arrays, **options):
    return float(ops.convert_to_numpy(function(*tensors(*arrays), **options)))


def losses(p, other, how=STYLE, active=TERMS):
    found = loss_terms(*tensors(p, other), how, active=active)
    return {name: float(ops.convert_to_numpy(value)) for name, value in found.items()}


def draw(n=24, d=10, seed=0):
    return np.random.default_rng(seed).normal(size=(n, d))


def unit(p):
    return p / np.linalg.norm(p, axis=1, keepdims=True)


def standard(p):
    return (p - p.mean(0)) / np.sqrt(p.var(0) + 1e-5)


def test_equal_rows_have_no_loss_which_is_the_maximum_of_diversity():
    same = np.tile(draw(1), (12, 1))
    for how in (STYLE, PLAIN):
        found = losses(same, same, how)
        assert [found[name] for name in TERMS] == pytest.approx([0, 0, 0], abs=1e-5)
    spread = losses(draw(), draw(seed=1))
    assert spread["diversity"] < -1 and spread["invariance"] > 0 and spread["decorrelation"] > 0


@pytest.mark.parametrize(("n", "floor"), [(8, -4.5714), (16, -4.2667), (128, -4.0315)])
def test_a_simplex_meets_the_floor_of_uniformity(n, floor):
    simplex = unit(np.eye(n) - 1 / n)
    assert number(terms.uniformity, simplex) == pytest.approx(floor, abs=1e-4)
    assert number(terms.uniformity, unit(draw(n))) > floor


def test_an_orthogonal_design_meets_both_optima_and_its_loss_is_below_that_of_collapse():
    design = hadamard(16)[:, 1:]
    found = losses(design, design)
    assert found["decorrelation"] == pytest.approx(0, abs=1e-6)
    assert found["diversity"] == pytest.approx(-4.2667, abs=1e-4)
    assert 4 * found["invariance"] + found["diversity"] + 0.02 * found["decorrelation"] < 0


def test_decorrelation_of_equal_dimensions_and_of_independent_ones():
    n, d = 128, 64
    assert number(terms.correlation, standard(np.tile(draw(n, 1), (1, d)))) == pytest.approx(d - 1, rel=1e-3)
    seen = [number(terms.correlation, standard(draw(n, d, seed))) for seed in range(8)]
    assert np.mean(seen) == pytest.approx((d - 1) / (n - 1), rel=0.05)


def test_symmetries_of_the_centred_loss():
    p, other = draw(), draw(seed=1)
    order, columns = np.random.default_rng(2).permutation(24), np.random.default_rng(3).permutation(10)
    scale, shift = np.tile([2.0, -3.0], 5), draw(1)
    expected = losses(p, other)
    same = {
        "order of clips": (p[order], other[order]),
        "order of views": (other, p),
        "order of dimensions": (p[:, columns], other[:, columns]),
        "scale and shift": (p * scale + shift, other * scale + shift),
    }
    for name, views in same.items():
        for term in TERMS:
            assert losses(*views)[term] == pytest.approx(expected[term], rel=1e-4), f"{name}: {term}"


def test_symmetries_of_the_plain_sphere():
    p, other = draw(), draw(seed=1)
    turn = ortho_group.rvs(10, random_state=0)
    expected, turned = losses(p, other, PLAIN), losses(3 * p @ turn, 3 * other @ turn, PLAIN)
    for term in ("invariance", "diversity"):
        assert turned[term] == pytest.approx(expected[term], rel=1e-4)
        assert losses(p + 2, other + 2, PLAIN)[term] != pytest.approx(expected[term], rel=0.1)
    assert turned["decorrelation"] != pytest.approx(expected["decorrelation"], rel=0.01)


def test_identical_views_have_no_invariance_and_no_gradient_of_it():
    p = keras.Variable(np.float32(draw()), name="p")
    found, gradients = _gradients(p, lambda: loss_terms(p.value, p.value, STYLE, active=("invariance",)), "invariance")
    assert found["invariance"] == 0
    np.testing.assert_allclose(gradients, 0, atol=1e-7)


def test_uniformity_is_a_contrastive_loss_of_temperature_one_over_two_t():
    z, tau = unit(draw()), 0.25
    cos = (z @ z.T)[~np.eye(24, dtype=bool)]
    expected = np.log(np.mean(np.exp(cos / tau)))
    assert 1 / tau + number(terms.uniformity, z, t=1 / (2 * tau)) == pytest.approx(expected, rel=1e-5)


def test_mean_distance_is_what_the_offset_leaves():
    z, n = unit(draw() + 0.5), 24
    distances = np.square(z[:, None] - z[None]).sum(-1)[~np.eye(n, dtype=bool)].mean()
    assert distances == pytest.approx(2 * n / (n - 1) * (1 - number(terms.offset, z)), rel=1e-5)


@pytest.mark.parametrize(("clusters", "expected"), [(2, -0.709), (4, -1.420), (8, -2.118), (16, -2.797)])
def test_clusters_have_a_diversity_that_names_their_number(clusters, expected):
    z = np.repeat(unit(np.eye(clusters) - 1 / clusters), 64 // clusters, axis=0)
    assert number(terms.uniformity, z) == pytest.approx(expected, abs=1e-3)
    if clusters == 2:  # decorrelation sees what diversity forgives
        columns = np.tile(np.repeat([1.0, -1.0], 32)[:, None], (1, 10))
        assert number(terms.correlation, standard(columns)) == pytest.approx(9, rel=1e-3)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("case", ["zeros", "a constant column", "two clips", "equal rows", "a row of zeros"])
def test_gradients_are_finite_where_projections_degenerate(form, case):
    p = draw(6, 4).astype("float32")
    p = {
        "zeros": np.zeros_like(p),
        "a constant column": np.concatenate([p[:, :3], np.ones((6, 1), "float32")], axis=1),
        "two clips": p[:2],
        "equal rows": np.tile(p[:1], (6, 1)),
        "a row of zeros": np.concatenate([p[:5], np.zeros((1, 4), "float32")]),
    }[case]
    variable, other = keras.Variable(p, name="p"), ops.convert_to_tensor(p[::-1].copy())

    def total():
        found = loss_terms(variable.value, other, FORMS[form])
        return {"loss": sum(found[name] for name in TERMS if name in found)}

    values, gradient = _gradients(variable, total, "loss")
    assert np.isfinite(values["loss"]) and np.isfinite(gradient).all()


def test_one_clip_is_refused():
    with pytest.raises(InputError, match="at least 2"):
        losses(draw(1), draw(1))


def test_a_common_offset_hides_everything_from_the_plain_sphere_and_nothing_from_the_centred_one():
    p = draw(64, 256)
    other = p + 0.5 * draw(64, 256, seed=1)
    plain = [losses(p + c, other + c, PLAIN) for c in (0, 1, 3, 10)]
    assert [each["invariance"] for each in plain] == pytest.approx([0.214, 0.114, 0.024, 0.003], abs=0.01)
    spread = [number(terms.uniformity, unit(p + c)) for c in (0, 1, 3, 10)]
    assert spread == pytest.approx([-3.97, -1.97, -0.39, -0.04], abs=0.03)
    assert plain[0]["offset"] < 0.05 and plain[3]["offset"] > 0.9
    centred = [losses(p + c, other + c) for c in (0, 10)]
    for name in (*TERMS, "offset"):
        assert centred[1][name] == pytest.approx(centred[0][name], rel=1e-3, abs=1e-6)


def test_effective_rank_counts_directions_of_equal_strength():
    p = np.zeros((64, 32))
    p[:, :8] = hadamard(64)[:, 1:9]
    assert number(terms.effective_rank, p) == pytest.approx(8, rel=1e-3)
    assert number(terms.effective_rank, np.zeros((8, 4))) == pytest.approx(1)
    assert number(terms.effective_rank, np.full((8, 4), np.nan)) == pytest.approx(1)


def _gradients(variable, function, name):
    """The values of a function and the gradient of one of them with respect to a variable."""
    holder = SimpleNamespace(variables=[variable])
    values, gradients = terms_and_gradients(holder, lambda: (found := function()) | {"loss": found[name]})
    return values, gradients[variable.path]
