"""The card of the data set `multi_sprites`."""

from tsdsae_keras.data.sets.cards.poses import MULTI_SPRITES as DATA_SET

__all__ = ["DATA_SET"]
