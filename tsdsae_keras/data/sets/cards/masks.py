"""The card of the masks of pedestrians."""

from dataclasses import dataclass

from tsdsae_keras.data.sets import DataSet, DataSettings
from tsdsae_keras.options import option


@dataclass(frozen=True)
class MaskSettings(DataSettings):
    """Where the silhouettes come from; see `data.sets.masks`."""

    max_dt: int = option(
        5, "frames between the two of a pair at most: 5, or 1, is 0.15, or 0.05, s on average", least=1
    )
    file: str | None = option(None, "KITTI Masks, a pickle or an .npz, read instead of figures drawn here")


DATA_SET = DataSet(
    title="silhouettes of pedestrians whose position and area step as in videos from a car",
    settings=MaskSettings,
    open="tsdsae_keras.data.sets.masks:open_masks",
)
