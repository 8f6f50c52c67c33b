"""What can be read from a code: classifiers fitted on training codes and tested on others.

Codes are rows (n, d), labels (n,) integers or strings. All information is in nats. A probe that fails proves little:
another one might succeed. A probe that succeeds proves that the label is there, not that the decoder uses it.
"""

import math
import warnings

import numpy as np

from tsdsae_keras.errors import InputError

KINDS = ("linear", "mlp")
_LOWEST = 1e-6  # of a probability, so that one confident mistake does not cost infinitely much
_MAX_EXPONENT = 4.0
_STEPS = 1500  # of the perceptron at most


class Probe:
    """A classifier of codes with calibrated probabilities.

    It learns from four fifths of the training rows. The others set the exponent b of q ~ p^b prior^(1 - b), with p
    the classifier's probabilities and the prior the training set's class frequencies: b is 0 for a code without the
    label, so that such a code costs no more than not looking at it, and 1 for probabilities that are right.

    Args:
        codes: (n, d) training codes.
        labels: (n,) labels.
        kind: "linear", multinomial logistic regression; "mlp", a perceptron of one hidden layer with 48 units.
        seed: fixes the draw of the four fifths and the perceptron's initial weights.
        groups: (n,) which rows belong together, such as the frames of a sequence; they are not parted. None: none.

    Raises:
        InputError: shapes disagree, a code is not finite, an unknown kind, or all labels are the same.
    """

    def __init__(self, codes, labels, kind="linear", seed=0, groups=None):
        codes, labels = _check(codes, labels)
        if kind not in KINDS:
            raise InputError(f"unknown kind of probe {kind!r}: choose from {', '.join(KINDS)}")
        self.classes, member = np.unique(labels, return_inverse=True)
        if len(self.classes) < 2:
            raise InputError(f"all training labels are {self.classes.tolist()}; a probe needs two classes or more")
        self.prior, self._unseen = np.bincount(member) / len(member), 1 / (len(member) + 1)
        held = _draw_held_out(np.arange(len(codes)) if groups is None else groups, seed)
        self._mean, self._spread = _scale(codes[~held])
        self._classifier = _fit((codes[~held] - self._mean) / self._spread, member[~held], kind, seed)
        log_prob = self._log_probabilities(codes[held])
        self.exponent = self._best_exponent(log_prob, member[held])
        self.expected_cross_entropy = _cross_entropy(self._calibrate(log_prob, self.exponent), member[held])

    def predict(self, codes):
        """The class of every row: (n,) labels."""
        return self.classes[self._log_probabilities(np.asarray(codes, "float64")).argmax(axis=1)]

    def cross_entropy(self, codes, labels):
        """Mean of -log q(label) in nats; any class not seen in n training rows has the probability 1 / (n + 1)."""
        bold = self._calibrate(self._log_probabilities(np.asarray(codes, "float64")), self.exponent)
        return _cross_entropy(*self._add_unseen(bold, labels))

    def scores(self, codes, labels):
        """How well the labels (n,) of test codes (n, d) can be read.

        - ``accuracy``: the share of rows named correctly.
        - ``chance``: what always naming the most frequent training class would reach on the same rows.
        - ``score``: (accuracy - chance) / (1 - chance): 1 when all is read, about 0 when nothing is, below 0 for a
          probe that does worse than chance.
        - ``cross_entropy``: mean of -log q(label), nats. ``n``: rows.

        Raises:
            InputError: shapes disagree, a code is not finite, or all rows are of the most frequent class, so that
                there is no score.
        """
        codes, labels = _check(codes, labels)
        accuracy = float((self.predict(codes) == labels).mean())
        chance = float((self.classes[self.prior.argmax()] == labels).mean())
        if chance == 1:
            raise InputError(f"all test labels are {labels[0]}, the usual class; a score needs a second class")
        return {
            "accuracy": accuracy,
            "chance": chance,
            "score": (accuracy - chance) / (1 - chance),
            "n": len(labels),
            "cross_entropy": self.cross_entropy(codes, labels),
        }

    def _log_probabilities(self, codes):
        """(n, classes); a class that the four fifths lack has the lowest."""
        log_prob = np.full((len(codes), len(self.classes)), np.log(_LOWEST))
        if self._classifier is not None and len(codes):
            given = self._classifier.predict_proba((codes - self._mean) / self._spread)
            log_prob[:, self._classifier.classes_] = np.log(given.clip(_LOWEST))
        return log_prob

    def _best_exponent(self, log_prob, member):
        """The exponent, 0 to 4, of least cross-entropy: that is convex in it, so its slope is halved to its root."""
        gain = log_prob - np.log(self.prior)
        low, high = 0.0, _MAX_EXPONENT
        for _ in range(40):
            exponent = (low + high) / 2
            expected = (np.exp(self._calibrate(log_prob, exponent)) * gain).sum(axis=1)
            rising = (expected - np.take_along_axis(gain, member[:, None], axis=1)[:, 0]).mean() > 0
            low, high = (low, exponent) if rising else (exponent, high)
        return (low + high) / 2

    def _calibrate(self, log_prob, exponent):
        logits = exponent * log_prob + (1 - exponent) * np.log(self.prior)
        logits -= logits.max(axis=1, keepdims=True)
        return logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))

    def _add_unseen(self, log_prob, labels):
        """Log-probabilities with one column more, for any class not seen, and the labels as columns."""
        place = np.searchsorted(self.classes, labels).clip(max=len(self.classes) - 1)
        member = np.where(self.classes[place] == labels, place, len(self.classes))
        column = np.full((len(log_prob), 1), math.log(self._unseen))
        return np.concatenate([log_prob + math.log1p(-self._unseen), column], axis=1), member


def readings(train_codes, train_labels, test_codes, test_labels, seed=0, groups=None):
    """Both probes of one label in one code, and the information that the better of them shows.

    - ``linear``, ``mlp``: as `Probe.scores` gives them.
    - ``entropy``: H(y) of the test labels' own frequencies.
    - ``information``: max(0, H(y) - held-out cross-entropy), a lower bound of I(code; y) in nats, from 0 to H(y).

    Why it is a lower bound: E[-log q(y | c)] >= H(y | c) for every q fixed before the test rows are seen, and the
    entropy of sampled frequencies is on average below that of their source. So which probe counts is decided on
    training rows, too. Both hold on average over test sets: with few rows one may lie above. Cutting off at 0 lifts
    the average a little where the code holds nothing. The true information may be far higher: what neither probe
    finds does not count.

    Args:
        train_codes, test_codes: (n, d), (m, d).
        train_labels, test_labels: (n,), (m,).
        seed, groups: as in `Probe`.

    Raises:
        InputError: as in `Probe` and `Probe.scores`.
    """
    probes = {kind: Probe(train_codes, train_labels, kind, seed, groups) for kind in KINDS}
    scores = {kind: fitted.scores(test_codes, test_labels) for kind, fitted in probes.items()}
    best = min(KINDS, key=lambda kind: probes[kind].expected_cross_entropy)
    entropy = label_entropy(test_labels)
    return scores | {"entropy": entropy, "information": max(0.0, entropy - scores[best]["cross_entropy"])}


def label_entropy(labels):
    """H = -sum p log p of the labels' frequencies p, in nats."""
    count = np.unique(labels, return_counts=True)[1]
    return float(math.log(count.sum()) - (count * np.log(count)).sum() / count.sum())


def _fit(codes, member, kind, seed):
    """What gives probabilities of standardised codes; None where there is one class only."""
    from sklearn.exceptions import ConvergenceWarning

    classes = len(np.unique(member))
    if classes < 2:
        return None
    classifier = _perceptron(len(codes), seed) if kind == "mlp" else _logistic_regression(classes, codes.shape[1])
    with warnings.catch_warnings():
        # Time is bounded: a probe that stops short is a weaker probe, and counts as what it reaches.
        warnings.simplefilter("ignore", ConvergenceWarning)
        return classifier.fit(codes, member)


def _logistic_regression(classes, dimensions):
    from sklearn.linear_model import LogisticRegression

    # Newton's steps end in the one minimum, whatever the codes' last digits; their matrix has a row a coefficient.
    newton = classes * (dimensions + 1) <= 1000
    way = {"solver": "newton-cholesky", "max_iter": 50} if newton else {"solver": "lbfgs", "max_iter": 1000}
    return LogisticRegression(C=1.0, tol=1e-6, **way)


def _perceptron(rows, seed):
    """Adam on mini-batches until the training loss stalls.

    The loss has many minima, and which one is reached may depend on the last digits of the codes: between two backends
    a score may differ by some hundredths. No early stopping on held-out rows: sklearn would draw them without
    regard to groups, and `Probe` already corrects overconfident probabilities on rows of its own.
    """
    from sklearn.neural_network import MLPClassifier

    batch = min(256, rows)
    return MLPClassifier(
        hidden_layer_sizes=(48,),
        alpha=batch / rows,  # sklearn divides it by the rows of a batch: the penalty is |w|^2 / 2 over all rows
        batch_size=batch,
        learning_rate_init=0.01,
        max_iter=max(1, _STEPS * batch // rows),  # epochs
        random_state=seed,
    )


def _scale(codes):
    """Mean and spread (d,); the spread is no less than 1e-4 of the widest, or rounding would pass for a code."""
    spread = codes.std(axis=0)
    widest = spread.max(initial=0.0)
    return codes.mean(axis=0), np.hypot(spread, 1e-4 * widest if widest > 0 else 1.0)


def _draw_held_out(groups, seed):
    """Which rows are in the drawn fifth of the groups; at least one group is, and one is not."""
    names, member = np.unique(groups, return_inverse=True)
    if len(names) < 2:
        raise InputError(f"{len(names)} training sequence for a probe; give two or more")
    order = np.random.default_rng(seed).permutation(len(names))
    return np.isin(member, order[: max(1, len(names) // 5)])


def _cross_entropy(log_prob, member):
    return float(-np.take_along_axis(log_prob, member[:, None], axis=1).mean())


def _check(codes, labels):
    codes, labels = np.asarray(codes, "float64"), np.asarray(labels)
    if codes.ndim != 2 or labels.shape != codes.shape[:1] or not len(codes):
        raise InputError(f"codes have shape {codes.shape} and labels {labels.shape}; they should be (n, d) and (n,)")
    if not np.isfinite(codes).all():
        raise InputError("a code holds nan or infinity; train the model again before evaluating it")
    return codes, labels
