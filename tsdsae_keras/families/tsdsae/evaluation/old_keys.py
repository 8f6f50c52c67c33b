"""Evaluations that earlier versions wrote, read under the keys of today.

"floor" used to be the worst attainable value of a score, but the distance between two halves of the real set among
Fréchet distances; "ceiling" the best attainable value, but the score of real sound in a melody.
"""

SCORE = {"floor": "worst", "ceiling": "best"}
MELODY = {"floor": "other_melody", "ceiling": "original"}
DISTANCES = {"floor": "half_split", "no_floor": "no_half_split"}


def update_keys(result):
    """The dict of an evaluation with the keys of today; one that has them already comes back equal."""
    result = _update_scores(result)
    for name, keys in {"settings": SCORE, "reconstruction": {"mse_floor": "mse_worst"}, "melody": MELODY}.items():
        if name in result:
            result[name] = rename_keys(result[name], keys)
    if "frechet" in result:
        result["frechet"] = {name: rename_keys(each, DISTANCES) for name, each in result["frechet"].items()}
    for name in (name for name in result if name.startswith("frechet_")):
        result[name] = rename_keys(result[name], DISTANCES)
    return result


def rename_keys(values, names):
    """A dict with some keys replaced, in the same order."""
    return {names.get(key, key): value for key, value in values.items()}


def _update_scores(value):
    """A copy in which every dict with a "value" has the keys of a score."""
    if not isinstance(value, dict):
        return value
    copy = {key: _update_scores(each) for key, each in value.items()}
    return rename_keys(copy, SCORE) if "value" in copy else copy
