"""How well pose and class were learned: hit-rates by steps, what each part does, and what an error means."""

import numpy as np

from tsdsae_keras.errors import InputError
from tsdsae_keras.families.cpd.codes import DataCodes, encode_images
from tsdsae_keras.families.cpd.losses import info_nce_floor
from tsdsae_keras.families.cpd.model import CPD
from tsdsae_keras.families.cpd.offsets import pose_errors
from tsdsae_keras.metrics.hit_rate import class_distances, hits, squared_distance
from tsdsae_keras.metrics.intervals import mean_interval
from tsdsae_keras.report.table import number_text

QUERIES, CANDIDATES = 2048, 32
COMPARED = 256  # images whose codes are compared with each other, or at one pose in all classes
BATCH = 64  # of the InfoNCE that is reported
ENDS = ("worst", "best")


def evaluate(model, data, seed):
    """Scores on the test images.

    - ``hit_rate``: {steps: score} among 32 candidates after 1, 10 and 20 actions; ``hit_rate_5``: within the five
      nearest. An exact action must not lose with the number of steps; a learned one does.
    - ``curve``: hit-rates up to 40 steps, and ``fall``: what is lost from 1 step to 40, of data with trajectories of
      any length.
    - ``same_class``: the hit-rate among candidates of one class, which only the pose tells apart.
    - ``same_pose``: the hit-rate among all classes at the true pose, which only the class tells apart.
    - ``class_accuracy``: nearest centroid of the classes' codes, fitted on validation images.
    - ``pose_error``: {unit: score} after one constant a class, fitted on validation images.
    - ``info_nce``: its value, "worst" that of a constant class and "best" its floor for perfect classes.
    - ``lossless``: the smallest distance between codes of different images over the median distance of a prediction
      from its truth; above 1, prediction errors confuse no two of these images.
    - ``left_out``: hit-rates and pose errors of classes that training never showed, where there are.

    Args:
        model: of this family.
        data: `data.sets.pose_pool.PoseData`.
        seed: of the queries.

    Returns:
        A dict of plain numbers; a score is {"value", "interval", "n", "worst", "best"}.
    """
    return scores_of(DataCodes(model, data), seed)


def scores_of(codes, seed):
    """The scores of `evaluate` from `codes.DataCodes`."""
    model, data = codes.model, codes.data
    scores = hit_rates(codes, "test", seed)
    if data.curve:
        scores["curve"] = hit_rates(codes, "test", seed, data.curve)["hit_rate"]
        scores["fall"] = fall(scores["curve"])
    if isinstance(model, CPD) and codes.of("test").pool.classes is not None:
        scores |= _of_parts(model, codes.of("validation"), codes.of("test"), seed)
    if "left_out" in data.splits:
        scores["left_out"] = _of_left_out(codes, seed)
    settings = {"seed": int(seed), "candidates": candidates_in(codes.of("test").pool), "queries": QUERIES}
    return scores | {"lossless": _lossless(model, codes.of("test"), seed), "settings": settings}


def hit_rates(codes, split, seed, steps=None):
    """Hit-rates by number of steps: {"hit_rate": {steps: score}, "hit_rate_5": ...}.

    Args:
        codes: `DataCodes`.
        split, seed: of the queries.
        steps: numbers of steps; by default those of the data.
    """
    found = {"hit_rate": {}, "hit_rate_5": {}}
    for count in steps or codes.data.steps:
        part = codes.of(split, count)
        candidates = candidates_in(part.pool)
        # The same image twice among the candidates would make a miss of a right prediction.
        rng = np.random.default_rng((seed, count))
        predicted, true, _ = part.roll_out(rng, QUERIES // candidates * candidates, count, distinct=candidates)
        for name, k in (("hit_rate", 1), ("hit_rate_5", 5)):
            if k < candidates:
                hit = hits(predicted, true, k=k, **comparison(codes.model, candidates))
                found[name][str(count)] = score(hit, worst=k / candidates)
    return found


def fall(curve):
    """How much of the hit-rate is lost from the fewest steps of a curve to the most, a score.

    Its interval is that of a difference of two independent means: where it holds 0 the hit-rate has not fallen.
    """
    first, last = (curve[steps] for steps in (min(curve, key=int), max(curve, key=int)))
    variance = sum(each["value"] * (1 - each["value"]) / each["n"] for each in (first, last))
    value, half = first["value"] - last["value"], 1.96 * variance**0.5
    return {"value": value, "interval": [value - half, value + half], "n": last["n"], "worst": None, "best": 0.0}


def candidates_in(pool):
    """32, or fewer where a small set of one's own has not so many different images.

    Raises:
        InputError: it has fewer than two.
    """
    if pool.distinct() < 2:
        raise InputError("the test images have fewer than two different ones to tell apart; give more triples")
    return min(CANDIDATES, pool.distinct())


def comparison(model, candidates=CANDIDATES):
    """How codes of a model are compared: arguments of `metrics.hit_rate.hits`."""
    how = {"group_dim": model.group_dim, "class_distance": "hinge", "candidates": candidates}
    if isinstance(model, CPD):
        how["class_distance"] = model.class_loss
        if model.group == "rotate_quaternion":  # q and -q are one rotation
            how["pose_distance"] = lambda p, q: 8 * (1 - np.sum(p * q, axis=-1) ** 2)
    return how


def score(values, worst, best=1.0):
    """A mean with its interval, how many it is the mean of, and the worst and best it could be."""
    values = np.asarray(values, "float64")
    low, high = mean_interval(values) if len(values) > 1 and values.std() else (values.mean(), values.mean())
    interval = [float(low), float(high)]
    return {"value": float(values.mean()), "interval": interval, "n": len(values), "worst": worst, "best": best}


def _of_parts(model, validation, test, seed):
    """Scores of the class alone and of the pose alone."""
    rng = np.random.default_rng((seed, 0))
    predicted, true, rows = test.roll_out(rng, QUERIES, 1)
    found = {"same_class": _same_class(model, test, rng)}
    if test.pool.scene.shares_poses:
        found["same_pose"] = _same_pose(model, test, predicted[:COMPARED], rows[:COMPARED])
    found["class_accuracy"] = _class_accuracy(model, validation, test)
    if test.pool.poses is not None:
        found["pose_error"] = _pose_error(model, validation, test)
    if model.class_loss == "info_nce":
        found["info_nce"] = _info_nce(model, predicted, true, len(np.unique(test.pool.classes)))
    return found


def _same_class(model, codes, rng):
    kinds, found = np.unique(codes.pool.classes), []
    n = max(CANDIDATES, QUERIES // len(kinds) // CANDIDATES * CANDIDATES)
    for kind in kinds:
        among = np.flatnonzero(codes.pool.classes == kind)
        if codes.pool.distinct(among) < CANDIDATES:
            continue
        predicted, true, _ = codes.roll_out(rng, n, 1, distinct=CANDIDATES, among=among)
        found.append(hits(predicted, true, **comparison(model)))
    return score(np.concatenate(found), worst=1 / CANDIDATES) if found else None


def _same_pose(model, codes, predicted, rows):
    """The nearest of the codes of all classes at the pose of y."""
    pool, n = codes.pool, len(rows)
    kinds = np.unique(pool.classes)
    poses = np.repeat(pool.poses[rows[:, -1]], len(kinds), axis=0)
    images = pool.scene.render(poses, np.tile(kinds, n))
    others = encode_images(model, images).reshape(n, len(kinds), -1)
    how, dims = comparison(model), model.group_dim
    pose = how.get("pose_distance", squared_distance)(predicted[:, None, :dims], others[..., :dims])
    distance = pose + class_distances(predicted[:, None, dims:], others[..., dims:], how["class_distance"])
    return score(kinds[distance.argmin(axis=1)] == pool.classes[rows[:, -1]], worst=1 / len(kinds))


def _class_accuracy(model, validation, test):
    e, f = (codes.codes[:, model.group_dim :] for codes in (validation, test))
    kinds = np.unique(validation.pool.classes)
    centroids = np.stack([e[validation.pool.classes == kind].mean(axis=0) for kind in kinds])
    nearest = kinds[squared_distance(f[:, None], centroids[None]).argmin(axis=1)]
    return score(nearest == test.pool.classes, worst=1 / len(kinds))


def _pose_error(model, fitted, scored, halves=False):
    parts = [(each.codes[:, : model.group_dim], each.pool.poses, each.pool.classes) for each in (fitted, scored)]
    if halves:
        parts = [tuple(value[i::2] for value in parts[i]) for i in range(2)]
    errors = pose_errors(model.group, scored.pool.scene.units, *parts)
    return {name: score(values, worst=None, best=0.0) for name, values in errors.items()}


def _info_nce(model, predicted, true, classes):
    e, f = (
        codes[: len(codes) // BATCH * BATCH, model.group_dim :].reshape(-1, BATCH, model.extra_dim)
        for codes in (predicted, true)
    )
    similarity = np.einsum("bie,bje->bij", e, f).astype("float64") / model.temperature
    largest = similarity.max(axis=2)
    total = largest + np.log(np.exp(similarity - largest[..., None]).sum(axis=2))
    values = (total - np.einsum("bii->bi", similarity)).ravel()
    return score(values, worst=float(np.log(BATCH)), best=info_nce_floor(classes, BATCH, model.temperature))


def _lossless(model, codes, seed):
    predicted, true, _ = codes.roll_out(np.random.default_rng((seed, 0)), COMPARED, 1)
    how, dims = comparison(model), model.group_dim

    def distance(p, q):
        pose = how.get("pose_distance", squared_distance)(p[..., :dims], q[..., :dims])
        return pose + class_distances(p[..., dims:], q[..., dims:], how["class_distance"])

    some = codes.codes[:COMPARED]
    between = distance(some[:, None], some[None])
    closest = between[~np.eye(len(some), dtype=bool)].min()
    # Rounding makes equal codes of length 1 differ by less than nothing.
    return {"value": float(max(closest, 0) / max(np.median(distance(predicted, true)), 1e-12)), "n": len(some)}


def _of_left_out(codes, seed):
    found, part = hit_rates(codes, "left_out", seed), codes.of("left_out")
    if isinstance(codes.model, CPD):
        found["pose_error"] = _pose_error(codes.model, part, part, halves=True)
    return found


def table(result):
    """The scores of `evaluate` as a small aligned text table."""
    lines = [_line("", "value", "95 % interval", *ENDS)]
    for name, scores in flat(result).items():
        interval = " to ".join(map(number_text, scores["interval"]))
        lines.append(_line(name, number_text(scores["value"]), interval, *(number_text(scores[e]) for e in ENDS)))
    lines.append(_line("lossless (above 1)", f"{result['lossless']['value']:.3g}", "", "", ""))
    settings = result["settings"]
    lines.append(f"{settings['queries']} queries, {settings['candidates']} candidates")
    return "\n".join(lines)


def _line(name, value, interval, worst, best):
    return f"{name:<34}{value:>9}{interval:>20}{worst:>9}{best:>9}".rstrip()


NAMES = {
    "hit_rate": "hit-rate, steps: {}",
    "hit_rate_5": "among the 5 nearest, steps: {}",
    "fall": "hit-rate lost, 1 to 40 steps",
    "same_class": "hit-rate within a class",
    "same_pose": "hit-rate at one pose",
    "class_accuracy": "class accuracy",
    "pose_error": "pose error, {}",
    "info_nce": "InfoNCE",
    "reconstruction": "reconstruction of frozen codes",
}


def flat(result):
    """{name in the table: score} of the scores of `evaluate`."""
    found = {}
    for key, name in NAMES.items():
        scores = result.get(key)
        if scores and "value" in scores:
            found[name] = scores
        elif scores:
            found |= {name.format(part): value for part, value in scores.items()}
    left_out = flat(result["left_out"]) if "left_out" in result else {}
    return found | {f"left out: {name}": value for name, value in left_out.items()}
