"""Bootstrap intervals: how far a score would move with other test examples of the same kind.

The percentile method: the examples are drawn with replacement, the score is taken of each draw, and the interval
is what lies between the outer quantiles of these scores. Examples that belong together, such as clips of one melody,
are drawn together when `groups` says so: taken one by one they make an interval too narrow.

None of these intervals sees what did not vary: another seed of the training, another draw of partners, another judge.
And where every example gives the same value, all draws do too: 300 right answers of 300 give (1, 1). There the rule
of three helps: with n independent examples and no error among them, the rate of errors is below 3 / n at 95 %
(-log(1 - level) / n in general; n counts groups where there are any).

Source: Efron, Tibshirani, "An Introduction to the Bootstrap", 1993, chapter 13; Hanley, Lippman-Hand, JAMA 249, 1983.
"""

import math

import numpy as np

from tsdsae_keras.errors import InputError

BLOCK = 4_000_000  # counts held at a time


def mean_interval(values, *, groups=None, n_resamples=1000, level=0.95, seed=0):
    """The percentile interval of the mean of `values` (n,).

    Coverage falls short of `level` by a few hundredths with 50 examples and more with fewer, or where the statistic is
    at the edge of its range. A mean is pulled by outliers, and so is its interval: it cannot see a rare value that the
    sample does not hold.

    Args:
        values: (n,), one number an example.
        groups: (n,) labels; examples with the same label are drawn together. None: all are independent.
        n_resamples: draws.
        level: of confidence, between 0 and 1.
        seed: fixes the draws.

    Returns:
        (low, high).

    Raises:
        InputError: fewer than two examples or groups, an argument out of range, or values that are not finite.
    """
    values = np.asarray(values, dtype="float64")
    if values.ndim != 1:
        raise InputError(f"values have shape {values.shape}; give one number an example, shape (n,)")
    draws = _draws(_members(len(values), groups), n_resamples, level, seed)
    return _interval(np.concatenate([counts @ values / counts.sum(axis=1) for counts in draws]), level)


def ratio_interval(numerators, denominators, *, groups=None, n_resamples=1000, level=0.95, seed=0):
    """The percentile interval of mean(numerators) / mean(denominators), both (n,), their examples drawn together.

    It is that of a ratio of means, not of the mean of ratios: an example with a tiny denominator does not decide it.

    Args:
        numerators, denominators: one number an example.
        groups, n_resamples, level, seed: as in `mean_interval`.

    Returns:
        (low, high).

    Raises:
        InputError: as in `mean_interval`, or a draw whose denominators have a mean of 0 or less.
    """
    parts = np.stack([np.asarray(numerators, "float64"), np.asarray(denominators, "float64")], axis=1)
    draws = _draws(_members(len(parts), groups), n_resamples, level, seed)
    sums = np.concatenate([counts @ parts for counts in draws])
    if not (sums[:, 1] > 0).all():
        raise InputError("the denominators of a draw have no mean above 0, so the ratio has no interval")
    return _interval(sums[:, 0] / sums[:, 1], level)


def statistic_interval(statistic, *arrays, groups=None, n_resamples=300, level=0.95, seed=0):
    """The percentile interval of any statistic of examples.

    Args:
        statistic: of the arrays' rows that a draw holds -> a number; slow ones cost `n_resamples` times their time.
        arrays: (n, ...) each, drawn together.
        groups, n_resamples, level, seed: as in `mean_interval`.

    Returns:
        (low, high).

    Raises:
        InputError: as in `mean_interval`.
    """
    arrays = [np.asarray(each) for each in arrays]
    scores = []
    for counts in _draws(_members(len(arrays[0]), groups), n_resamples, level, seed):
        scores += [statistic(*(np.repeat(each, count, axis=0) for each in arrays)) for count in counts]
    return _interval(np.array(scores), level)


def wilson_interval(right, n):
    """[low, high] of a proportion at 95 %, with a width even where none or all are right.

    Source: Wilson, Probable inference, the law of succession, and statistical inference, JASA 22, 1927.
    """
    z, share = 1.96, right / n
    middle, half = share + z**2 / (2 * n), z * math.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    return [max(0.0, (middle - half) / (1 + z**2 / n)), min(1.0, (middle + half) / (1 + z**2 / n))]


def macro_f1_interval(truth, answer, *, groups=None, n_resamples=1000, level=0.95, seed=0):
    """The percentile interval of `classification.macro_f1`.

    As there, the mean is over the classes that occur in a draw: one that a draw happens to miss is not among them. All
    answers right: (1, 1), see above.

    Args:
        truth, answer: (n,) class labels.
        groups, n_resamples, level, seed: as in `mean_interval`.

    Raises:
        InputError: as in `mean_interval`, or the shapes differ.
    """
    truth, answer = np.asarray(truth), np.asarray(answer)
    if truth.ndim != 1 or truth.shape != answer.shape:
        raise InputError(f"truth has shape {truth.shape} and answer {answer.shape}; give one label an example, (n,)")
    classes = np.unique(truth)
    asked, named = truth[:, None] == classes, answer[:, None] == classes
    draws = _draws(_members(len(truth), groups), n_resamples, level, seed)
    return _interval(np.concatenate([_macro_f1(counts, asked, named) for counts in draws]), level)


def block_interval(statistic, arrays, *, blocks=10):
    """An interval of a statistic that is not a mean, such as a correlation or a mutual information.

    The examples are cut into blocks, the statistic is taken of each, and its deviation over the blocks gives the
    standard error of all: value +- t s / sqrt(blocks), t of Student's distribution, 95 %. A bias that depends on the
    number of examples alone, which would shift a bootstrap, leaves it alone.

    Args:
        statistic: of the arrays, a number.
        arrays: (n, ...) each, independent examples.
        blocks: how many.

    Returns:
        (low, high).

    Raises:
        InputError: fewer than two examples in a block, or a statistic that is not finite.
    """
    from scipy.stats import t

    if len(arrays[0]) < 2 * blocks:
        raise InputError(f"{len(arrays[0])} examples; {blocks} blocks need {2 * blocks} or more")
    parts = zip(*(np.array_split(array, blocks) for array in arrays), strict=True)
    scores = np.array([*(statistic(*part) for part in parts), statistic(*arrays)], "float64")
    if not np.isfinite(scores).all():
        raise InputError("the statistic is nan or infinite for some examples; leave out what makes it so")
    half = float(t.ppf(0.975, blocks - 1) * scores[:-1].std(ddof=1) / blocks**0.5)
    return float(scores[-1]) - half, float(scores[-1]) + half


def _macro_f1(counts, asked, named):
    """Macro-F1 of each draw: F1 = 2 hits / (asked + named), the mean over the classes asked for."""
    counts = counts.astype("float64")  # integers still, but BLAS multiplies floats far faster
    hits, n_asked, n_named = (counts @ part for part in (asked & named, asked, named))
    f1 = 2 * hits / np.maximum(n_asked + n_named, 1)
    return f1.sum(axis=1) / (n_asked > 0).sum(axis=1)


def _draws(member, n_resamples, level, seed):
    """Blocks (draws, n) of how often each draw holds each example."""
    if n_resamples < 1 or not 0 < level < 1:
        raise InputError(f"n_resamples is {n_resamples} and level {level}; they should be 1 or more, and within (0, 1)")
    groups = member.max() + 1
    rng, block = np.random.default_rng(seed), max(1, BLOCK // len(member))
    for start in range(0, n_resamples, block):
        draws = min(block, n_resamples - start)
        drawn = rng.integers(groups, size=(draws, groups)) + groups * np.arange(draws)[:, None]
        yield np.bincount(drawn.ravel(), minlength=draws * groups).reshape(draws, groups)[:, member]


def _members(n, groups):
    """The index of each example's group; without groups every example is its own."""
    groups = np.arange(n) if groups is None else np.asarray(groups)
    if groups.shape != (n,):
        raise InputError(f"groups has shape {groups.shape}; it should be ({n},), one an example")
    names, member = np.unique(groups, return_inverse=True)
    if len(names) < 2:
        raise InputError(f"{len(names)} independent examples or groups; an interval needs two or more")
    return member


def _interval(scores, level):
    low, high = np.quantile(scores, [(1 - level) / 2, (1 + level) / 2])
    if not np.isfinite(scores).all():
        raise InputError("the statistic is nan or infinite for some draws; leave out what makes it so")
    return float(low), float(high)
