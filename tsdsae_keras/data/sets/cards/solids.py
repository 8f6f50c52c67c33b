"""The card of the data set `solids`."""

from tsdsae_keras.data.sets.cards.poses import SOLIDS as DATA_SET

__all__ = ["DATA_SET"]
