"""A trained model and labelled sequences in, one dictionary of scores out."""

import numpy as np

from tsdsae_keras.errors import InputError
from tsdsae_keras.evaluation import codes as coding
from tsdsae_keras.evaluation.codes import Split
from tsdsae_keras.evaluation.judges import FrameJudge, OwnEncoderJudge, macro_f1
from tsdsae_keras.evaluation.reconstruction import sequence_errors
from tsdsae_keras.evaluation.swaps import partners, swap_sequences

FLOOR = (
    "partners always differ in class, so a decoder that ignores v scores 0 after a swap, not 1 / classes; "
    "a code v without the class scores about 1 / classes before it"
)
_ROWS = {"own encoder": "swap_f1", "independent judge": "judge_f1"}
_COLUMNS = ("real", "pre", "global", "local")


def evaluate(model, train, test, *, seed=0, batch_size=64):
    """Scores of `model` on `test`, its judges fitted on `train`, latents at their means.

    - ``swap_f1``: macro-F1 of the own encoder's judge on v means, before the swap, after the global swap and
      after the local swap; the truth is the class of the sequence that v came from. 0 to 1, higher is better.
    - ``judge_f1``: the same by a judge that never saw the model, on real sequences, reconstructions, swaps.
    - ``reconstruction.mse``: masked mean squared error, lower is better. Compare F1s at equal error only.
    - ``n``: test sequences. ``settings``: how the scores were made.
    - ``left_out``, if there is anything: which scores are missing, and why.

    The F1s say nothing of the melody, which a swap may have spoilt, nor of sound quality.

    Args:
        model: has ``encode(x, mask=None)`` and ``decode(z, v)``, for a split with a mask also
            ``decode(z, v, mask=mask)``.
        train, test: `Split`, or a dict or object with `x` (n, time, features), `instrument` (n,) or None,
            and, if sequences differ in length, `mask` (n, time).
        seed: fixes partners and judges.
        batch_size: sequences the model takes at a time.

    Returns:
        A dictionary of plain numbers and strings, ready for JSON.

    Raises:
        InputError: a split cannot be used, or the model's output is not finite.
    """
    train, test = Split.of(train), Split.of(test)
    _check_agreement(train, test, batch_size)
    codes = coding.encode(model, test, batch_size)
    reason = _why_no_classes(train, test)
    if reason is None:
        scores = _class_scores(model, train, test, codes, seed, batch_size)
    else:
        scores = {"left_out": {name: reason for name in _ROWS.values()}}
    error = _mean_error(model, test, codes, batch_size)
    settings = _settings(train, seed, batch_size)
    return scores | {"reconstruction": {"mse": error}, "n": len(test), "settings": settings}


def table(result):
    """The scores of `evaluate` as a small aligned text table."""
    lines = [" " * 20 + "".join(f"{name:>9}" for name in _COLUMNS)]
    for title, key in _ROWS.items():
        scores = result.get(key, {})
        cells = (f"{scores[name]:9.3f}" if name in scores else f"{'-':>9}" for name in _COLUMNS)
        lines.append(f"{title:<18}F1" + "".join(cells))
    lines.append(f"{'reconstruction':<17}MSE         {result['reconstruction']['mse']:9.3f}")
    lines.append(f"{result['n']} test sequences")
    lines += [f"F1 left out: {reason}" for reason in sorted(set(result.get("left_out", {}).values()))]
    return "\n".join(lines)


def _class_scores(model, train, test, codes, seed, batch_size):
    """`swap_f1` and `judge_f1`."""
    own = OwnEncoderJudge(coding.encode(model, train, batch_size).v_mean, train.instrument, seed)
    judge = FrameJudge(train.x, train.instrument, train.mask, seed=seed)
    truth = test.instrument
    heard = [
        (judge.predict(test.x[rows], mask), judge.predict(x_hat, mask))
        for rows, x_hat, mask in _reconstructions(model, test, codes, batch_size)
    ]
    real, pre = (macro_f1(truth, np.concatenate(answers)) for answers in zip(*heard, strict=True))
    swap_f1 = {"pre": macro_f1(truth, own.predict(codes.v_mean))}
    judge_f1 = {"real": real, "pre": pre}

    partner = partners(truth, seed)
    answers = _swap_answers(model, test, codes, partner, (own, judge), batch_size)
    for name, asked in (("global", truth[partner]), ("local", truth)):
        swap_f1[name], judge_f1[name] = (macro_f1(asked, answer) for answer in answers[name])
    return {"swap_f1": swap_f1, "judge_f1": judge_f1}


def _swap_answers(model, test, codes, partner, judges, batch_size):
    """What both judges say of both swaps: {"global": (own, independent), "local": (own, independent)}."""
    own, judge = judges
    answers = {"global": [], "local": []}
    for rows, x_global, x_local in swap_sequences(codes, partner, model.decode, batch_size, test.mask):
        # A swapped sequence is as long as the one its z came from.
        masks = coding.part(test.mask, rows), coding.part(test.mask, partner[rows])
        for name, swapped, mask in zip(answers, (x_global, x_local), masks, strict=True):
            v_mean, _ = coding.encode_batch(model, swapped, mask)
            answers[name].append((own.predict(v_mean), judge.predict(swapped, mask)))
    return {name: [np.concatenate(part) for part in zip(*parts, strict=True)] for name, parts in answers.items()}


def _reconstructions(model, test, codes, batch_size):
    """Batch by batch: rows of the test set, their reconstruction, their mask."""
    for rows in coding.batches(test, batch_size):
        mask = coding.part(test.mask, rows)
        yield rows, coding.decode_batch(model.decode, codes.z_mean[rows], codes.v_mean[rows], mask), mask


def _mean_error(model, test, codes, batch_size):
    parts = _reconstructions(model, test, codes, batch_size)
    errors = [sequence_errors(test.x[rows], x_hat, mask) for rows, x_hat, mask in parts]
    return float(np.concatenate(errors).mean())


def _check_agreement(train, test, batch_size):
    bands = train.x.shape[2], test.x.shape[2]
    if bands[0] != bands[1]:
        raise InputError(f"train has {bands[0]} features a frame and test {bands[1]}; they should be equal")
    if batch_size < 1:
        raise InputError(f"batch_size is {batch_size}; it should be 1 or more")


def _why_no_classes(train, test):
    """Why no judge can be asked for classes, or None when one can."""
    if train.instrument is None or test.instrument is None:
        return "no instrument labels"
    known, asked = np.unique(train.instrument), np.unique(test.instrument)
    if len(asked) < 2:
        return f"one instrument only ({asked[0]}); a swap needs two or more"
    strange = np.setdiff1d(asked, known).tolist()
    if strange:
        return f"instruments {strange} are in the test set and not in the training set"
    if len(train) <= len(known):
        return f"{len(train)} training sequences for {len(known)} instruments; a judge needs more"
    return None


def _settings(train, seed, batch_size):
    return {
        "seed": int(seed),
        "batch_size": int(batch_size),
        "latents": "means",
        "swap_judge": OwnEncoderJudge.description,
        "judge": FrameJudge.description,
        "f1": "macro, over the classes asked for",
        "floor": FLOOR,
        "instruments": [] if train.instrument is None else np.unique(train.instrument).tolist(),
        "n_train": len(train),
    }
