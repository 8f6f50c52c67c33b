"""What models of this family can be searched for, and over what; no label is asked for. Light: no backend is loaded."""

from tsdsae_keras.search.card import SearchCard


def weights(base):
    """The weights of the loss, as the authors drew them."""
    weight = {"min": 1.0, "max": 16.0}
    return {"beta": weight, "gamma": weight, "rate_prior": {"min": 1.0, "max": 10.0}}


def full(base):
    """The weights of the loss and how it is trained."""
    return weights(base) | {"z_dim": [6, 10, 16], "learning_rate": {"min": 1e-4, "max": 2e-3, "log": True}}


SEARCH = SearchCard(
    objectives={"elbo": "max", "udr": "max"},
    spaces={"weights": weights, "full": full},
    sizes=("z_dim",),
    measures=("elbo", "udr", "used"),
    unit_measures=("udr",),
    scorer="scoring:Scorer",
)
