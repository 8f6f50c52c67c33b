"""The card of monophonic sound files of one's own."""

from dataclasses import dataclass

from tsdsae_keras.data.sets import DataSet, DataSettings
from tsdsae_keras.options import option


@dataclass(frozen=True)
class NoteSettings(DataSettings):
    """Which sound files, and how they are cut; see `data.sets.own_frames`."""

    folder: str = option("", "folder of monophonic sound files; give it")
    frames: int = option(15, "notes of a sequence, 0.16 s each", least=2, most=1000)


DATA_SET = DataSet(
    title="your own monophonic sound files, in notes of 0.16 s (physical symmetry)",
    settings=NoteSettings,
    open="tsdsae_keras.data.sets.own_frames:open_notes",
)
