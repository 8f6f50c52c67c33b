"""Two sequences of one recording next to each other."""

import numpy as np


def draw_couples(groups, rng):
    """Positions of all sequences in an order in which the first two, the next two, ... are of one group: (m,), m even.

    Each sequence comes once, but that where a group has an odd number one of it comes a second time; a group of one is
    its own couple. Couples are drawn within their group, and so is their order.

    Args:
        groups: (n,), the group of each sequence.
        rng: numpy's Generator.
    """
    order = rng.permutation(len(groups))
    members = [order[groups[order] == group] for group in np.unique(groups)]
    even = [
        own if len(own) % 2 == 0 else np.append(own, rng.choice(own[:-1] if len(own) > 1 else own)) for own in members
    ]
    return rng.permutation(np.concatenate(even).reshape(-1, 2)).reshape(-1)


def coupled(groups):
    """How many positions `draw_couples` gives."""
    counts = np.unique(groups, return_counts=True)[1]
    return int((counts + counts % 2).sum())
