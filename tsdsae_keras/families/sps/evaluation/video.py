"""Place: whether three latents are the position of the ball, up to what the symmetry leaves open."""

import numpy as np

from tsdsae_keras.families.sps.evaluation.codes import (
    beside_untrained,
    encode,
    prediction_scores,
    reinitialise,
    score,
)
from tsdsae_keras.metrics.intervals import mean_interval
from tsdsae_keras.metrics.linear_probe import LinearProbe, axis_alignment

OWN_LATENTS = ((0, 2), (1,), (0, 2))  # the group moves latents 0 and 2 and leaves 1 alone: it should be the height
FITTED = 256  # trajectories that probes are fitted on
SHOWN = 4  # trajectories kept for the figures


def video_scores(model, data, seed=0):
    """All scores of a model of videos, and the points of its figures."""
    train, test, fresh = data.frames("train", slice(0, FITTED)), data.frames("test"), reinitialise(model, seed)
    scores = prediction_scores(model, fresh, train, test)
    result = {"n": len(test), "domain": "video", "scores": scores, "points": {}}
    if data.labels:
        truth = {"train": data.labels["train"][:FITTED], "test": data.labels["test"]}
        codes, before = (
            {split: encode(each, x) for split, x in (("train", train), ("test", test))} for each in (model, fresh)
        )
        scores |= beside_untrained(*(probe_scores(each, truth, data.factors) for each in (codes, before)))
        result["points"] = trajectories(model, codes, truth, test[:SHOWN])
    return result


def probe_scores(codes, truth, factors):
    """Errors of probes fitted on training frames and scored on test frames, by axis; see `metrics.linear_probe`.

    Intervals are over trajectories.
    """
    fitted, scored = ((flat(codes[split]), flat(truth[split])) for split in ("train", "test"))
    squared = LinearProbe(*fitted).squared_errors(*scored).reshape(truth["test"].shape)
    scores = {"probe_mean": _score(squared.mean(axis=-1))}
    scores |= {f"probe_{name}": _score(squared[..., axis]) for axis, name in enumerate(factors)}
    if fitted[0].shape[1] > max(latent for own in OWN_LATENTS for latent in own):
        own = axis_alignment(*fitted, *scored, OWN_LATENTS).reshape(squared.shape)
        scores |= {f"own_latents_{name}": _score(own[..., axis]) for axis, name in enumerate(factors)}
    return scores


def _score(squared):
    """A score of squared errors (n, time)."""
    return score(squared.mean(), mean_interval(squared.mean(axis=1)), len(squared), worst=1.0, best=0.0)


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
