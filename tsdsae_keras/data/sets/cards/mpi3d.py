"""The card of MPI3D."""

from tsdsae_keras.data.sets import DataSet
from tsdsae_keras.data.sets.cards.dsprites import GridSettings

DATA_SET = DataSet(
    title="MPI3D, from the published .npz that --file names",
    settings=GridSettings,
    open="tsdsae_keras.data.sets.published_images:open_mpi3d",
)
