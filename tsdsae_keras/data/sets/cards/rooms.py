"""The card of the data set `rooms`."""

from tsdsae_keras.data.sets.cards.poses import ROOMS as DATA_SET

__all__ = ["DATA_SET"]
