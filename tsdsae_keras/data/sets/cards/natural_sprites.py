"""The card of Natural Sprites."""

from dataclasses import dataclass

from tsdsae_keras.data.sets import DataSet
from tsdsae_keras.data.sets.cards.dsprites import GridSettings
from tsdsae_keras.options import option


@dataclass(frozen=True)
class NaturalSettings(GridSettings):
    """Where the steps come from; see `data.sets.natural_sprites`."""

    file: str | None = option(None, "downscale_keepaspect.csv, the published table of masks in videos")
    discrete: bool = option(False, "a grid of 32 x 32 x 6 bins of x, y and area, whose pairs are --pairs")


DATA_SET = DataSet(
    title="white sprites whose position and size step as objects in videos do",
    settings=NaturalSettings,
    open="tsdsae_keras.data.sets.natural_sprites:open_natural_sprites",
)
