"""What a run watches while it trains: the MCC, and how many dimensions of z are used."""

import numpy as np

from tsdsae_keras.families.slowvae.codes import describe, encode_sample
from tsdsae_keras.metrics.mcc import mcc
from tsdsae_keras.training.guards import Watch

FRAMES = 1000


def code_watch(data, settings):
    """The `Watch` of a run: "mcc" and "used" dimensions on 1,000 frames, too few to report."""
    least = max(1, len(data.factors) // 2)

    def measure(model):
        codes, factors = encode_sample(model, data, np.random.default_rng((settings.data_seed, 6)), FRAMES)
        return {"mcc": mcc(codes["mean"], factors)["score"], "used": describe(codes)["used"]}

    def warning(found):
        if found["used"] >= least:
            return None
        return (
            f"only {found['used']:.0f} dimensions of z are used, and the data have {len(data.factors)} factors: try a "
            "lower --beta or --gamma, or train for longer"
        )

    return Watch(measure, warning)
