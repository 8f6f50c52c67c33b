"""Results as JSON takes them: plain numbers, and null, with a word of why, for what is not finite."""

import math

import numpy as np


def to_plain(result):
    """A nested result with numpy's types made Python's and nan and infinity made None.

    Returns:
        (the result, {path of a value with dots: what it was}).
    """
    odd = {}
    return _plain(result, "", odd), odd


def _plain(value, path, odd):
    if isinstance(value, dict):
        return {str(key): _plain(each, f"{path}.{key}".lstrip("."), odd) for key, each in value.items()}
    if isinstance(value, (list, tuple, np.ndarray)):
        return [_plain(each, f"{path}.{place}", odd) for place, each in enumerate(value)]
    value = value.item() if isinstance(value, np.generic) else value
    if isinstance(value, float) and not math.isfinite(value):
        odd[path] = "no number" if math.isnan(value) else "infinite"
        return None
    return value
