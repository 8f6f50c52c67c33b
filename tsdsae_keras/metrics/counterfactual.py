"""A swap compared with the true answer: the same melody, really played by the other instrument.

Four versions of n sequences, log-mel power in nats, (n, time, bands):

    original          melody i, its own instrument a
    truth             melody i, the other instrument b
    swap              what a model makes of melody i and the timbre of b
    reconstruction    the model's reconstruction of the truth: as near as its decoder comes when it is shown the answer

and three distances from the truth, each the mean over sequences of a mean over valid frames and bands:

    s = d(swap, truth)    o = d(original, truth)    r = d(reconstruction, truth)

    swap_ratio            s / r            1 is perfect: the swap is as good as a reconstruction
    share_of_way          1 - s / o        0: no nearer than the melody was before the swap; 1: there
    share_of_attainable   (o - s) / (o - r)    the share of the way, in units of what the decoder can reach

The means are divided, not the ratios of sequences averaged, so that one that two instruments play alike does not
decide. d is a squared error in nats, over all bins or over those that can be heard, or a log-spectral distance in dB.
`mask` (n, time) is true where a frame is valid, None when all are. Not one of these numbers needs labels or a judge;
none can see whether a difference of equal size is heard, and a true rendering is one performance: another is as right.
"""

import math

import numpy as np

from tsdsae_keras.errors import InputError
from tsdsae_keras.metrics.frames import mean_over_frames
from tsdsae_keras.metrics.intervals import mean_interval, ratio_interval
from tsdsae_keras.metrics.reconstruction import DECIBELS, log_spectral_distances, sequence_errors

AUDIBLE = 60.0  # dB below a frame's peak: what lies deeper is masked, or room and rounding
VERSIONS = ("swap", "original", "reconstruction")


def score_counterfactual(versions, truth, mask=None, *, pairs=None, groups=None, seed=0):
    """All scores of swaps against the truth.

    Args:
        versions: {"swap", "original", "reconstruction": (n, time, bands)}; any others, by name, are measured too.
        truth: (n, time, bands).
        mask: (n, time), or None.
        pairs: (n,) of (from, to), the instruments of the original and of the truth; None leaves out the directions.
        groups: (n,) labels; sequences of one label, such as one melody, are drawn together for the intervals.
        seed: fixes the draws.

    Returns:
        `score_distances` of squared errors (nats squared); the same over audible bins as "audible", of log-spectral
        distances (dB) as "log_spectral_distance"; with pairs also "pairs", see `score_pairs`.

    Raises:
        InputError: the shapes differ, or a sequence has no valid frame.
    """
    more = {"groups": groups, "seed": seed}
    audible = find_audible(truth, mask)
    constant = np.broadcast_to(_mean_frame(truth, mask), np.shape(truth))
    distances = {"": sequence_errors, "audible": audible_errors, "log_spectral_distance": log_spectral_distances}
    result, errors = {}, {}
    for name, distance in distances.items():
        where = audible if distance is audible_errors else mask
        errors[name] = {each: distance(truth, x, where) for each, x in (versions | {"constant": constant}).items()}
        scores = score_distances(errors[name], **more)
        result |= {name: scores} if name else scores
    return result | ({} if pairs is None else {"pairs": score_pairs(errors[""], pairs, **more)})


def score_distances(distances, *, groups=None, seed=0):
    """The scores of distances from the truth.

    Args:
        distances: {"swap", "original", "reconstruction": (n,)}; "constant" is that of one constant frame, the output of
            a model that has learnt nothing; any others are given as "NAME_to_truth".
        groups, seed: as in `score_counterfactual`.

    Returns:
        {"swap_ratio", "share_of_way", "share_of_attainable", "swap_to_truth", "original_to_truth",
        "reconstruction_of_truth"}: each {"value", "low", "high", "n", "worst", "best"}. low and high are those of a
        95 % bootstrap interval, None where there are fewer than two groups or a draw has no ratio. worst is the value
        of a swap that leaves the original as it is, best that of one as good as the reconstruction; a ratio without a
        denominator is nan, or infinite.
    """
    kinds = {name: np.asarray(each, "float64") for name, each in distances.items()}
    swap, original, reconstruction = (kinds.pop(name) for name in VERSIONS)
    constant = kinds.pop("constant", None)
    o, r = (float(each.mean()) for each in (original, reconstruction))
    more = {"groups": groups, "seed": seed}
    to_truth = {
        "swap_to_truth": _mean(swap, worst=o, best=r, **more),
        "original_to_truth": _mean(original, worst=None, best=None, **more),
        "reconstruction_of_truth": _mean(
            reconstruction, worst=None if constant is None else float(constant.mean()), best=0.0, **more
        ),
    }
    return {
        "swap_ratio": _ratio(swap, reconstruction, worst=_divide(o, r), best=1.0, **more),
        "share_of_way": _ratio(original - swap, original, worst=0.0, best=_divide(o - r, o), **more),
        "share_of_attainable": _ratio(original - swap, original - reconstruction, worst=0.0, best=1.0, **more),
        **to_truth,
        **{f"{name}_to_truth": _mean(each, worst=None, best=0.0, **more) for name, each in kinds.items()},
    }


def score_pairs(distances, pairs, *, groups=None, seed=0):
    """The scores of each ordered pair of instruments: which direction swaps, and which does not.

    Args:
        distances: as in `score_distances`.
        pairs: (n,) of (from, to).
        groups, seed: as in `score_counterfactual`.

    Returns:
        [{"from", "to", "n", and the names of `score_distances`: their values, with "_interval" [low, high] or None}].
    """
    result = []
    for pair in dict.fromkeys(map(tuple, pairs)):
        rows = np.array([tuple(each) == pair for each in pairs])
        mine = None if groups is None else np.asarray(groups)[rows]
        scores = score_distances({name: each[rows] for name, each in distances.items()}, groups=mine, seed=seed)
        ends = {name: None if score["low"] is None else [score["low"], score["high"]] for name, score in scores.items()}
        values = {name: score["value"] for name, score in scores.items()}
        named = {"from": pair[0], "to": pair[1], "n": int(rows.sum())}
        result.append(named | values | {f"{name}_interval": interval for name, interval in ends.items()})
    return result


def find_audible(truth, mask=None, decibels=AUDIBLE):
    """(n, time, bands) true where a bin of a valid frame lies within that many dB of the frame's peak."""
    truth = np.asarray(truth)
    audible = truth >= truth.max(axis=-1, keepdims=True) - decibels / DECIBELS
    return audible if mask is None else audible & np.asarray(mask, bool)[..., None]


def audible_errors(truth, x, audible):
    """Mean squared error of each sequence over its audible bins, (n,): nats squared.

    Raises:
        InputError: a sequence has no audible bin, thus no valid frame.
    """
    count = audible.sum(axis=(1, 2))
    if not count.all():
        raise InputError("a sequence has no valid frame; leave it out")
    squares = np.square(np.subtract(truth, x, dtype="float64"))
    return np.where(audible, squares, 0.0).sum(axis=(1, 2)) / count


def limit_range(x, mask=None, decibels=AUDIBLE):
    """Sequences as a plain log-mel with a range of `decibels` has them: no bin lies deeper below a sequence's peak."""
    x = np.asarray(x, "float64")
    heard = x if mask is None else np.where(np.asarray(mask, bool)[..., None], x, -np.inf)
    return np.maximum(x, heard.max(axis=(1, 2), keepdims=True) - decibels / DECIBELS)


def _mean_frame(truth, mask):
    return mean_over_frames(truth, mask).mean(axis=0)


def _mean(values, groups, seed, **ends):
    return _score(float(values.mean()), _interval(mean_interval, values, groups=groups, seed=seed), len(values), ends)


def _ratio(numerators, denominators, groups, seed, **ends):
    value = _divide(float(numerators.mean()), float(denominators.mean()))
    interval = _interval(ratio_interval, numerators, denominators, groups=groups, seed=seed)
    return _score(value, interval, len(numerators), ends)


def _score(value, interval, n, ends):
    low, high = interval or (None, None)
    return {"value": value, "low": low, "high": high, "n": n} | ends


def _interval(find, *arrays, **options):
    try:
        return find(*arrays, **options)
    except InputError:
        return None


def _divide(part, whole):
    """part / whole; 1 for 0 / 0, as nothing is missing; nan below 0, where the ratio means nothing."""
    if whole == 0:
        return 1.0 if part == 0 else math.copysign(math.inf, part)
    return part / whole if whole > 0 else math.nan
