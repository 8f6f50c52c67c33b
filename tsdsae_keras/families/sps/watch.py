"""What a run watches while it trains: whether the codes move and, where the truth is known, how near they are to it."""

from tsdsae_keras.families.sps.evaluation.codes import encode
from tsdsae_keras.families.sps.evaluation.video import flat
from tsdsae_keras.metrics.linear_probe import probe_errors
from tsdsae_keras.training.guards import Watch

COLLAPSED = 0.05  # deviation of the codes below which noise drowns them
WATCHED = {"train": 64, "validation": 32}  # sequences; a probe is fitted on the first, and scored on the second


def watch(data, settings):
    """The `Watch` of a run: "z_std", the largest deviation of a dynamic latent over validation frames; with labels
    also the error of a linear probe for each factor, "probe_x" and so on, of too few sequences to report."""
    x = {split: data.frames(split, slice(0, count)) for split, count in WATCHED.items()}
    truth = {split: flat(data.labels[split][:count]) for split, count in WATCHED.items() if data.labels}

    def measure(model):
        codes = flat(encode(model, x["validation"]))
        found = {"z_std": codes[:, : model.dynamic].std(axis=0).max()}
        if truth:
            errors = probe_errors(flat(encode(model, x["train"])), truth["train"], codes, truth["validation"])
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
