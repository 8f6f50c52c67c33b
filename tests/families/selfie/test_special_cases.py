"""VICReg, Barlow Twins and alignment + uniformity are exact settings: equal to restatements in plain numpy."""

import numpy as np
import pytest
from keras import ops

from tsdsae_keras.families.selfie.model import FORMS, TERMS, loss_terms


def vicreg(x, y):
    """Bardes, Ponce, LeCun 2022, with the weights of the paper inside."""
    d = x.shape[1]
    total = 25 * np.mean((x - y) ** 2)
    for p in (x, y):
        cov = np.cov(p, rowvar=False)
        total += 25 * np.mean(np.maximum(0, 1 - np.sqrt(p.var(axis=0, ddof=1) + 1e-4))) / 2
        total += (np.sum(cov**2) - np.sum(np.diag(cov) ** 2)) / d
    return total


def barlow(x, y):
    """Zbontar et al. 2021: batch normalisation without scale, then the cross-correlation."""
    x, y = ((p - p.mean(0)) / np.sqrt(p.var(0) + 1e-5) for p in (x, y))
    c = x.T @ y / len(x)
    return np.sum((1 - np.diag(c)) ** 2) + 0.0051 * np.sum((c - np.diag(np.diag(c))) ** 2)


def align_uniform(x, y):
    """Wang and Isola 2020, exponents 2: alignment + uniformity of both views."""
    x, y = (p / np.linalg.norm(p, axis=1, keepdims=True) for p in (x, y))
    total = np.mean(np.sum((x - y) ** 2, axis=1))
    for z in (x, y):
        i, j = np.triu_indices(len(z), 1)
        total += np.log(np.mean(np.exp(-2 * np.sum((z[i] - z[j]) ** 2, axis=1)))) / 2
    return total


METHODS = {"vicreg": vicreg, "barlow": barlow, "align-uniform": align_uniform}


@pytest.mark.parametrize("spread", [0.3, 2.0])
@pytest.mark.parametrize(("name", "expected"), METHODS.items())
def test_a_form_is_the_method(name, expected, spread):
    rng = np.random.default_rng(0)
    x = (spread * rng.normal(size=(16, 12)) + 0.3).astype("float32")
    y = (x + 0.2 * rng.normal(size=x.shape)).astype("float32")
    how = FORMS[name]
    found = loss_terms(ops.convert_to_tensor(x), ops.convert_to_tensor(y), how)
    total = sum(weight * float(found[term]) for term, weight in zip(TERMS, how.weights, strict=True) if weight)
    assert total == pytest.approx(expected(x.astype("float64"), y.astype("float64")), rel=1e-6)
