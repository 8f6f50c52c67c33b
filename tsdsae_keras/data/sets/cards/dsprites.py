"""The card of dSprites, and the options of all data sets on a grid of factors."""

from dataclasses import dataclass

from tsdsae_keras.data.sets import DataSet, DataSettings
from tsdsae_keras.options import option


@dataclass(frozen=True)
class GridSettings(DataSettings):
    """How pairs step on the grid of factors; see `data.sets.transitions`."""

    pairs: str = option("lap", "steps of a pair: small in most factors, or k factors redrawn", choices=("lap", "uni"))
    rate: float = option(1.0, "rate of LAP; -1 draws it from 1 to 10 for each pair", least=-1)
    changed: int | None = option(None, "factors that UNI changes (default: a random number)", least=1)
    file: str | None = option(None, "the published file, read instead of pictures made here")


DATA_SET = DataSet(
    title="white shapes on black, drawn on demand; with --file the published dSprites .npz",
    settings=GridSettings,
    open="tsdsae_keras.data.sets.dsprites:open_dsprites",
)
