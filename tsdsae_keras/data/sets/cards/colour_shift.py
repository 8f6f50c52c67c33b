"""The card of the data set `colour_shift`."""

from tsdsae_keras.data.sets.cards.poses import COLOUR_SHIFT as DATA_SET

__all__ = ["DATA_SET"]
