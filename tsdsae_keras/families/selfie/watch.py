"""What a run watches while it trains: whether projections still tell clips and dimensions apart.

A probe of the embedding does not show a collapse of the projections: collapsed runs were probed as well as others.
"""

import numpy as np

from tsdsae_keras.families.selfie.batches import batches
from tsdsae_keras.training.guards import Watch

OFFSET, SPREAD, RANK = 0.5, 1e-3, 0.05  # a warning above the first, below the second, below the third of the room
FEW = 7  # dimensions that so few clips could use: their rank says nothing


def collapse_watch(data, settings):
    """The `Watch` of a run: "offset", "std" and "effective_rank" of a fixed batch of validation clips."""
    views = batches(data, settings, "validation").make(0, 0)
    room = min(len(views["first"]) - 1, settings.dim)

    def measure(model):
        return model.monitor(model(views, training=False)["first"])

    return Watch(measure, lambda found: warning(found, room))


def warning(found, room):
    """What to tell the user where projections have collapsed, else None.

    Args:
        found: of `measure`.
        room: the largest effective rank there could be.
    """
    if found["offset"] > OFFSET:
        return (
            f"the projections have collapsed to a common offset (offset {found['offset']:.2f}, 1 is collapsed), which "
            "hides invariance and diversity together: train with --center, or lower --w-inv against --w-div"
        )
    if found["std"] < SPREAD or not np.isfinite(found["std"]):
        return (
            f"the projections hardly vary (std {found['std']:.1e}): the loss does not see their scale; lower "
            "--learning-rate, or give diversity a weight (--w-div)"
        )
    if room >= FEW and found["effective_rank"] < max(1.5, RANK * room):
        return (
            f"the projections use {found['effective_rank']:.1f} of {room} dimensions: give diversity (--w-div) or "
            "decorrelation (--w-dec) more weight"
        )
    return None
