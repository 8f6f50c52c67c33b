"""Codes of many sequences, what is decoded from codes, and scores that music and video share."""

import numpy as np
from keras import ops

from tsdsae_keras.errors import InputError
from tsdsae_keras.families.sps.model import FIXED_SEED
from tsdsae_keras.families.sps.symmetries import find_symmetry
from tsdsae_keras.metrics.batching import in_batches
from tsdsae_keras.metrics.intervals import mean_interval, statistic_interval
from tsdsae_keras.metrics.linear_probe import standardized_squares


def encode(model, x):
    """Means (n, time, d) of sequences."""
    return in_batches(lambda part: model.encode(part)["mean"], x)


def deviations(z):
    """The standard deviation of every latent over all frames."""
    return z.reshape(-1, z.shape[-1]).std(axis=0)


def reinitialise(model, seed):
    """A model of the same kind with other initial weights."""
    fresh = type(model).from_config(model.get_config() | {"seed": seed})
    if model.center:
        fresh.mean_frame.assign(model.mean_frame)
    return fresh


def score(value, interval=None, n=None, worst=None, best=None, **more):
    """A score as JSON has it."""
    plain = None if interval is None else [float(end) for end in interval]
    return {"value": float(value), "interval": plain, "n": n, "worst": worst, "best": best, **more}


def cross_entropy(x, p):
    """BCE of every sequence and frame, (n, time), nats; x and p in [0, 1]."""
    p = np.clip(np.float64(p), 1e-12, 1 - 1e-12)
    x = np.float64(x)
    return -(x * np.log(p) + (1 - x) * np.log1p(-p)).reshape(*x.shape[:2], -1).sum(axis=-1)


def beside_untrained(scores, before):
    """The scores of a model, each with "untrained": the value of the same score in `before`."""
    return {name: found | {"untrained": before[name]["value"]} for name, found in scores.items()}


def prediction_scores(model, fresh, train, x):
    """How well frames are reconstructed, imagined and predicted, how far the codes move, and how far the prior
    commutes with the symmetry, each with the value of an untrained model.

    Args:
        model: `SPS`.
        fresh: `reinitialise`.
        train: (n, time, *frame), whose mean is the worst reconstruction.
        x: the same, scored.
    """
    return beside_untrained(*(model_scores(each, train, x) for each in (model, fresh)))


def model_scores(model, train, x):
    """{name: score} of reconstruction, roll-outs, the prior and the spread of the codes, without the untrained."""
    z = encode(model, x)[..., : model.dynamic]
    # What no model can do better than is the entropy of the frames themselves; the worst is the mean frame.
    least = cross_entropy(x, x)
    worst = cross_entropy(x, np.broadcast_to(train.mean(axis=(0, 1)), x.shape)) - least
    found = {"recon": _excess(cross_entropy(x, in_batches(model.reconstruct, x, 8)) - least, worst)}
    if model.prior:
        after = slice(model.base_len, None)
        found["imagined"] = _excess(
            (cross_entropy(x, in_batches(model.imagine, x, 8)) - least)[:, after], worst[:, after]
        )
        predicted = in_batches(model.rollout, x)
        found["code_error"] = _error(predicted[:, model.base_len - 1 :], z[:, model.base_len :], worst=1.0)
        found |= {"commutation": _error(*commuted(model, z))} if acting_kinds(model) else {}
    spread = statistic_interval(lambda rows: deviations(rows).max(), z, n_resamples=100) if len(z) > 4 else None
    return found | {"z_std": score(deviations(z).max(), spread, len(z), worst=0.0)}


def commuted(model, z):
    """S^-1 R(S z) and R(z) of dynamic codes (n, time, p), of every kind of the symmetry and true codes throughout:
    (kinds * n, time - 1, p) each. A prior that commutes gives the same twice, whatever K it was trained with.
    """
    z = ops.convert_to_tensor(z)
    seen = ops.zeros(z.shape[:2], "bool")
    plain, moved = model.transition(z, seen), []
    for kind in acting_kinds(model):
        g = kind.group.draw(z.shape[0], FIXED_SEED)
        there = model.transition(kind.group.act(g, z), seen)
        moved.append(kind.group.act(kind.group.inverse(g), there))
    return ops.convert_to_numpy(ops.concatenate(moved)), ops.convert_to_numpy(ops.concatenate([plain] * len(moved)))


def acting_kinds(model):
    """The kinds of the model's symmetry, also where K is 0; none where it acts on latents that the codes lack."""
    try:
        return find_symmetry(model.group, model.dynamic)
    except InputError:
        return ()


def _error(predicted, true, worst=None):
    """The mean squared error of standardised codes."""
    each = standardized_squares(predicted, true).mean(axis=(1, 2))
    known = np.isfinite(each).all() and len(each) > 1
    return score(each.mean(), mean_interval(each) if known else None, len(each), worst, best=0.0)


def _excess(nats, worst):
    return score(nats.mean(), mean_interval(nats.mean(axis=1)), len(nats), float(worst.mean()), 0.0)
