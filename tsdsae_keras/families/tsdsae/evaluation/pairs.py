"""Which sequences swap with which, written down, so that another model can be asked the same."""

import json

import numpy as np

from tsdsae_keras.files import sha256


def make_pair_list(partner, heard, seed, among=None):
    """All pairs and those that are made to sound, with a hash to tell two lists apart.

    Args:
        partner: (n,) integers, sequence i swaps with partner[i].
        heard: how many sequences sound; they are drawn, and none twice. At most n.
        seed: fixes the draw.
        among: sequences that may be drawn; None for all.

    Returns:
        {"partner": [n integers], "heard": [integers, ascending], "sha256": of these two as JSON without spaces}.
    """
    partner = np.asarray(partner)
    drawn = np.random.default_rng(seed).permutation(len(partner))
    drawn = drawn if among is None else drawn[np.isin(drawn, among)]
    pairs = {"partner": partner.tolist(), "heard": np.sort(drawn[:heard]).tolist()}
    return pairs | {"sha256": sha256(json.dumps(pairs, separators=(",", ":")).encode())}
