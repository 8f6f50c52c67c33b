"""The card of the data set `sprites`."""

from tsdsae_keras.data.sets.cards.poses import SPRITES as DATA_SET

__all__ = ["DATA_SET"]
