"""What models of this family can be searched for, and over what; no label is asked for. Light: no backend is loaded."""

from tsdsae_keras.search.card import SearchCard

SYMMETRIC = ("sps", "sps-ae")


def weights(base):
    """K and the weights of the terms that the model has."""
    weight = {"min": 0.5, "max": 8.0, "log": True}
    found = {"copies": [1, 2, 4, 8], "symmetry_weight": weight} if base.model in SYMMETRIC else {}
    found |= {} if base.model == "beta-vae-frames" else {"prior_weight": weight}
    return found | ({} if base.model == "sps-ae" else {"kld_weight": {"min": 1e-3, "max": 0.1, "log": True}})


def copies(base):
    """K alone, without the symmetry too; give it several seeds."""
    return {"copies": [0, 1, 4]}


def full(base):
    """The same, and how it is trained."""
    return weights(base) | {"prior_units": [64, 128, 256], "learning_rate": {"min": 5e-4, "max": 4e-3, "log": True}}


SEARCH = SearchCard(
    objectives={"imagined": "min", "synthesis": "max", "commutation": "min"},
    spaces={"weights": weights, "copies": copies, "full": full},
    sizes=("prior_units", "copies"),
    measures=("imagined", "recon", "code_error", "commutation", "z_std", "synthesis"),
    unit_measures=("synthesis",),
    scorer="scoring:Scorer",
)
