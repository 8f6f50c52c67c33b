"""Place: whether three latents are the position of the ball, up to what the symmetry leaves open."""

import numpy as np

from tsdsae_keras.families.sps.evaluation.codes import code_deviations, encode, prediction_scores, reinitialise, score
from tsdsae_keras.metrics.intervals import mean_interval
from tsdsae_keras.metrics.linear_probe import LinearProbe, axis_alignment

OWN_LATENTS = ((0, 2), (1,), (0, 2))  # the group moves latents 0 and 2 and leaves 1 alone: it should be the height
FITTED = 256  # trajectories that probes are fitted on
SHOWN = 4  # trajectories kept for the figures


def video_scores(model, data, seed=0):
    """All scores of a model of videos, and the points of its figures."""
    train, test = data.frames("train", slice(0, FITTED)), data.frames("test")
    scores = prediction_scores(model, train, test)
    scores["z_std"] = score(code_deviations(model, test).max(), worst=0.0, n=len(test))
    result = {"n": len(test), "domain": "video", "scores": scores, "points": {}}
    if data.labels:
        truth = {"train": data.labels["train"][:FITTED], "test": data.labels["test"]}
        codes = {"train": encode(model, train), "test": encode(model, test)}
        scores |= probe_scores(codes, truth, data.factors)
        fresh = reinitialise(model, seed)
        before = {"train": encode(fresh, train), "test": encode(fresh, test)}
        for name, found in probe_scores(before, truth, data.factors, interval=False).items():
            scores[name]["untrained"] = found["value"]
        result["points"] = trajectories(model, codes, truth, test[:SHOWN])
    return result


def probe_scores(codes, truth, factors, interval=True):
    """Errors of probes fitted on training frames and scored on test frames, by axis; see `metrics.linear_probe`."""
    rows = {split: (flat(codes[split]), flat(truth[split])) for split in ("train", "test")}
    probe = LinearProbe(*rows["train"])
    squared = probe.squared_errors(*rows["test"]).reshape(*truth["test"].shape)
    bounds = {"worst": 1.0, "best": 0.0, "n": len(squared)}
    scores = {}
    for name, each in (("mean", squared.mean(axis=-1)), *zip(factors, np.moveaxis(squared, -1, 0), strict=True)):
        span = mean_interval(each.mean(axis=1)) if interval else None
        scores[f"probe_{name}"] = score(each.mean(), span, **bounds)
    if rows["train"][0].shape[1] > max(latent for own in OWN_LATENTS for latent in own):
        aligned = axis_alignment(*rows["train"], *rows["test"], OWN_LATENTS)
        scores |= {f"own_latents_{name}": score(e, **bounds) for name, e in zip(factors, aligned, strict=True)}
    return scores


def flat(values):
    """(n, time, k) -> (n * time, k)."""
    return np.asarray(values, "float64").reshape(-1, values.shape[-1])


def trajectories(model, codes, truth, x):
    """True places, those that a probe reads off the codes, and off a roll-out, of some trajectories."""
    probe = LinearProbe(flat(codes["train"]), flat(truth["train"]))
    n = len(x)
    found = {"true": truth["test"][:n].tolist(), "probed": _places(probe, codes["test"][:n])}
    if model.prior and model.dynamic == model.latents:
        found["imagined"] = _places(probe, np.concatenate([codes["test"][:n, :1], model.rollout(x)], axis=1))
    return found


def _places(probe, codes):
    return probe.predict(flat(codes)).reshape(*codes.shape[:2], -1).tolist()
