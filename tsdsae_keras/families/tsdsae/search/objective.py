"""What a search maximises: `balanced`, a score of disentanglement and reconstruction that needs no labels.

val_loss falls with every dimension of z and does not see that v is ignored: a search by it ends in a model whose z
carries everything. `balanced` is the geometric mean of five parts, each from 0 to 1, so that one that fails cannot be
made up for by the others, and a decoder that ignores v scores exactly 0.

With z_i, v_i the codes of sequence x_i at their means, j the partner of i, D the decoder, E the encoders,
x_g = D(z_i, v_j), x_l = D(z_j, v_i), (z_g, v_g) = E(x_g), (z_l, v_l) = E(x_l), m_i the mean frame of x_i:

    reconstruction   1 - sqrt(E(x_i - D(z_i, v_i))^2 / E(x_i - mean)^2)
    restored         the same of D(z_g, v_l), that is of x_i swapped, encoded again and swapped back
    use              min(1, u / u_x), u = E|D(z_i, v_i) - D(z_i, v_j)| / E|D(z_i, v_i) - D(z_j, v_i)| (`use_of_v`), and
                     u_x = E|m_i - m_j| / E|x_i - x_j|: what stays, of all in which real sequences differ
    v_follows        f / (f + w), w = E|v_g - v_j|^2 + E|v_l - v_i|^2, f = E|v_g - v_i|^2 + E|v_l - v_j|^2: how far v
                     has left where z is from, relative to how far it is from where it should be
    z_stays          1 - (E|z_g - z_i|^2 + E|z_l - z_j|^2) / (2 E|z_i - mean z|^2)

v_follows is 1 where v comes back as it went in, 1/2 half way or where it comes back as anything, 0 where the swap
changed nothing; z_stays is 0 where a constant would do as well. Parts below 0 count as 0, and so does one that is
0 / 0: a code that is the same for all sequences.

What it cannot see: whether v is what a listener calls timbre (any property that stays and that both networks agree on
will do), sound quality, and melody except through z_stays. v_follows and z_stays ask the model's own encoders, which
may read traces that nobody hears; `use` is there as a check on that, and it is a matter of amount only. Judges with
labels see more: the objective "labelled" takes their scores as further parts.
"""

import numpy as np

from tsdsae_keras.families.tsdsae.evaluation.posteriors import decode_batch, encode_batch, encode_split
from tsdsae_keras.families.tsdsae.evaluation.use import next_partners, use_of_v
from tsdsae_keras.metrics.batching import batch_slices, take_rows
from tsdsae_keras.metrics.classification import macro_f1
from tsdsae_keras.metrics.frames import mean_over_frames
from tsdsae_keras.metrics.reconstruction import sequence_errors

PARTS = ("reconstruction", "restored", "use", "v_follows", "z_stays")
LABELLED = ("judge_f1_global", "judge_f1_local")
BATCH = 64


def score_balanced(model, split, codes=None, batch_size=BATCH):
    """The score, and its five parts, of a model on sequences; partners are the next sequence each, without labels.

    Args:
        model: has ``encode`` and ``decode`` as `evaluation.posteriors` says.
        split: `evaluation.posteriors.Split` of at least two sequences; its labels are not looked at.
        codes: of the sequences, where they are known already.
        batch_size: sequences at a time.

    Returns:
        {"balanced", "reconstruction", "restored", "use", "v_follows", "z_stays"}, each from 0 to 1, higher is better.

    Raises:
        InputError: fewer than two sequences, two neighbours without a common valid frame, or an output not finite.
    """
    codes = encode_split(model, split, batch_size) if codes is None else codes
    partner = next_partners(len(split))
    measured = _measure(model, split, codes, partner, batch_size)
    used = use_of_v(model.decode, codes.z_mean, codes.v_mean, partner, batch_size, split.mask)
    parts = {
        "reconstruction": _similarity(measured["error"], measured["variance"]),
        "restored": _similarity(measured["restored"], measured["variance"]),
        "use": _clip(used / max(_measure_data(split, partner, batch_size), 1e-6)),
        "v_follows": _share(measured["v_left"], measured["v_wrong"]),
        "z_stays": _consistency(measured["z_wrong"], measured["z_spread"]),
    }
    return {"balanced": geometric_mean(parts.values())} | parts


def score_labelled(subject, parts):
    """The score "labelled": the five parts and the macro-F1 of the independent judge after both swaps.

    The swap F1s of the own encoder come along and do not count.

    Args:
        subject: `evaluation.subject.TestSubject` with classes, the validation split as its test.
        parts: what `score_balanced` gave.
    """
    answers = subject.answers
    found = {f"{name}_{swap}": macro_f1(*answers[name][swap]) for name in answers for swap in ("global", "local")}
    counted = [parts[name] for name in PARTS] + [found[name] for name in LABELLED]
    return found | {"labelled": geometric_mean(counted)}


def geometric_mean(parts):
    """(p_1 p_2 ... p_n)^(1/n): 0 as soon as one part is."""
    parts = np.asarray(list(parts), "float64")
    return float(np.exp(np.log(parts).mean())) if (parts > 0).all() else 0.0


def _measure(model, split, codes, partner, batch_size):
    """Means over all sequences of what the parts are made of."""
    centre = {
        "x": _mean(split.x, split.mask, batch_size),
        "z": _mean(codes.z_mean, split.mask, batch_size),
    }
    sums = [
        _measure_batch(model, split, codes, rows, partner[rows], centre) for rows in batch_slices(partner, batch_size)
    ]
    return {name: float(np.concatenate([each[name] for each in sums]).mean()) for name in sums[0]}


def _measure_batch(model, split, codes, rows, other, centre):
    z, v, x = codes.z_mean, codes.v_mean, split.x[rows]
    own, theirs = take_rows(split.mask, rows), take_rows(split.mask, other)
    swapped = decode_batch(model.decode, z[rows], v[other], own)
    v_g, z_g = encode_batch(model, swapped, own)
    v_l, z_l = encode_batch(model, decode_batch(model.decode, z[other], v[rows], theirs), theirs)
    return {
        "error": sequence_errors(x, decode_batch(model.decode, z[rows], v[rows], own), own),
        "restored": sequence_errors(x, decode_batch(model.decode, z_g, v_l, own), own),
        "variance": sequence_errors(x, np.broadcast_to(centre["x"], x.shape), own),
        "v_wrong": _square(v_g - v[other]) + _square(v_l - v[rows]),
        "v_left": _square(v_g - v[rows]) + _square(v_l - v[other]),
        "z_wrong": (_square(z_g - z[rows], own) + _square(z_l - z[other], theirs)) / 2,
        "z_spread": _square(z[rows] - centre["z"], own),
    }


def _square(difference, mask=None):
    """Mean square of a difference of codes, over valid frames: (batch, ...) -> (batch,)."""
    squares = np.square(difference, dtype="float64").mean(axis=-1)
    return squares if squares.ndim == 1 else mean_over_frames(squares, mask)


def _mean(frames, mask, batch_size):
    """The mean over sequences, each weighing alike: (n, time, dim) -> (dim,)."""
    means = [_mean_frames(frames, mask, rows) for rows in batch_slices(frames, batch_size)]
    return np.concatenate(means).mean(axis=0)


def _mean_frames(frames, mask, rows):
    """The mean frame of some sequences, (batch, dim)."""
    return mean_over_frames(frames[rows], take_rows(mask, rows))


def _measure_data(split, partner, batch_size):
    """u_x, from the data alone."""
    means, frames = [], []
    for rows in batch_slices(partner, batch_size):
        other = partner[rows]
        stays = [_mean_frames(split.x, split.mask, each) for each in (rows, other)]
        means.append(np.abs(stays[0] - stays[1]).mean(axis=-1))
        apart = np.abs(np.subtract(split.x[rows], split.x[other], dtype="float64")).mean(axis=-1)
        both = None if split.mask is None else np.logical_and(split.mask[rows], split.mask[other])
        frames.append(mean_over_frames(apart, both))
    whole = np.concatenate(frames).mean()
    return float(np.concatenate(means).mean() / whole) if whole else 0.0


def _similarity(error, variance):
    return _clip(1.0 - np.sqrt(error / variance)) if variance else 0.0


def _share(left, wrong):
    return left / (left + wrong) if left > 0 else 0.0


def _consistency(wrong, spread):
    return _clip(1.0 - wrong / spread) if spread > 0 else 0.0


def _clip(part):
    return float(np.clip(part, 0.0, 1.0))
