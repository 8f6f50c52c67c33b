"""MCC, MIG, modularity, SAP, DCI, explicitness, BetaVAE and FactorVAE: the numbers that the authors' code gives."""

from pathlib import Path

import numpy as np
import pytest

from tsdsae_keras.errors import InputError
from tsdsae_keras.metrics import axis_aligned, interventions
from tsdsae_keras.metrics.disentanglement import mig, modularity
from tsdsae_keras.metrics.information import bin_codes, entropies, mutual_information
from tsdsae_keras.metrics.mcc import mcc
from tsdsae_keras.metrics.udr import udr

pytestmark = pytest.mark.no_backend

with np.load(Path(__file__).parents[1] / "reference" / "slowvae" / "metrics.npz", allow_pickle=False) as _arrays:
    ARRAYS = dict(_arrays)
SPLIT = [ARRAYS[name] for name in ("train/latents", "train/factors", "test/latents", "test/factors")]
NOISE = np.random.default_rng(0).normal(size=(4000, 10))
LEVELS = np.random.default_rng(1).integers((3, 6, 40, 32, 32), size=(4000, 5))


@pytest.mark.parametrize("kind", ["spearman", "pearson"])
def test_mcc(kind):
    found = mcc(*SPLIT[:2], noise=ARRAYS["mcc/noise"], correlation=kind)
    assert found["score"] == pytest.approx(ARRAYS[f"mcc/{kind}/score"], abs=1e-6)
    np.testing.assert_array_equal(found["assignment"], ARRAYS[f"mcc/{kind}/assignment"])
    np.testing.assert_allclose(found["matched"], ARRAYS[f"mcc/{kind}/corr_of_matched"], atol=1e-6)


def test_mcc_where_the_padding_changes_the_assignment():
    names = ("mcc_small/latents", "mcc_small/factors", "mcc_small/noise")
    latents, factors, noise = (ARRAYS[name] for name in names)
    found = mcc(latents, factors, noise=noise)
    assert found["score"] == pytest.approx(ARRAYS["mcc_small/score"], abs=1e-6)
    np.testing.assert_array_equal(found["assignment"], ARRAYS["mcc_small/assignment"])


def test_mcc_of_ideal_noise_and_dead_codes():
    ideal = np.concatenate([-(LEVELS**3), NOISE[:, :5]], axis=1)
    assert mcc(ideal, LEVELS)["score"] == pytest.approx(1)
    assert mcc(NOISE, LEVELS)["score"] < 0.06
    assert mcc(np.full((4000, 10), 0.3), LEVELS)["score"] == 0
    few = mcc(LEVELS[:, :2], LEVELS)
    assert few["score"] == pytest.approx(0.4, abs=0.01)
    assert (few["assignment"] == -1).sum() == 3
    with pytest.raises(InputError, match="nan or infinite"):
        mcc(np.full((4000, 10), np.nan), LEVELS)


def test_bins_information_mig_and_modularity():
    latents, factors = SPLIT[:2]
    np.testing.assert_array_equal(bin_codes(latents)[:, 0] + 1, ARRAYS["discretised_first_code"])
    information = mutual_information(bin_codes(latents), factors)
    np.testing.assert_allclose(information, ARRAYS["mig/mutual_information"], atol=1e-9)
    np.testing.assert_allclose(entropies(factors), ARRAYS["mig/factor_entropy"], atol=1e-9)
    published = {"information": mutual_information}
    assert mig(latents, factors, **published) == pytest.approx(ARRAYS["mig/score"])
    assert modularity(latents, factors, **published) == pytest.approx(ARRAYS["modularity/score"])


def test_explicitness():
    train, test = SPLIT[:2], SPLIT[2:]
    assert axis_aligned.explicitness(*train, *test) == pytest.approx(ARRAYS["explicitness/test"], abs=2e-3)
    assert axis_aligned.explicitness(*train, *train) == pytest.approx(ARRAYS["explicitness/train"], abs=2e-3)


def test_sap():
    matrix = axis_aligned.sap_matrix(*SPLIT)
    np.testing.assert_allclose(matrix, ARRAYS["sap/discrete/score_matrix"], atol=6e-3)
    assert axis_aligned.gap(matrix) == pytest.approx(ARRAYS["sap/discrete/score"], abs=3e-3)
    squared = axis_aligned.squared_correlations(*(part.astype("float64") for part in SPLIT[:2]))
    np.testing.assert_allclose(squared, ARRAYS["sap/continuous/score_matrix"], atol=1e-6)
    assert axis_aligned.gap(squared) == pytest.approx(ARRAYS["sap/continuous/score"], abs=1e-6)


def test_dci_of_the_authors_importances():
    importance = ARRAYS["dci/importance"]
    assert axis_aligned.disentanglement(importance) == pytest.approx(ARRAYS["dci/disentanglement"], abs=1e-6)
    assert axis_aligned.disentanglement(importance.T) == pytest.approx(ARRAYS["dci/completeness"], abs=1e-6)


def test_dci_of_own_trees():
    rows = [part[:count, ...] for part, count in zip(SPLIT, (400, 400, 200, 200), strict=True)]
    first = [part[:, :2] if i % 2 else part for i, part in enumerate(rows)]  # the two factors of few levels: seconds
    found = axis_aligned.dci(*first)
    np.testing.assert_allclose(found["importance"], ARRAYS["dci/importance"][:, :2], atol=0.05)


def test_beta_vae():
    codes = ARRAYS["beta_vae/example_codes"]
    features = [interventions.beta_vae_feature(*pair) for pair in codes]
    np.testing.assert_allclose(features, ARRAYS["beta_vae/train_features"][:3], atol=1e-6)
    names = [f"beta_vae/{split}_{part}" for split in ("train", "eval") for part in ("features", "labels")]
    arrays = [ARRAYS[name] for name in names]
    assert interventions.beta_vae_accuracy(*arrays) == pytest.approx(ARRAYS["beta_vae/eval_accuracy"], abs=0.02)
    train = interventions.beta_vae_accuracy(*arrays[:2], *arrays[:2])
    assert train == pytest.approx(ARRAYS["beta_vae/train_accuracy"], abs=0.02)


def test_factor_vae():
    names = ("codes", "fixed_factor", "global_variance", "n_train")
    found = interventions.factor_vae_accuracy(*(ARRAYS[f"factor_vae/{name}"] for name in names))
    active = ARRAYS["factor_vae/active"]
    np.testing.assert_array_equal(found["active"], active)
    # The authors count the active codes alone.
    np.testing.assert_array_equal(np.cumsum(active)[found["votes"]] - 1, ARRAYS["factor_vae/argmin_among_active"])
    for ours, theirs in (("train", "train"), ("test", "eval")):
        assert found[ours] == pytest.approx(ARRAYS[f"factor_vae/{theirs}_accuracy"])


SMALL = {"train": 200, "test": 100, "batch": 8}


def test_interventions_on_ideal_and_on_dead_codes():
    def ideal(factors):
        return np.asarray(factors, "float64") @ np.diag([1, -0.5, 0.1, 2, 0.2])

    sizes = (3, 6, 40, 32, 32)
    assert interventions.factor_vae(ideal, sizes, frames=500, **SMALL) == 1
    assert interventions.beta_vae(ideal, sizes, **SMALL) > 0.9
    assert interventions.factor_vae(lambda factors: np.zeros((len(factors), 3)), sizes, frames=500, **SMALL) == 0


def test_udr_tells_axes_that_return_from_those_that_do_not():
    codes = NOISE[:, :4]
    returning = [codes, -codes[:, [2, 0, 1, 3]], np.exp(codes)]
    turned = [codes @ np.linalg.qr(np.random.default_rng(i).normal(size=(4, 4)))[0] for i in range(3)]
    used = np.array([1, 1, 1, 0])
    assert udr(returning, [np.ones(4)] * 3).min() > 0.9
    assert udr(turned, [np.ones(4)] * 3).max() < 0.7
    assert udr([codes[:, [0, 1, 2, 2]]] * 2, [used] * 2).min() > 0.9
    assert udr([codes] * 2, [np.zeros(4)] * 2).max() == 0
    with pytest.raises(InputError, match="UDR compares"):
        udr([codes], [used])
