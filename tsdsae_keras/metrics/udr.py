"""Unsupervised disentanglement ranking: how alike are the codes of models that differ in their seed alone?

A model that separates factors finds the same axes again; one that mixes them finds other mixtures each time. No
labels are needed, so hyper-parameters can be chosen by it: train each setting with several seeds, and take the
setting whose models agree most.
"""

import numpy as np

from tsdsae_keras.errors import InputError
from tsdsae_keras.metrics.mcc import correlations

LEAST_KL = 0.01  # nats, of a code that is used


def udr(codes, kls):
    """The score of each of several models, from 0 to 1: the median of `agreement` with the others.

    Args:
        codes: a list of (n, z_dim), the means of the models on the same frames.
        kls: a list of (z_dim,), KL[q(z_d | x), N(0, 1)] of each code, mean over frames.

    Returns:
        (models,) scores.

    Raises:
        InputError: fewer than two models.

    Source: Duan et al., Unsupervised Model Selection for Variational Disentangled Representation Learning, ICLR 2020.
    """
    if len(codes) < 2:
        raise InputError(f"UDR compares models that differ in their seed; there are {len(codes)}, give two or more")
    used = [np.asarray(kl) > LEAST_KL for kl in kls]
    kept = [np.asarray(code)[:, use] for code, use in zip(codes, used, strict=True)]
    models = range(len(kept))
    scores = [[agreement(kept[i], kept[j]) for j in models if j != i] for i in models]
    return np.median(scores, axis=1)


def agreement(first, second):
    """Mean over the codes of both of (largest |Spearman correlation|)^2 / sum of them all; 0 where none is used.

    Args:
        first: (n, a), used codes of one model.
        second: (n, b), of another.
    """
    if not (first.shape[1] and second.shape[1]):
        return 0.0
    table = np.abs(correlations(first, second))
    shares = [_share(table), _share(table.T)]
    return float(np.concatenate(shares).mean())


def _share(table):
    total = table.sum(axis=1)
    return np.square(table.max(axis=1)) / np.where(total > 0, total, 1)
