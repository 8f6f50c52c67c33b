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
    order = order[np.argsort(groups[order], kind="stable")]
    members = np.split(order, np.flatnonzero(np.diff(groups[order])) + 1)
    return rng.permutation(np.concatenate([_even(own, rng) for own in members]).reshape(-1, 2)).reshape(-1)


def _even(own, rng):
    """The members of a group, the last one's partner being any of the others, or itself where there is none."""
    return own if len(own) % 2 == 0 else np.append(own, rng.choice(own[:-1] if len(own) > 1 else own))


def coupled(groups):
    """How many positions `draw_couples` gives."""
    counts = np.unique(groups, return_counts=True)[1]
    return int((counts + counts % 2).sum())
