"""How often a classifier is right."""

import numpy as np


def macro_f1(truth, answer):
    """Mean over classes of F1 = 2 precision recall / (precision + recall), 0 (worst) to 1.

    The classes are those that occur in `truth`: a class that never occurs has no recall. A wrong answer costs recall
    in the true class and precision in the named one.

    Args:
        truth, answer: (n,) class labels.
    """
    from sklearn.metrics import f1_score

    return float(f1_score(truth, answer, labels=np.unique(truth), average="macro", zero_division=0))
