"""Codes of many sequences, what is decoded from codes, and figures that music and video share."""

import numpy as np

from tsdsae_keras.metrics.intervals import mean_interval
from tsdsae_keras.metrics.linear_probe import standardized_error

BATCH = 32  # sequences, or frames where codes are decoded


def in_batches(function, x, batch=BATCH):
    """function(x) of many rows, a batch at a time."""
    return np.concatenate([function(x[start : start + batch]) for start in range(0, len(x), batch)])


def encode(model, x):
    """Means (n, time, d) of sequences."""
    return in_batches(lambda part: model.encode(part)["mean"], x)


def code_deviations(model, x):
    """Standard deviation of every dynamic latent over all frames."""
    return encode(model, x)[..., : model.dynamic].reshape(-1, model.dynamic).std(axis=0)


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


def prediction_scores(model, train, x):
    """How well frames are reconstructed, imagined and predicted: nats a frame above what is attainable, and errors of
    codes.

    What no model can do better than is the entropy of the frames themselves; the worst is the mean frame of training.
    """
    least = cross_entropy(x, x)
    worst = cross_entropy(x, np.broadcast_to(train.mean(axis=(0, 1)), x.shape)) - least
    recon = cross_entropy(x, in_batches(model.reconstruct, x, 8)) - least
    found = {"recon": _excess(recon, worst)}
    if not model.prior:
        return found
    after = slice(model.base_len, None)
    imagined = cross_entropy(x, in_batches(model.imagine, x, 8)) - least
    found["imagined"] = _excess(imagined[:, after], worst[:, after])
    z = encode(model, x)[..., : model.dynamic]
    predicted = in_batches(model.rollout, x)
    error = standardized_error(predicted[:, model.base_len - 1 :], z[:, model.base_len :])
    return found | {"code_error": score(error, worst=1.0, best=0.0, n=len(x))}


def _excess(nats, worst):
    return score(nats.mean(), mean_interval(nats.mean(axis=1)), len(nats), float(worst.mean()), 0.0)
