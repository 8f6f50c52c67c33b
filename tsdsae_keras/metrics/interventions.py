"""The BetaVAE and FactorVAE scores: mini-batches in which one factor is held fixed, and a judge that names it.

`represent` below is a function of factors (n, k), class indices, to codes (n, z_dim) of frames that have them;
`sizes` are the numbers of values of the factors. The parts that take arrays are held to reference numbers; see each.
Settings as in github google-research/disentanglement_lib, commit 86a644d.
"""

import numpy as np

from tsdsae_keras.errors import InputError
from tsdsae_keras.metrics.axis_aligned import fit_quietly

BATCH, TRAIN, TEST = 64, 10_000, 5_000
BLOCK = 1024  # frames that are asked for at a time
LEAST_DEVIATION = 0.05  # of a code that counts


def beta_vae(represent, sizes, *, batch=BATCH, train=TRAIN, test=TEST, seed=0):
    """Test accuracy of naming the factor that two mini-batches share, row by row, from their mean |difference|.

    Source: Higgins et al., beta-VAE, ICLR 2017.
    """
    rng = np.random.default_rng(seed)
    labels = rng.integers(len(sizes), size=train + test)
    factors = rng.integers(sizes, size=(train + test, 2, batch, len(sizes)))
    which = labels[:, None, None]
    np.put_along_axis(factors[:, 1], which, np.take_along_axis(factors[:, 0], which, axis=-1), axis=-1)
    codes = _codes(represent, factors)
    features = beta_vae_feature(codes[:, 0], codes[:, 1])
    return beta_vae_accuracy(features[:train], labels[:train], features[train:], labels[train:])


def _codes(represent, factors):
    """Codes (..., z_dim) of factors (..., k), a block at a time."""
    rows = factors.reshape(-1, factors.shape[-1])
    codes = np.concatenate([represent(rows[start : start + BLOCK]) for start in range(0, len(rows), BLOCK)])
    return codes.reshape(*factors.shape[:-1], -1)


def beta_vae_feature(first, second):
    """Mean over rows of |first - second|. Reference: `beta_vae/example_codes` against `beta_vae/train_features`."""
    return np.abs(np.asarray(first) - second).mean(axis=-2)


def beta_vae_accuracy(train_features, train_labels, test_features, test_labels):
    """Test accuracy of a multinomial logistic regression. Reference: `beta_vae/eval_accuracy`, `.../train_accuracy`."""
    from sklearn.linear_model import LogisticRegression

    if len(np.unique(train_labels)) < 2:
        raise InputError("the BetaVAE score needs two factors or more")
    judge = fit_quietly(LogisticRegression(random_state=0), train_features, train_labels)
    return float(judge.score(test_features, test_labels))


def factor_vae(represent, sizes, *, batch=BATCH, train=TRAIN, test=TEST, frames=10_000, seed=0):
    """Test accuracy of naming the factor that a mini-batch shares from the code that varies least in it.

    Source: Kim, Mnih, Disentangling by Factorising, ICML 2018.
    """
    rng = np.random.default_rng(seed)
    variance = _codes(represent, rng.integers(sizes, size=(frames, len(sizes)))).var(axis=0, ddof=1)
    labels = rng.integers(len(sizes), size=train + test)
    factors = rng.integers(sizes, size=(train + test, batch, len(sizes)))
    which = labels[:, None, None]
    np.put_along_axis(factors, which, np.take_along_axis(factors[:, :1], which, axis=-1), axis=-1)
    return factor_vae_accuracy(_codes(represent, factors), labels, variance, train)["test"]


def factor_vae_accuracy(codes, labels, variance, train):
    """Votes and accuracies of a majority vote.

    Args:
        codes: (batches, frames, z_dim).
        labels: (batches,) the factor held fixed.
        variance: (z_dim,) of the codes over the data.
        train: how many of the batches teach; the others are asked.

    Returns:
        {"train", "test": accuracies, "train_votes", "test_votes": (k, z_dim), "votes": the code of each batch,
        "active": (z_dim,)}. Codes whose deviation over the data is below 0.05 are left out; without any the score is 0.
        Reference: `factor_vae/*` of metrics.npz, where votes count the active codes alone.
    """
    labels = np.asarray(labels)
    active = np.sqrt(variance) >= LEAST_DEVIATION
    counts = np.zeros((2, labels.max() + 1, len(variance)), int)
    if not active.any():
        return {"train": 0.0, "test": 0.0, "votes": None, "active": active} | _name_counts(counts)
    ratio = np.where(active, np.var(codes, axis=1, ddof=1) / np.where(active, variance, 1), np.inf)
    votes = ratio.argmin(axis=1)
    np.add.at(counts, ((np.arange(len(labels)) >= train).astype(int), labels, votes), 1)
    answer = counts[0].argmax(axis=0)
    right = counts[:, answer, np.arange(len(variance))].sum(axis=1) / np.maximum(counts.sum(axis=(1, 2)), 1)
    return {"train": float(right[0]), "test": float(right[1]), "votes": votes, "active": active} | _name_counts(counts)


def _name_counts(counts):
    return {"train_votes": counts[0], "test_votes": counts[1]}
