"""A trained model and labelled sequences in, one dictionary of scores out."""

import numpy as np

from tsdsae_keras.families.tsdsae.evaluation.judges import FrameJudge, OwnEncoderJudge
from tsdsae_keras.families.tsdsae.evaluation.posteriors import Split
from tsdsae_keras.families.tsdsae.evaluation.subject import TestSubject
from tsdsae_keras.metrics.classification import macro_f1
from tsdsae_keras.metrics.reconstruction import sequence_errors
from tsdsae_keras.report.table import number_text

__all__ = ["Split", "evaluate", "score_subject", "table"]

WORST = (
    "partners always differ in class, so a decoder that ignores v scores 0 after a swap, not 1 / classes; "
    "a code v without the class scores about 1 / classes before it"
)
_TRUE_SWAPS = {
    "share_of_way": "share of the way",
    "swap_ratio": "swap / reconstruction",
    "swap_to_truth": "swap to truth",
    "original_to_truth": "original to truth",
    "reconstruction_of_truth": "reconstruction of truth",
}
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
        model, train, test, seed, batch_size: as in `subject.TestSubject`.

    Returns:
        A dictionary of plain numbers and strings, ready for JSON.

    Raises:
        InputError: a split cannot be used, or the model's output is not finite.
    """
    return score_subject(TestSubject(model, train, test, seed=seed, batch_size=batch_size))


def score_subject(subject):
    """The dictionary that `evaluate` returns, of a `TestSubject` whose codes and answers others may need too."""
    reason = subject.why_no_classes
    if reason is None:
        scores = {
            name: {column: macro_f1(*pair) for column, pair in columns.items()}
            for name, columns in subject.answers.items()
        }
    else:
        scores = {"left_out": {name: reason for name in _ROWS.values()}}
    error = float(reconstruction_errors(subject).mean())
    return scores | {"reconstruction": {"mse": error}, "n": len(subject.test), "settings": _settings(subject)}


def reconstruction_errors(subject):
    """The masked mean squared error of each test sequence, (n,)."""
    made = subject.reconstructions()
    return np.concatenate([sequence_errors(subject.test.x[rows], x_hat, mask) for rows, x_hat, mask in made])


def table(result):
    """The scores of `evaluate` or `scores.score` as aligned text, below the verdict where there is one."""
    lines = [*result.get("verdict", {}).get("lines", ()), *([""] if "verdict" in result else [])]
    lines += _counterfactual_lines(result)
    lines += [" " * 20 + "".join(f"{name:>9}" for name in _COLUMNS)]
    for title, key in _ROWS.items():
        scores = result.get(key, {})
        cells = (f"{scores[name]:9.3f}" if name in scores else f"{'-':>9}" for name in _COLUMNS)
        lines.append(f"{title:<18}F1" + "".join(cells))
    lines.append(f"{'reconstruction':<17}MSE         {result['reconstruction']['mse']:9.3f}")
    lines.append(f"{result['n']} test sequences")
    reasons = {reason for name, reason in result.get("left_out", {}).items() if name in _ROWS.values()}
    lines += [f"F1 left out: {reason}" for reason in sorted(reasons)]
    return "\n".join(lines)


def _counterfactual_lines(result):
    """The true swaps, first of all; or the one line that says why none is known."""
    scores, reason = result.get("counterfactual"), result.get("left_out", {}).get("counterfactual")
    if not scores:
        return [reason, ""] if reason else []
    lines = [f"{'true swaps':<28}{'value':>9}  {'95 % interval':<16}{'worst':>9}{'best':>9}"]
    for name, title in _TRUE_SWAPS.items():
        score = scores[name]
        interval = "-" if score["low"] is None else f"{number_text(score['low'])} to {number_text(score['high'])}"
        ends = "".join(f"{number_text(score[end]):>9}" for end in ("worst", "best"))
        lines.append(f"{title:<28}{number_text(score['value']):>9}  {interval:<16}{ends}")
    return [*lines, f"{scores['n']} pairs, squared errors of log-mel", ""]


def _settings(subject):
    return {
        "seed": int(subject.seed),
        "batch_size": int(subject.batch_size),
        "latents": "means",
        "swap_judge": OwnEncoderJudge.description,
        "judge": FrameJudge.description,
        "f1": "macro, over the classes asked for",
        "worst": WORST,
        "instruments": [] if subject.train.instrument is None else np.unique(subject.train.instrument).tolist(),
        "n_train": len(subject.train),
    }
