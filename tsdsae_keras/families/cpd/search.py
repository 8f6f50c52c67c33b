"""What models of this family can be searched for, and over what; no label is asked for. Light: no backend is loaded."""

from tsdsae_keras.search.card import SearchCard


def sizes(base):
    """How large the encoder is and how fast it learns."""
    return {"width": [8, 16, 32], "learning_rate": {"min": 5e-4, "max": 5e-3, "log": True}}


def full(base):
    """The same with what the class is made of."""
    if base.model != "cpd":
        return sizes(base)
    return sizes(base) | {"extra_dim": [2, 4, 8, 16], "temperature": {"min": 0.2, "max": 2.0, "log": True}}


SEARCH = SearchCard(
    objectives={"hit_rate": "max"},
    spaces={"sizes": sizes, "full": full},
    sizes=("width", "extra_dim"),
    measures=("hit_rate", "hit_rate_1"),
    unit_measures=("hit_rate", "hit_rate_1"),
    scorer="scoring:Scorer",
)
