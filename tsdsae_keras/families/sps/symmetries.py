"""The symmetries that the prior may have to commute with, by name.

A symmetry is one or several kinds of group elements that act on the first latents of a code; each kind is a pass of its
own, and two kinds are never composed. The published ones are "r1" for music and "r2-so2" for video; the others are
those of the study of wrong symmetries, whose translations of one axis we take along latent 0.
"""

from dataclasses import dataclass

import numpy as np
from keras import ops

from tsdsae_keras.errors import InputError
from tsdsae_keras.groups import Group, PlaneRotation, SpaceRotation, Translation, check_group

LETTERS = {"translation": "T", "rotation": "R"}
DRAWS = {"rotation": "angle"}  # the reference numbers name elements of SO(2) by what they are


@dataclass(frozen=True)
class Kind:
    """One kind of group elements.

    Attributes:
        name: "translation" or "rotation", or any other word for a kind of one's own.
        group: `groups.Group`; it acts on codes (batch, time, p).
    """

    name: str
    group: Group

    @property
    def draw_name(self):
        """Under which a caller gives the elements."""
        return DRAWS.get(self.name, self.name)

    @property
    def letter(self):
        """The end of the names of its terms, where there are several kinds."""
        return LETTERS.get(self.name, self.name)

    def fit(self, g, dims):
        """Elements that a caller gave, in the shape the group has: angles (n,), translations as vectors of codes."""
        g, shape = ops.cast(g, "float32"), self.group.identity(1).shape[1:]
        if isinstance(self.group, Translation) and g.shape[1] == dims:
            g = ops.take(g, np.array(self.group.axes), axis=1)
        return ops.reshape(g, (-1, *shape))


SYMMETRIES = {
    "r1": (Kind("translation", Translation((0,), 4.0)),),
    "r2-so2": (Kind("translation", Translation((0, 2), 1.0)), Kind("rotation", PlaneRotation((0, 2)))),
    "r1-so2": (Kind("translation", Translation((0,), 1.0)), Kind("rotation", PlaneRotation((0, 2)))),
    "r3-so2": (Kind("translation", Translation((0, 1, 2), 1.0)), Kind("rotation", PlaneRotation((0, 2)))),
    "r2-so3": (Kind("translation", Translation((0, 2), 1.0)), Kind("rotation", SpaceRotation())),
    "so2": (Kind("rotation", PlaneRotation((0, 2))),),
    "r2": (Kind("translation", Translation((0, 2), 1.0)),),
}


def add_symmetry(name, dims, **groups):
    """Adds a symmetry of one's own, so that a model can be trained with `group=name`.

    A saved model names its symmetry only: call this before loading it in another program.

    Args:
        name: of the symmetry.
        dims: p, the latents it acts on.
        groups: {kind: `groups.Group`}; the kinds name the terms.

    Raises:
        InputError: a group does not obey the laws, such as an inverse that does not undo it; the line names the law.
    """
    for group in groups.values():
        check_group(group, dims)
    SYMMETRIES[name] = tuple(Kind(kind, group) for kind, group in groups.items())


def find_symmetry(name, dims=None):
    """The kinds of a symmetry, which fit codes with `dims` dynamic latents.

    Raises:
        InputError: no symmetry has this name, or it acts on latents that the codes do not have.
    """
    if name not in SYMMETRIES:
        known = " or ".join(SYMMETRIES)
        raise InputError(f"group is {name!r}; it must be {known}, or one that was added by add_symmetry")
    axes = [axis for kind in SYMMETRIES[name] for axis in getattr(kind.group, "axes", ())]
    if dims and max(axes, default=0) >= dims:
        raise InputError(f"group {name!r} acts on latent {max(axes)}, and codes have {dims} dynamic latents")
    return SYMMETRIES[name]
