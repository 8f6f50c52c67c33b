"""3D Shapes and MPI3D, from their published files.

3D Shapes: Burgess, Kim, 2018, 3dshapes.h5. MPI3D: Gondal et al., NeurIPS 2019, mpi3d_real.npz and its simulated
relatives, whose frames are in the order of their factors and carry no labels.
"""

from tsdsae_keras.data.sets.image_files import file_identity, image_reader, map_hdf5, map_npz
from tsdsae_keras.data.sets.pair_data import GridPairs
from tsdsae_keras.data.sets.transitions import Grid
from tsdsae_keras.errors import InputError

SHAPES3D = Grid(("floor", "wall", "object", "scale", "shape", "azimuth"), (10, 10, 10, 8, 4, 15), ("shape",))
MPI3D = Grid(("colour", "shape", "size", "height", "background", "axis1", "axis2"), (6, 6, 2, 3, 3, 40, 40), ("shape",))


def open_shapes3d(settings):
    """3D Shapes; InputError where `file` is not given or is another file."""
    return _open(settings, "3D Shapes", SHAPES3D, map_hdf5)


def open_mpi3d(settings):
    """MPI3D; InputError where `file` is not given or is another file."""
    return _open(settings, "MPI3D", MPI3D, map_npz)


def _open(settings, name, grid, read, images="images"):
    if settings.file is None:
        raise InputError(f"{name} is not made here; give its published file with --file")
    array = read(settings.file, images, settings.cache)
    frames = image_reader(array, grid, settings.file)
    shape = tuple(array.shape[1:]) if array.ndim == 4 else (*array.shape[1:], 1)
    return GridPairs(grid, frames, settings, f"{name} {file_identity(settings.file)}", shape)
