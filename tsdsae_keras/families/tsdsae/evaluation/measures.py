"""The scores of a `TestSubject` that need no sound, ready for JSON.

A score with its interval is {"value", "interval": [low, high] or None, "n"}, and where they are known "worst", what a
model that has learnt nothing scores by the same measurement, and "best", the best attainable. Intervals are at 95 %,
percentile bootstrap (`intervals`); `groups` (n,) names the sequences that belong together, such as clips of one melody
or of one recording. A swap belongs where its z came from.
"""

import numpy as np

from tsdsae_keras.errors import InputError
from tsdsae_keras.families.tsdsae.evaluation.evaluate import reconstruction_errors
from tsdsae_keras.families.tsdsae.evaluation.use import active_units, error_rise, kl_by_dimension, use_of_v
from tsdsae_keras.metrics.batching import batch_slices, take_rows, to_finite_array
from tsdsae_keras.metrics.frechet import frechet_distance, half_split_distance, logmel_patches
from tsdsae_keras.metrics.intervals import macro_f1_interval, mean_interval
from tsdsae_keras.metrics.reconstruction import log_spectral_distances, sequence_errors


def with_interval(values, groups=None, seed=0, **ends):
    """The mean of values (n,) with its interval and n; `ends` may hold its worst and best."""
    values = np.asarray(values, "float64")
    interval = interval_or_none(mean_interval, values, groups=groups, seed=seed)
    return {"value": float(values.mean()), "interval": interval, "n": len(values)} | ends


def interval_or_none(find, *arrays, groups=None, seed=0):
    """[low, high] by a function of `intervals`; None where there are fewer than two independent examples."""
    independent = len(arrays[0]) if groups is None else len(np.unique(groups))
    return list(find(*arrays, groups=groups, seed=seed)) if independent > 1 else None


def find_intervals(subject, groups=None):
    """Intervals of the scores of `evaluate`: {"swap_f1", "judge_f1", "reconstruction": {column: [low, high]}}."""
    groups = np.arange(len(subject.test)) if groups is None else np.asarray(groups)
    errors = interval_or_none(mean_interval, reconstruction_errors(subject), groups=groups, seed=subject.seed)
    answers = {} if subject.why_no_classes else subject.answers
    return {
        name: {column: _f1_interval(column, pair, subject, groups) for column, pair in columns.items()}
        for name, columns in answers.items()
    } | {"reconstruction": {"mse": errors}}


def measure_reconstruction(subject, groups=None):
    """``mse_worst``, the error of the training set's mean frame in every place; ``log_spectral_distance``."""
    flat, own, of_mean = [], [], []
    for (rows, x_hat, mask), (constant, _) in zip(subject.reconstructions(), _mean_everywhere(subject), strict=True):
        x = subject.test.x[rows]
        flat.append(sequence_errors(x, constant, mask))
        own.append(log_spectral_distances(x, x_hat, mask))
        of_mean.append(log_spectral_distances(x, constant, mask))
    worst = float(np.concatenate(of_mean).mean())
    distance = with_interval(np.concatenate(own), groups, subject.seed, worst=worst, best=0.0)
    return {"mse_worst": float(np.concatenate(flat).mean()), "log_spectral_distance": distance}


def measure_use(subject):
    """``use_of_v``, ``error_rise``, ``active_v`` and ``active_z`` of `use`, with the dimensions of both codes."""
    z, v = subject.posteriors.z_mean, subject.posteriors.v_mean
    rest = {"batch_size": subject.batch_size, "mask": subject.test.mask}
    return {
        "use_of_v": use_of_v(subject.model.decode, z, v, subject.partner, **rest),
        "error_rise": error_rise(subject.model.decode, subject.test.x, z, v, subject.partner, **rest),
        "active_v": active_units(v),
        "active_z": active_units(z, mask=subject.test.mask),
        "dimensions": {"v": int(v.shape[-1]), "z": int(z.shape[-1])},
        "n": len(subject.test),
    }


def measure_kl(subject):
    """Nats of each dimension above the model's own priors: {"v": [v numbers], "z": [z numbers]}.

    The prior of v is what the model's stage has: N(0, I), or after stage 2 of TS-DSAE the snapshot's posterior, whose
    KL is small by design. That of z is the transition, fed with means.

    Raises:
        InputError: the model has no ``predict_on_batch``, or its outputs lack a Gaussian's parameters.
    """
    sums, n = {"v": 0.0, "z": 0.0}, len(subject.test)
    for rows in batch_slices(subject.test, subject.batch_size):
        outputs = _predict(subject, rows)
        for name in sums:
            mask = take_rows(subject.test.mask, rows) if name == "z" else None
            divergence = kl_by_dimension(*_gaussians(outputs, name), mask=mask)
            sums[name] = sums[name] + divergence * len(outputs["v_mean"])
    return {name: (total / n).tolist() for name, total in sums.items()}


def measure_logmel_distances(subject, seconds_per_frame, generated=()):
    """Fréchet distances in the embedding `logmel` from the real test split, by name: `reconstruction`, `global` and
    `local` swaps, the sequences of `generated`, and ``mean_frame``: the training set's mean frame in every place, the
    output of a model that has learnt nothing. ``half_split`` is that of two halves of the real split.

    Args:
        subject: a `TestSubject`.
        seconds_per_frame: hop of the frames.
        generated: (name, sequences (m, time, features)), such as new ones.

    Raises:
        InputError: the split is too small for a covariance.
    """
    patches, groups = {name: [] for name in ("real", "reconstruction", "global", "local")}, []
    for rows, x_hat, mask in subject.reconstructions():
        real, owner = logmel_patches(subject.test.x[rows], seconds_per_frame, mask)
        patches["real"].append(real)
        groups.append(rows.start + owner)
        patches["reconstruction"].append(logmel_patches(x_hat, seconds_per_frame, mask)[0])
    for _, swapped, masks in subject.swaps():
        for name, x, mask in zip(("global", "local"), swapped, masks, strict=True):
            patches[name].append(logmel_patches(x, seconds_per_frame, mask)[0])
    sets = {name: np.concatenate(parts) for name, parts in patches.items()}
    sets |= {name: logmel_patches(x, seconds_per_frame)[0] for name, x in generated}
    sets["mean_frame"] = np.concatenate(
        [logmel_patches(x, seconds_per_frame, mask)[0] for x, mask in _mean_everywhere(subject)]
    )
    return measure_distances(sets, np.concatenate(groups), "logmel", subject.seed)


def measure_distances(sets, groups, embedding, seed=0):
    """Fréchet distances of every set of vectors from the set "real": {name: {"value", "n", "dimension"}, ...}.

    ``half_split`` is the distance between two halves of the real set; None, with the reason as ``no_half_split``,
    where halves are too small. All carry the name of the embedding. None has an interval: among vectors drawn
    with replacement some come twice, which makes every distance larger.
    """
    real = sets["real"]
    others = {name: vectors for name, vectors in sets.items() if name != "real"}
    distances = {name: frechet_distance(real, other, embedding=embedding) for name, other in others.items()}
    try:
        return distances | {"half_split": half_split_distance(real, embedding=embedding, groups=groups, seed=seed)}
    except InputError as error:
        return distances | {"half_split": None, "no_half_split": str(error)}


def _f1_interval(column, pair, subject, groups):
    own = groups[subject.partner] if column == "local" else groups
    return interval_or_none(macro_f1_interval, *pair, groups=own, seed=subject.seed)


def _mean_everywhere(subject):
    """The training set's mean frame in every place of each batch, and the batch's mask."""
    mean = _mean_frame(subject.train, subject.batch_size)
    for rows in batch_slices(subject.test, subject.batch_size):
        shape = subject.test.x[rows].shape
        yield np.broadcast_to(mean, shape), take_rows(subject.test.mask, rows)


def _mean_frame(split, batch_size):
    total = 0.0
    for rows in batch_slices(split, batch_size):
        x, mask = split.x[rows], take_rows(split.mask, rows)
        frames = x.reshape(-1, x.shape[-1]) if mask is None else x[np.asarray(mask, bool)]
        total = total + frames.sum(axis=0, dtype="float64")
    return total / split.lengths.sum()


def _predict(subject, rows):
    if not hasattr(subject.model, "predict_on_batch"):
        raise InputError("the model has no predict_on_batch, which tells its priors")
    x, mask = subject.test.x[rows], take_rows(subject.test.mask, rows)
    return subject.model.predict_on_batch(x if mask is None else {"x": x, "mask": mask})


def _gaussians(outputs, name):
    """Mean and log-variance of the posterior, then of the prior."""
    names = [f"{name}{kind}_{what}" for kind in ("", "_prior") for what in ("mean", "log_var")]
    missing = [key for key in names if key not in outputs]
    if missing:
        raise InputError(f"the model's outputs lack {', '.join(missing)}")
    return [to_finite_array(key, outputs[key]) for key in names]
