"""The card of videos of one's own."""

from dataclasses import dataclass

from tsdsae_keras.data.sets import DataSet, DataSettings
from tsdsae_keras.options import option


@dataclass(frozen=True)
class VideoSettings(DataSettings):
    """Which videos, and how they are cut; see `data.sets.own_frames`."""

    folder: str = option("", "folder of animated pictures (GIF, PNG), or of folders of numbered frames; give it")
    frames: int = option(20, "frames of a sequence", least=2, most=1000)


DATA_SET = DataSet(
    title="your own videos, scaled to 32 x 32 (physical symmetry)",
    settings=VideoSettings,
    open="tsdsae_keras.data.sets.own_frames:open_videos",
)
