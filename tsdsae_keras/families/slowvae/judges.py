"""The scores that train a judge: BetaVAE, FactorVAE, DCI, SAP and explicitness, on data with a grid of factors.

"published" takes the sizes of disentanglement_lib, and hours where a factor has many values; "fast" takes far fewer
points, a random forest in place of gradient-boosted trees, and minutes.
"""

import numpy as np

from tsdsae_keras.families.slowvae.codes import encode_sample
from tsdsae_keras.metrics import axis_aligned, disentanglement, interventions

SIZES = {
    "fast": {"train": 1000, "test": 500, "points": (300, 200, 8)},
    "published": {"train": 10_000, "test": 5000, "points": (10_000, 5000, 64)},
}
NAMES = ("beta_vae", "factor_vae", "disentanglement", "completeness", "informativeness", "sap_svm", "explicitness")


def judge(model, data, seed, how="fast"):
    """{name: value} of the scores of `NAMES`.

    Args:
        model: of this family.
        data: with a grid.
        seed: of what is drawn.
        how: "fast" or "published".
    """
    size, rng = SIZES[how], np.random.default_rng((seed, 10))
    train = _split(model, data, rng, size["train"])
    test = _split(model, data, rng, size["test"])
    found = intervene(model, data, size["points"], seed)
    dci = axis_aligned.dci if how == "published" else disentanglement.dci
    trees = dci(*train, *test, seed=seed)
    found |= {name: trees[name] for name in ("disentanglement", "completeness", "informativeness")}
    found["sap_svm"] = axis_aligned.sap(*train, *test)
    return found | {"explicitness": axis_aligned.explicitness(*train, *test)}


def _split(model, data, rng, n):
    codes, factors = encode_sample(model, data, rng, n)
    return codes["mean"], factors


def intervene(model, data, points, seed):
    """The BetaVAE and FactorVAE scores for `points`: training points, test points, frames of each."""
    train, test, batch = points

    def represent(factors):
        return model.encode(data.frames(factors))["mean"]

    how = {"train": train, "test": test, "batch": batch, "seed": seed}
    sizes = data.grid.sizes
    return {
        "beta_vae": interventions.beta_vae(represent, sizes, **how),
        "factor_vae": interventions.factor_vae(represent, sizes, frames=5 * train, **how),
    }
