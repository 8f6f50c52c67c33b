"""Linear probes of fixed embeddings, as audio representations are compared: closed-form ridge, and EVAR's protocol.

Embeddings are rows (n, d), labels (n,). Both standardise with the statistics of the training rows. A probe tells what
can be read off linearly, not what is there; `probes.Probe` measures information instead.

Source of the second: the protocol that EVAR (Niizumi et al. 2022) describes; the code is ours.
"""

import numpy as np

from tsdsae_keras.errors import InputError

STRENGTHS = tuple(10.0 ** np.arange(1, 4.5, 0.5))  # of the ridge, 10 to 10^4
PROTOCOLS = ("ridge", "evar")


def predict_linear(train, labels, test, *, protocol="ridge", validation=None, groups=None, seed=0):
    """The labels that a linear probe gives test rows.

    Args:
        train: (n, d) training embeddings.
        labels: (n,) their labels, two classes at least.
        test: (m, d).
        protocol: "ridge": targets +1 and -1 for every class, the strength chosen on a held-out fifth, no seed in the
            fit; "evar": one linear layer, cross-entropy, Adam at 3e-4, at most 200 epochs, stopped after 20 without a
            better validation accuracy; batches of 64 are our choice.
        validation: (embeddings, labels) to choose by, or None for a drawn fifth of the training rows or groups.
        groups: (n,) which training rows stay together where a fifth is drawn, such as a kit; None: each alone.
        seed: of that draw, and of the layer's initial weights and batches under "evar".

    Returns:
        (m,) labels.

    Raises:
        InputError: one class only, or values that are not finite.
    """
    train, labels, test = np.asarray(train, "float64"), np.asarray(labels), np.asarray(test, "float64")
    _check(train, labels, test, protocol)
    classes, member = np.unique(labels, return_inverse=True)
    mean, deviation = train.mean(axis=0), train.std(axis=0)
    deviation[deviation < 1e-8 * max(deviation.max(), 1e-30)] = 1.0
    scaled = [(rows - mean) / deviation for rows in (train, test)]
    if validation is None:
        held = draw_fifth(np.arange(len(train)) if groups is None else groups, seed)
        fitted, chosen = (scaled[0][~held], member[~held]), (scaled[0][held], member[held])
    else:
        held_member = np.searchsorted(classes, validation[1]).clip(max=len(classes) - 1)
        known = classes[held_member] == np.asarray(validation[1])
        rows = (np.asarray(validation[0], "float64") - mean) / deviation
        fitted, chosen = (scaled[0], member), (rows[known], held_member[known])
    if protocol == "evar":
        scores = _train_layer(fitted, chosen, len(classes), seed)(scaled[1])
    else:
        strength = _choose_strength(fitted, chosen, len(classes))
        scores = _ridge(scaled[0], member, len(classes), [strength])[0](scaled[1])
    return classes[scores.argmax(axis=1)]


def draw_fifth(groups, seed):
    """Which rows are in a drawn fifth of the groups; at least one group is, and one is not."""
    names, member = np.unique(groups, return_inverse=True)
    if len(names) < 2:
        raise InputError("the training sounds are all of one group, so none can be held out; group them more finely")
    order = np.random.default_rng(seed).permutation(len(names))
    return np.isin(member, order[: max(1, len(names) // 5)])


def _choose_strength(fitted, chosen, classes):
    if not len(chosen[1]):
        return STRENGTHS[len(STRENGTHS) // 2]
    found = [(fit(chosen[0]).argmax(axis=1) == chosen[1]).mean() for fit in _ridge(*fitted, classes, STRENGTHS)]
    best = np.flatnonzero(np.array(found) == max(found))
    return STRENGTHS[best[len(best) // 2]]  # the middle of equals


def _ridge(rows, member, classes, strengths):
    """A function from rows to scores for each strength; all from one decomposition."""
    offset = rows.mean(axis=0)
    targets = 2.0 * np.eye(classes)[member] - 1
    left, singular, right = np.linalg.svd(rows - offset, full_matrices=False)
    turned = left.T @ (targets - targets.mean(axis=0))
    weights = [right.T @ ((singular / (singular**2 + strength))[:, None] * turned) for strength in strengths]
    return [lambda x, w=w: (x - offset) @ w + targets.mean(axis=0) for w in weights]


def _train_layer(fitted, chosen, classes, seed, rate=3e-4, decay=1e-8, epochs=200, patience=20, batch=64):
    """Softmax regression by Adam; the weights with the best accuracy on the chosen rows."""
    (x, member), rng = fitted, np.random.default_rng(seed)
    weights = rng.uniform(-1, 1, (x.shape[1] + 1, classes)) / np.sqrt(x.shape[1])
    x = np.concatenate([x, np.ones((len(x), 1))], axis=1)
    held = np.concatenate([chosen[0], np.ones((len(chosen[0]), 1))], axis=1)
    slots, step, best, kept, since = [np.zeros_like(weights)] * 2, 0, -1.0, weights, 0
    for _ in range(epochs):
        order = rng.permutation(len(x))
        for start in range(0, len(x), batch):
            rows, step = order[start : start + batch], step + 1
            gradient = _gradient(x[rows], member[rows], weights) + decay * weights
            slots = [0.9 * slots[0] + 0.1 * gradient, 0.999 * slots[1] + 0.001 * gradient**2]
            mean, square = slots[0] / (1 - 0.9**step), slots[1] / (1 - 0.999**step)
            weights = weights - rate * mean / (np.sqrt(square) + 1e-8)
        accuracy = ((held @ weights).argmax(axis=1) == chosen[1]).mean() if len(held) else 0.0
        best, kept, since = (accuracy, weights, 0) if accuracy > best else (best, kept, since + 1)
        if since >= patience:
            break
    return lambda rows: rows @ kept[:-1] + kept[-1]


def _gradient(x, member, weights):
    """Of the mean cross-entropy."""
    logits = x @ weights
    chances = np.exp(logits - logits.max(axis=1, keepdims=True))
    chances /= chances.sum(axis=1, keepdims=True)
    chances[np.arange(len(x)), member] -= 1
    return x.T @ chances / len(x)


def _check(train, labels, test, protocol):
    if protocol not in PROTOCOLS:
        raise InputError(f"the protocol is {protocol!r}; it must be {' or '.join(PROTOCOLS)}")
    if train.ndim != 2 or labels.shape != train.shape[:1] or test.ndim != 2 or test.shape[1] != train.shape[1]:
        raise InputError(
            f"embeddings have shapes {train.shape} and {test.shape}, labels {labels.shape}; give rows of d"
        )
    if not (np.isfinite(train).all() and np.isfinite(test).all()):
        raise InputError("an embedding holds nan or infinity; train the model again before probing it")
    if len(np.unique(labels)) < 2:
        raise InputError(f"all training labels are {labels[0] if len(labels) else 'missing'}; give two classes or more")
