"""The card of one's own frames."""

from dataclasses import dataclass

from tsdsae_keras.data.sets import DataSet, DataSettings
from tsdsae_keras.options import option


@dataclass(frozen=True)
class FrameSettings(DataSettings):
    """Where the frames are, and how they are brought to one size; see `data.sets.frames`."""

    folder: str | None = option(None, "folder of numbered frames or animated pictures, or of a folder for each video")
    side: int = option(64, "height and width that frames are scaled to, a multiple of 16", least=16, most=512)
    grey: bool = option(False, "one channel instead of three")


DATA_SET = DataSet(
    title="pairs of neighbouring frames in your own folder",
    settings=FrameSettings,
    open="tsdsae_keras.data.sets.frames:open_frames",
    prepare="tsdsae_keras.data.sets.prepared_frames:prepare_frames",
    prepared="tsdsae_keras.data.sets.prepared_frames:open_prepared_frames",
)
