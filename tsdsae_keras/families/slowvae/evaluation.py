"""A trained model and data of pairs in, a dict of scores out. Every score is of posterior means.

A score is {"value", "interval", "n", "worst", "best", "noise"}: the interval is over draws of frames
(`intervals.block_interval`), worst is the value of an untrained encoder, which is far from 0 on images, and noise that
of codes that know nothing.
"""

import keras
import numpy as np

from tsdsae_keras.data.sets.pair_stream import PairStream
from tsdsae_keras.families.slowvae.batches import VALIDATION
from tsdsae_keras.families.slowvae.codes import describe, encode_sample
from tsdsae_keras.families.slowvae.options import FRAMES
from tsdsae_keras.metrics import axis_aligned
from tsdsae_keras.metrics.disentanglement import mig, modularity
from tsdsae_keras.metrics.information import mutual_information
from tsdsae_keras.metrics.intervals import block_interval
from tsdsae_keras.metrics.mcc import mcc

PAIRS = 1000  # whose steps are described
BATCHES, BATCH = 8, 64  # of pairs, for the terms of the loss


def evaluate(model, data, seed=0, frames=FRAMES):
    """The scores that take seconds.

    Args:
        model: of this family.
        data: `data.sets.pair_data.PairData`.
        seed: of what is drawn.
        frames: how many are scored.

    Returns:
        {"mcc", "mcc_pearson", and on a grid "mig", "modularity", "sap": scores; "factors": {name: its code and their
        correlation}; "correlations": (k, z_dim); "codes": of each dimension; "steps": of each factor; "terms": of the
        loss on validation pairs; "nelbo": recon + kl_normal of a frame, in nats; "n"}, ready for JSON.
    """
    codes, factors = encode_sample(model, data, np.random.default_rng((seed, 2)), frames)
    known = encode_untrained(model, data, seed, frames)
    noise = np.random.default_rng((seed, 3)).normal(size=codes["mean"].shape)
    result = {"factors": match_codes(codes["mean"], factors, data.factors, seed)}
    for name, score in scores_of(data).items():
        result[name] = score_codes(score, codes["mean"], factors, known, noise)
    terms = terms_on(model, data)
    return result | {
        "correlations": mcc(codes["mean"], factors, seed=seed)["correlations"].tolist(),
        "codes": describe(codes),
        "steps": steps_of(model, data, seed),
        "terms": terms,
        "nelbo": terms["recon"] + terms["kl_normal"] if "recon" in terms else None,
        "n": frames,
    }


def scores_of(data):
    """{name: function of codes and factors} of the scores that data allow: on a grid all, else the MCC."""
    found = {
        "mcc": lambda codes, factors: mcc(codes, factors)["score"],
        "mcc_pearson": lambda codes, factors: mcc(codes, factors, correlation="pearson")["score"],
    }
    if data.grid is None:
        return found
    return found | {
        "mig": lambda codes, factors: mig(codes, factors, information=mutual_information),
        "modularity": lambda codes, factors: modularity(codes, factors, information=mutual_information),
        "sap": lambda codes, factors: axis_aligned.continuous_sap(codes, np.asarray(factors, "float64")),
    }


def score_codes(score, codes, factors, known, noise):
    """A score with its interval, and its values for an untrained encoder and for noise."""
    return {
        "value": float(score(codes, factors)),
        "interval": list(block_interval(score, [codes, factors])),
        "n": len(codes),
        "worst": float(score(*known)),
        "best": 1.0,
        "noise": float(score(noise, factors)),
    }


def encode_untrained(model, data, seed=0, frames=FRAMES):
    """Codes and factors of the same model with new initial weights."""
    codes, factors = encode_sample(new_model(model, seed), data, np.random.default_rng((seed, 4)), frames)
    return codes["mean"], factors


def new_model(model, seed=0):
    """The same model with new initial weights."""
    keras.utils.set_random_seed(seed)
    return type(model).from_config(model.get_config())


def match_codes(codes, factors, names, seed=0):
    """{name of a factor: {"code", "correlation"}} by the assignment of the MCC."""
    found = mcc(codes, factors, seed=seed)
    pairs = zip(names, found["assignment"], found["matched"], strict=True)
    return {name: {"code": int(code), "correlation": float(value)} for name, code, value in pairs}


def steps_of(model, data, seed=0):
    """{factor: {"changed": share of the pairs, "mean": mean |step|, "kurtosis"}}, and of each code the mean |step|."""
    x, factors = data.pairs(np.random.default_rng((seed, 5)), PAIRS)
    steps = factors[1::2].astype("float64") - factors[::2]
    change = model.encode(x)["mean"]
    return {
        "factors": {name: _describe(step) for name, step in zip(data.factors, steps.T, strict=True)},
        "codes": np.abs(change[1::2] - change[::2]).mean(axis=0).tolist(),
    }


def _describe(step):
    variance = step.var()
    kurtosis = float(((step - step.mean()) ** 4).mean() / variance**2) if variance > 0 else None
    return {"changed": float((step != 0).mean()), "mean": float(np.abs(step).mean()), "kurtosis": kurtosis}


def terms_on(model, data):
    """The terms of the loss on validation pairs, latents at their means: {name: value}."""
    stream = PairStream(data, BATCH, BATCHES, (0, VALIDATION), fixed=True)
    terms = [model.loss_terms(stream.batch(index)) for index in range(BATCHES)]
    return {name: float(np.mean([keras.ops.convert_to_numpy(each[name]) for each in terms])) for name in terms[0]}


def table(result):
    """The scores of `evaluate` as a small aligned text table."""
    lines = [f"{'':<16}{'value':>8}{'interval':>18}{'untrained':>11}{'noise':>8}"]
    for name, score in (result | result.get("judged", {})).items():
        if isinstance(score, dict) and "interval" in score:
            low, high = score["interval"]
            values = f"{score['value']:8.3f}{f'{low:.3f} to {high:.3f}':>18}{score['worst']:11.3f}"
            lines.append(f"{name:<16}{values}" + (f"{score['noise']:8.3f}" if "noise" in score else ""))
    lines.append("")
    for name, factor in result["factors"].items():
        lines.append(f"{name:<16}{factor['correlation']:8.3f}  code {factor['code']}")
    used = result["codes"]
    lines.append(f"\n{used['used']} of {used['dimensions']} dimensions used, {result['n']} frames")
    return "\n".join(lines)
