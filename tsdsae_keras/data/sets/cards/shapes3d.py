"""The card of 3D Shapes."""

from tsdsae_keras.data.sets import DataSet
from tsdsae_keras.data.sets.cards.dsprites import GridSettings

DATA_SET = DataSet(
    title="3D Shapes, from the published .h5 that --file names",
    settings=GridSettings,
    open="tsdsae_keras.data.sets.published_images:open_shapes3d",
)
