"""What models of this family can be searched for, and over what; no label is asked for. Light: no backend is loaded."""

from tsdsae_keras.search.card import SearchCard

# Adam does not see the scale of a loss: one weight of each method stays as it is.
WEIGHTS = {
    "vicreg": {"w_inv": {"min": 5.0, "max": 50.0, "log": True}, "w_dec": {"min": 0.2, "max": 5.0, "log": True}},
    "barlow": {"w_dec": {"min": 5e-4, "max": 5e-2, "log": True}},
    "align-uniform": {"w_inv": {"min": 0.5, "max": 16.0, "log": True}},
}
OWN = {"w_inv": {"min": 0.5, "max": 16.0, "log": True}, "w_dec": {"min": 1e-3, "max": 0.2, "log": True}}


def weights(base):
    """The weights of the terms that the model has."""
    return WEIGHTS.get(base.model, OWN)


def full(base):
    """The same, the size of the projections and how the model is trained."""
    return weights(base) | {"dim": [64, 128, 256], "learning_rate": {"min": 3e-4, "max": 3e-3, "log": True}}


SEARCH = SearchCard(
    objectives={"matched": "max", "rank": "max"},
    spaces={"weights": weights, "full": full},
    sizes=("dim",),
    measures=("matched", "rank", "offset"),
    unit_measures=("matched",),
    scorer="scoring:Scorer",
)
