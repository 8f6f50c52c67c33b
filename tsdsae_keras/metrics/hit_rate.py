"""Hit-rate: how often the predicted code of an image lies nearest to the code of the true one among candidates.

In a batch of exactly `candidates` pairs, the prediction i, the code of x_i moved by g_i, hits where the code of y_i is
the nearest of all codes y_j of that batch. Distances add the squared L2 distance of the poses and the distance of the
classes, unscaled: the range of the poses decides how much the class counts. Chance is 1 / candidates. Rows that do not
fill a batch are left out: fewer candidates would be easier.

Source: Marchetti, Tegner, Varava, Kragic, AISTATS 2023, arXiv 2207.03116.
"""

import numpy as np

from tsdsae_keras.errors import InputError

CLASS_DISTANCES = ("info_nce", "hinge")


def hit_rate(predicted, true, *, group_dim, class_distance="info_nce", candidates=32):
    """The mean of `hits`, from 0 to 1; higher is better.

    Args:
        predicted, true, group_dim, class_distance, candidates: as in `hits`.
    """
    return float(
        hits(predicted, true, group_dim=group_dim, class_distance=class_distance, candidates=candidates).mean()
    )


def hits(predicted, true, *, group_dim, class_distance="info_nce", candidates=32, k=1, pose_distance=None):
    """Which predictions hit, (n,) booleans, n the rows that fill batches.

    Args:
        predicted, true: codes (rows, code), pose first.
        group_dim: numbers of the pose.
        class_distance: "info_nce", 1 - <e, e'>, or "hinge", the squared L2 distance.
        candidates: in a batch; consecutive rows.
        k: a hit is to be among the k nearest; of equally near candidates the first one is nearest.
        pose_distance: of poses (..., group_dim), for those that are not compared by squared L2 distance.

    Raises:
        InputError: shapes that do not fit, or fewer rows than candidates.
    """
    predicted, true = (np.asarray(codes, "float64") for codes in (predicted, true))
    _check(predicted, true, group_dim, class_distance, candidates, k)
    whole = len(true) // candidates
    found = []
    for batch in range(whole):
        rows = slice(batch * candidates, (batch + 1) * candidates)
        p, t = predicted[rows, None], true[None, rows]
        pose = (pose_distance or squared_distance)(p[..., :group_dim], t[..., :group_dim])
        found.append(_ranks(pose + class_distances(p[..., group_dim:], t[..., group_dim:], class_distance)) < k)
    return np.concatenate(found)


def squared_distance(p, q):
    """The squared L2 distance along the last axis."""
    return np.sum((p - q) ** 2, axis=-1)


def class_distances(e, f, kind):
    """1 - <e, f> ("info_nce", of vectors of length 1), or the squared L2 distance ("hinge")."""
    return 1 - np.sum(e * f, axis=-1) if kind == "info_nce" else squared_distance(e, f)


def _ranks(distance):
    """How many candidates come before the true one, the diagonal: nearer ones, and as near ones with a lower index.

    A distance that is not finite never hits.
    """
    n = len(distance)
    own = np.diagonal(distance)[:, None]
    before = np.arange(n)[None] < np.arange(n)[:, None]
    ranks = np.sum((distance < own) | ((distance == own) & before), axis=1)
    return np.where(np.isfinite(own[:, 0]), ranks, n)


def _check(predicted, true, group_dim, class_distance, candidates, k):
    if predicted.ndim != 2 or predicted.shape != true.shape:
        raise InputError(f"predicted codes have shape {predicted.shape} and true ones {true.shape}; both (rows, code)")
    if not 0 <= group_dim <= predicted.shape[1]:
        raise InputError(f"group_dim is {group_dim}; codes have {predicted.shape[1]} numbers")
    if class_distance not in CLASS_DISTANCES:
        raise InputError(f"class_distance is {class_distance!r}; it must be {' or '.join(CLASS_DISTANCES)}")
    if not 1 <= k < candidates:
        raise InputError(f"k is {k} and candidates {candidates}; k must be at least 1 and below the candidates")
    if len(true) < candidates:
        raise InputError(f"{len(true)} predictions do not fill one batch of {candidates} candidates")
