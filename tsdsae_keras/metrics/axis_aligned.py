"""SAP, DCI and explicitness as they are usually reported, with the judges of disentanglement_lib.

Codes (n, z_dim) are numbers, factors (n, k) class indices. `disentanglement` has MIG and modularity, and SAP and DCI
with judges that need no tuning; the figures of papers use the ones here. Scores depend in the third decimal on the
version of scikit-learn. Source of the settings: github google-research/disentanglement_lib, commit 86a644d.
"""

import warnings

import numpy as np

TINY = 1e-11


def sap(train_codes, train_factors, test_codes, test_factors):
    """Separated attribute predictability: mean over factors of the accuracy of the best code less that of the second.

    A linear SVM (C 0.01, balanced classes) names the factor from one code. Reference: `sap/discrete` of metrics.npz.

    Source: Kumar, Sattigeri, Balakrishnan, ICLR 2018.
    """
    return gap(sap_matrix(train_codes, train_factors, test_codes, test_factors))


def sap_matrix(train_codes, train_factors, test_codes, test_factors):
    """Test accuracy of a linear SVM on each code alone, (z_dim, k). Reference: `sap/discrete/score_matrix`."""
    from sklearn.svm import LinearSVC

    def accuracy(code, factor):
        judge = LinearSVC(C=0.01, class_weight="balanced", random_state=0)
        judge.fit(train_codes[:, code, None], train_factors[:, factor])
        return judge.score(test_codes[:, code, None], test_factors[:, factor])

    return _over_pairs(accuracy, train_codes, train_factors)


def continuous_sap(codes, factors):
    """SAP from squared correlations. Reference: `sap/continuous/score`."""
    return gap(squared_correlations(codes, factors))


def squared_correlations(codes, factors):
    """cov^2 / (var var) of every code and factor, (z_dim, k); 0 for a dead code. Reference: `.../score_matrix`."""
    codes, factors = codes - codes.mean(axis=0), factors - factors.mean(axis=0)
    product = np.square(codes.T @ factors / len(codes))
    variances = np.outer(codes.var(axis=0), factors.var(axis=0))
    return np.where(codes.var(axis=0)[:, None] > 1e-12, product / np.maximum(variances, 1e-300), 0.0)


def gap(scores):
    """Mean over factors of the best score less the second best; scores (z_dim, k)."""
    ordered = np.sort(scores, axis=0)
    return float((ordered[-1] - ordered[-2]).mean())


def dci(train_codes, train_factors, test_codes, test_factors, seed=0):
    """Disentanglement, completeness and informativeness from gradient-boosted trees, one model a factor.

    Returns:
        {"disentanglement", "completeness", "informativeness": test accuracy, "importance": (z_dim, k)}.
        Reference: `dci/*` of metrics.npz; the importances depend on the version of scikit-learn.

    Source: Eastwood, Williams, ICLR 2018.
    """
    from sklearn.ensemble import GradientBoostingClassifier

    importance, accuracy = [], []
    for known, asked in zip(train_factors.T, test_factors.T, strict=True):
        trees = GradientBoostingClassifier(random_state=seed).fit(train_codes, known)
        importance.append(np.abs(trees.feature_importances_))
        accuracy.append(trees.score(test_codes, asked))
    importance = np.stack(importance, axis=1)
    scores = {"disentanglement": disentanglement(importance), "completeness": disentanglement(importance.T)}
    return scores | {"informativeness": float(np.mean(accuracy)), "importance": importance}


def disentanglement(importance):
    """1 - entropy of each row's shares, base the row's length; mean weighted by the row's share of all importance.

    Args:
        importance: (z_dim, k); transposed it gives completeness. Reference: `dci/disentanglement`, `dci/completeness`.
    """
    from scipy.stats import entropy

    if importance.sum() == 0:
        importance = np.ones_like(importance)
    scores = 1 - entropy(importance.T + TINY, base=importance.shape[1])
    return float((scores * importance.sum(axis=1) / importance.sum()).sum())


def explicitness(train_codes, train_factors, test_codes, test_factors):
    """Mean over factors of the area under the ROC curve, one class against the rest, of a logistic regression.

    Codes are standardised with the training rows' mean and deviation; classes that the test rows lack, or that all of
    them have, are left out. Reference: `explicitness/test` (`explicitness/train`, tested on the training rows).

    Source: Ridgeway, Mozer, NeurIPS 2018.
    """
    mean, deviation = train_codes.mean(axis=0), train_codes.std(axis=0)
    deviation = np.where(deviation > 0, deviation, 1)
    codes = (train_codes - mean) / deviation, (test_codes - mean) / deviation
    factors = zip(train_factors.T, test_factors.T, strict=True)
    return float(np.mean([_area(codes[0], known, codes[1], asked) for known, asked in factors]))


def _area(train_codes, known, test_codes, asked):
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import roc_auc_score

    judge = fit_quietly(LogisticRegression(), train_codes, known)
    sure = judge.predict_proba(test_codes)
    areas = [
        roc_auc_score(asked == level, column)
        for level, column in zip(judge.classes_, sure.T, strict=True)
        if 0 < (asked == level).sum() < len(asked)
    ]
    return np.mean(areas)


def fit_quietly(judge, codes, labels):
    """Fits with the usual settings, whose few iterations scikit-learn warns of."""
    from sklearn.exceptions import ConvergenceWarning

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return judge.fit(codes, labels)


def _over_pairs(score, codes, factors):
    return np.array([[score(code, factor) for factor in range(factors.shape[1])] for code in range(codes.shape[1])])
