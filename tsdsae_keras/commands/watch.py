"""What a run watches while it trains: whether swaps work, on a small fixed batch of validation sequences."""

import numpy as np

from tsdsae_keras.evaluation import codes as coding
from tsdsae_keras.evaluation.codes import Split
from tsdsae_keras.evaluation.judges import OwnEncoderJudge, macro_f1
from tsdsae_keras.evaluation.swaps import partners
from tsdsae_keras.evaluation.use import active_units, rolled_partners, use_of_v

SWAPPED = 32  # sequences
JUDGING = 256  # training sequences that the judge of swap F1 is fitted on


def swap_watch(data, seed):
    """A function of a model that gives "v_use", "active_v", "active_z" and, where there are labels, "swap_f1".

    The figures are those of `evaluation`, on fewer sequences: good enough to see a collapse, too few to report.
    `swap_f1` is of the global swap, by the own encoder.
    """
    few, judging = _first(data, "validation", SWAPPED), _first(data, "train", JUDGING)
    labelled = few.instrument is not None and len(np.unique(few.instrument)) > 1
    partner = partners(few.instrument, seed) if labelled else rolled_partners(len(few))

    def measure(model):
        codes = coding.encode(model, few, SWAPPED)
        z, v = codes.z_mean, codes.v_mean
        found = {
            "v_use": use_of_v(model.decode, z, v, partner, SWAPPED),
            "active_v": active_units(v),
            "active_z": active_units(z),
        }
        if labelled:
            own = OwnEncoderJudge(coding.encode(model, judging, SWAPPED).v_mean, judging.instrument, seed)
            swapped = coding.decode_batch(model.decode, z, v[partner])
            answers = own.predict(coding.encode_batch(model, swapped)[0])
            found["swap_f1"] = macro_f1(few.instrument[partner], answers)
        return found

    return measure


def _first(data, split, count):
    """The first sequences of a split, read from its shards without the rest."""
    x = np.concatenate([shard[:count] for shard in data.shards(split)])[:count]
    instrument = data.labels(split).get("instrument")
    return Split(x=x, instrument=None if instrument is None else instrument[:count])
