"""The card of triples of one's own."""

from dataclasses import dataclass

from tsdsae_keras.data.sets import DataSet, DataSettings
from tsdsae_keras.options import option

GROUPS = ("translate", "rotate", "rotate_right", "isometries_2d", "isometries_2d_local")


@dataclass(frozen=True)
class TripleSettings(DataSettings):
    """Where the triples are; see `data.sets.triple_files`."""

    triples: str | None = option(None, "a folder with triples.csv and images, or one of the authors' data")
    group: str = option("translate", "group of the actions, where triples.csv does not name it", choices=GROUPS)


DATA_SET = DataSet(
    title="pairs of images of your own whose relative symmetry is known",
    settings=TripleSettings,
    open="tsdsae_keras.data.sets.triple_files:open_triples",
)
