"""MIG, DCI, SAP and modularity: does each labelled factor have a dimension of its own?

Codes (n, d) are numbers, factors (n, k) integers; every score is from 0, worst, to 1, unless it says otherwise. A
code of one dimension is given a constant second one. Where randomness enters, `seed` fixes it.

These are axis-aligned metrics: they ask for one dimension a factor. A model that separates two blocks, v from z,
promises nothing of single dimensions, and a rotation within v, which changes nothing for it, may cost all of MIG. So
a low value is not a fault of such a model; `leakage` asks what it does promise. Nor do they see whether the
decoder uses a dimension, what moves within a sequence, or information that takes two dimensions together.
"""

import numpy as np

from tsdsae_keras.errors import InputError
from tsdsae_keras.metrics.frames import mean_over_frames
from tsdsae_keras.metrics.information import BINS, bin_codes, dependence, entropies, joint_counts
from tsdsae_keras.metrics.leakage import shared_labels

NOTE = "axis-aligned metrics do not fit a block model: they ask for one dimension a factor, it promises two blocks"


def factor_scores(train, test, *, seed=0):
    """All four metrics of v, of z pooled over time, and of both side by side, on all labels of whole sequences.

    The factors are the instrument and those of the melody. MIG and modularity, which learn nothing, are taken over
    both splits together, for their bias falls with n; SAP and DCI learn from `train` and are scored on `test`.

    Args:
        train, test: `leakage.LabelledCodes`.
        seed: fixes the forests of DCI.

    Returns:
        {"v", "z", "both": {"mig", "modularity", "sap", "disentanglement", "completeness", "informativeness"},
        "factors": names, "left_out": {name: reason}, "note": why not to lean on them}, ready for JSON. Without two
        factors that vary there are no scores.
    """
    labels, left_out = shared_labels(train, test)
    names = [name for name in labels if name not in ("note", "main_note")]
    result = {"factors": names, "left_out": left_out, "note": NOTE}
    if len(names) < 2:
        return result | {"left_out": left_out | {"scores": f"{len(names)} factor that varies; give two or more"}}
    factors = _number_levels([labels[name] for name in names])
    codes = {
        "v": [data.v for data in (train, test)],
        "z": [mean_over_frames(data.z, data.mask) for data in (train, test)],
    }
    codes["both"] = [np.concatenate(blocks, axis=1) for blocks in zip(codes["v"], codes["z"], strict=True)]
    return {name: _all_scores(*pair, *factors, seed) for name, pair in codes.items()} | result


def mig(codes, factors, bins=BINS, information=dependence):
    """Mutual information gap: mean over factors of (I of the best dimension - I of the second) / H(factor).

    1 when one dimension tells the factor and no other knows of it; 0 for noise, and for a code held twice. I is
    counted in equal bins of each dimension, and 0 where chance explains it (`information.dependence`), which the
    source does not ask for. With `information.mutual_information` it is that of the source and of disentanglement_lib
    (reference: `mig/score` of metrics.npz).

    Raises:
        InputError: shapes disagree, or a factor has one value only.

    Source: Chen, Li, Grosse, Duvenaud, Isolating Sources of Disentanglement in VAEs, NeurIPS 2018.
    """
    codes, factors = _check(codes, factors)
    ordered = np.sort(information(bin_codes(codes, bins), factors), axis=0)
    return float(((ordered[-1] - ordered[-2]) / entropies(factors)).mean())


def modularity(codes, factors, bins=BINS, information=dependence):
    """Mean over dimensions of 1 - sum of I^2 with the other factors / (I^2 with its best factor * (k - 1)).

    1 when every dimension tells of one factor only; a code held twice loses nothing. I as in `mig`. Dimensions that
    tell of no factor are left out, for they are neither; where all are, as in noise, the score is 0. With
    `information.mutual_information` it is that of disentanglement_lib, where a dead dimension counts 0 (reference:
    `modularity/score` of metrics.npz).

    Raises:
        InputError: as `mig`; or there are not two factors.

    Source: Ridgeway, Mozer, Learning Deep Disentangled Embeddings with the F-Statistic Loss, NeurIPS 2018.
    """
    codes, factors = _check(codes, factors, at_least=2)
    squared = np.square(information(bin_codes(codes, bins), factors))
    live = squared.any(axis=1)
    best = squared[live].max(axis=1)
    others = (squared[live].sum(axis=1) - best) / (factors.shape[1] - 1)
    counted = live.sum() if information is dependence else len(live)
    return float((1 - others / best).sum() / counted) if live.any() else 0.0


def sap(train_codes, train_factors, test_codes, test_factors, bins=BINS):
    """Separated attribute predictability: mean over factors of the accuracy gap between the best two dimensions.

    Every dimension alone names the factor by the most frequent level in each of its bins, learnt on training rows,
    and is scored on test rows. The source draws a line (a linear SVM), which cannot part three levels in a row; with
    two levels in order both agree. The best value is 1 - chance, not 1: 1 - 1/K for K equal levels. 0 for noise, and
    for a code held twice.

    Raises:
        InputError: as `mig`.

    Source: Kumar, Sattigeri, Balakrishnan, Variational Inference of Disentangled Latent Concepts, ICLR 2018.
    """
    codes, factors = _check(train_codes, train_factors)
    asked, truth = _check(test_codes, test_factors, varying=False)
    bins_of = bin_codes(codes, bins), bin_codes(asked, bins, like=codes)
    accuracy = [
        [_accuracy_by_bin(*column, *level) for column in zip(*(part.T for part in bins_of), strict=True)]
        for level in zip(factors.T, truth.T, strict=True)
    ]
    ordered = np.sort(accuracy, axis=1)
    return float((ordered[:, -1] - ordered[:, -2]).mean())


def dci(train_codes, train_factors, test_codes, test_factors, seed=0):
    """Disentanglement, completeness and informativeness, from the importances R (d, k) of random forests.

    - ``disentanglement``: 1 - entropy of a dimension's importances over factors, base k; the mean weighted by the
      dimension's share of all importance. 1 when every dimension serves one factor.
    - ``completeness``: 1 - entropy of a factor's importances over dimensions, base d; mean over factors. 1 when
      every factor needs one dimension; 1 - log 2 / log d for a code held twice.
    - ``informativeness``: mean over factors of (accuracy - chance) / (1 - chance) on test rows, chance being the
      training set's most frequent level; the source takes the plain error.

    A factor that is not in the code still gets importances, about equal ones, because the forest memorises noise;
    so disentanglement falls with every factor that is missing.

    Raises:
        InputError: as `modularity`; or all test rows are of a factor's most frequent level.

    Source: Eastwood, Williams, A Framework for the Quantitative Evaluation of Disentangled Representations, ICLR 2018.
    """
    codes, factors = _check(train_codes, train_factors, at_least=2)
    asked, truth = _check(test_codes, test_factors, at_least=2)
    importances, readable_part = zip(
        *(_forest(codes, level, asked, true, seed) for level, true in zip(factors.T, truth.T, strict=True)), strict=True
    )
    importances = np.stack(importances, axis=1)
    weight = importances.sum(axis=1) / max(importances.sum(), 1e-12)
    return {
        "disentanglement": float((weight * _concentration(importances)).sum()),
        "completeness": float(_concentration(importances.T).mean()),
        "informativeness": float(np.mean(readable_part)),
    }


def _all_scores(train_codes, test_codes, train_factors, test_factors, seed):
    codes, factors = np.concatenate([train_codes, test_codes]), np.concatenate([train_factors, test_factors])
    split = train_codes, train_factors, test_codes, test_factors
    axes = {"mig": mig(codes, factors), "modularity": modularity(codes, factors), "sap": sap(*split)}
    return axes | dci(*split, seed=seed)


def _accuracy_by_bin(known, asked, level, truth):
    """The share of test rows named by the most frequent level of their bin; of all where the bin was empty."""
    levels, count = np.unique(level), joint_counts(known, level)
    answer = np.full(max(known.max(), asked.max()) + 1, levels[count.sum(axis=0).argmax()])
    answer[np.unique(known)] = levels[count.argmax(axis=1)]
    return (answer[asked] == truth).mean()


def _forest(codes, level, asked, truth, seed):
    """A forest's importances (d,), and its accuracy on test rows from chance, 0, to 1."""
    from sklearn.ensemble import RandomForestClassifier

    # Every split sees all dimensions, or other dimensions would get importance where the right one is not on offer.
    forest = RandomForestClassifier(
        n_estimators=10,
        criterion="gini",
        max_depth=10,
        min_samples_split=2,
        min_samples_leaf=5,
        max_features=None,
        bootstrap=True,
        n_jobs=1,
        random_state=seed,
    )
    forest.fit(codes, level)
    values, count = np.unique(level, return_counts=True)
    chance = (values[count.argmax()] == truth).mean()
    if chance == 1:
        raise InputError(f"a factor is {truth[0]} in all test rows; leave it out")
    return forest.feature_importances_, ((forest.predict(asked) == truth).mean() - chance) / (1 - chance)


def _concentration(importances):
    """1 - entropy of each row's shares, base the row's length; 0 for a row without importance."""
    total = importances.sum(axis=1, keepdims=True)
    share = importances / np.where(total > 0, total, 1)
    entropy = -(share * np.log(np.where(share > 0, share, 1))).sum(axis=1)
    return np.where(total[:, 0] > 0, 1 - entropy / np.log(importances.shape[1]), 0)


def _number_levels(pairs):
    """Labels of both splits, by factor, as whole numbers: (n, k) and (m, k)."""
    columns = []
    for known, asked in pairs:
        number = np.unique(np.concatenate([known, asked]), return_inverse=True)[1]
        columns.append((number[: len(known)], number[len(known) :]))
    return [np.stack(split, axis=1) for split in zip(*columns, strict=True)]


def _check(codes, factors, at_least=1, varying=True):
    codes, factors = np.asarray(codes, "float64"), np.asarray(factors)
    if codes.ndim != 2 or factors.ndim != 2 or len(codes) != len(factors) or not codes.size:
        raise InputError(f"codes have shape {codes.shape}, factors {factors.shape}; they should be (n, d) and (n, k)")
    if not np.isfinite(codes).all():
        raise InputError("a code holds nan or infinity; train the model again before evaluating it")
    if factors.shape[1] < at_least:
        raise InputError(f"{factors.shape[1]} factor; this score compares factors, give {at_least} or more")
    constant = (factors == factors[0]).all(axis=0)
    if varying and constant.any():
        raise InputError(f"factor {constant.argmax()} has one value only; leave it out")
    return (codes if codes.shape[1] > 1 else np.pad(codes, ((0, 0), (0, 1)))), factors
