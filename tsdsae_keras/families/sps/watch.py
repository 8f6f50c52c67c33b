"""What a run watches while it trains: whether the codes move at all."""

from tsdsae_keras.families.sps.evaluation.codes import code_deviations
from tsdsae_keras.training.guards import Watch

COLLAPSED = 0.05  # deviation of the codes below which noise drowns them
WATCHED = 32  # sequences


def watch(data, settings):
    """The `Watch` of a run: "z_std", the largest deviation of a dynamic latent over validation frames."""
    x = data.frames("validation", slice(0, WATCHED))

    def measure(model):
        return {"z_std": float(code_deviations(model, x).max())}

    return Watch(measure, warning)


def warning(found):
    """What to tell the user where the codes have collapsed, else None."""
    if found["z_std"] >= COLLAPSED:
        return None
    return (
        f"the codes hardly move (standard deviation {found['z_std']:.4f}): try --initial-weights he, a larger "
        "--input-scale, a lower --log-var-bias or, for video, --center"
    )
