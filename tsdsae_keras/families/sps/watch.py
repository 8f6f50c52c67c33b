"""What a run watches while it trains: whether the codes move and, where the truth is known, how near they are to it."""

from tsdsae_keras.families.sps.evaluation.codes import deviations, encode
from tsdsae_keras.families.sps.evaluation.video import flat
from tsdsae_keras.metrics.linear_probe import probe_errors
from tsdsae_keras.training.guards import Watch

COLLAPSED = 0.05  # deviation of the codes below which noise drowns them
WATCHED = {"train": 64, "validation": 32}  # sequences; a probe is fitted on the first, and scored on the second


def watch(data, settings):
    """The `Watch` of a run: "z_std", the largest deviation of a dynamic latent over validation frames; with labels
    also the error of a linear probe for each factor, "probe_x" and so on, of too few sequences to report."""
    splits = WATCHED if data.labels else ("validation",)
    x = {split: data.frames(split, slice(0, WATCHED[split])) for split in splits}
    truth = {split: flat(labels[: WATCHED[split]]) for split, labels in data.labels.items() if split in WATCHED}

    def measure(model):
        codes = {split: encode(model, frames) for split, frames in x.items()}
        found = {"z_std": deviations(codes["validation"][..., : model.dynamic]).max()}
        if truth:
            fitted, scored = ((flat(codes[split]), truth[split]) for split in WATCHED)
            errors = probe_errors(*fitted, *scored)
            found |= {f"probe_{name}": error for name, error in zip(data.factors, errors, strict=True)}
        return found

    return Watch(measure, warning)


def warning(found):
    """What to tell the user where the codes have collapsed, else None."""
    if found["z_std"] >= COLLAPSED:
        return None
    return (
        f"the codes hardly move (standard deviation {found['z_std']:.4f}): try --initial-weights he, a larger "
        "--input-scale, a lower --log-var-bias or, for video, --center"
    )
