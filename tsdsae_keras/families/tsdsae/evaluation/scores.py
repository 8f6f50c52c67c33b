"""The scores of a model on prepared data: the few that every run ends with, and all of them."""

import logging
import time
from dataclasses import replace
from functools import partial

import numpy as np

from tsdsae_keras.errors import InputError
from tsdsae_keras.families.tsdsae.evaluation import measures
from tsdsae_keras.families.tsdsae.evaluation.context import make_subject
from tsdsae_keras.families.tsdsae.evaluation.counterfactual import VOCODED, attempt_counterfactual
from tsdsae_keras.families.tsdsae.evaluation.evaluate import score_subject
from tsdsae_keras.families.tsdsae.evaluation.labels import instrument_name, load_labels
from tsdsae_keras.families.tsdsae.evaluation.resynthesis import Resynthesizer
from tsdsae_keras.families.tsdsae.evaluation.swap_checks import measure_swap_checks
from tsdsae_keras.families.tsdsae.evaluation.verdict import give_verdict
from tsdsae_keras.metrics.classification import macro_f1
from tsdsae_keras.metrics.disentanglement import factor_scores
from tsdsae_keras.metrics.intervals import macro_f1_interval
from tsdsae_keras.metrics.leakage import leakage
from tsdsae_keras.metrics.plain import to_plain
from tsdsae_keras.training.run import versions

log = logging.getLogger(__name__)


def score(model, data, seed):
    """The dict of the few quick scores of a model on the test split of prepared data, settings and verdict included."""
    subject = make_subject(model, data, seed)
    result = attempt_counterfactual(model, subject.test, data, seed=seed)
    result = _merge(result, _quick_scores(subject, data))
    for more in (_swap_checks(subject, data), _attempt(use=lambda: measures.measure_use(subject))):
        result = _merge(result, more)
    if not result["left_out"]:
        del result["left_out"]
    return _judge(result)


def full_scores(context):
    """Every score of an `EvaluationContext`: a superset of `score`, and the seconds of each stage. Stages are logged.

    A score that cannot be computed is named in ``left_out`` with its reason, and the rest are computed; InputError only
    where the model cannot be used at all.
    """
    result, seconds = {}, {}
    for number, (name, stage) in enumerate(STAGES.items(), start=1):
        log.info(f"{number}/{len(STAGES)} {name} ...")
        start = time.perf_counter()
        result = _merge(result, stage(context))
        seconds[name] = time.perf_counter() - start
    unknown = {f"label {name}": reason for name, reason in context.labels.left_out.items()}
    result = _merge(result, {"n": len(context.subject.test), "pairs": context.pair_list, "left_out": unknown})
    return _judge(result), seconds


def _judge(result):
    """A plain result with its verdict, which comes first; what contradicts the own encoder's F1 is logged."""
    result, odd = to_plain(result)
    verdict = give_verdict(result)
    if verdict["warning"]:
        log.warning(f"warning: {verdict['warning']}")
    return {"verdict": verdict} | result | ({"not_finite": odd} if odd else {})


def _merge(result, scores):
    return result | scores | {"left_out": result.get("left_out", {}) | scores.get("left_out", {})}


def _counterfactual_scores(context):
    options = {"vocoded": min(VOCODED, context.pairs), "seed": context.subject.seed, "swaps": context.true_swaps}
    return attempt_counterfactual(context.subject.model, context.subject.test, context.data, **options)


def _attempt(**functions):
    """{name: score} of each function; where one raises InputError, the reason by its name in "left_out"."""
    scores, left_out = {}, {}
    for name, compute in functions.items():
        try:
            scores[name] = compute()
        except InputError as error:
            left_out[name] = str(error)
    return scores | {"left_out": left_out}


def _quick_scores(subject, data):
    result = score_subject(subject)
    settings = {"model": subject.model.get_config(), "data": data.identity, "synth": data.manifest.get("synth")}
    return result | {"settings": result["settings"] | settings | {"versions": versions()}}


def _basic_scores(context):
    subject, scores = context.subject, _quick_scores(context.subject, context.data)
    return scores | {
        "settings": scores["settings"] | _full_settings(context),
        "intervals": measures.find_intervals(subject, context.groups),
        "reconstruction": scores["reconstruction"] | measures.measure_reconstruction(subject, context.groups),
    }


def _full_settings(context):
    cut = _cut_frames(context)
    return {
        "pairs_heard": len(context.pair_list["heard"]),
        "pairs_sha256": context.pair_list["sha256"],
        "partners": "the next sequence" if context.subject.why_no_classes else "drawn, each of another instrument",
        "intervals": f"95 %, percentile bootstrap of 1000 draws; {_describe_groups(context.labels)}",
        "pitch": context.tracker.name,
        "embeddings": ["logmel", *([context.embed.name] if context.embed else [])],
    } | ({"cut": cut} if cut else {})


def _describe_groups(labels):
    if labels.groups is None:
        return "every sequence by itself"
    return f"sequences of one {'recording' if labels.melody is None else 'melody'} are drawn together"


def _cut_frames(context):
    """{split: frames} of the splits whose sequences were cut."""
    splits = {"train": context.subject.train, "test": context.subject.test}
    longest = {name: context.data.sequences(name).shape[1] for name in splits}
    return {name: split.x.shape[1] for name, split in splits.items() if split.x.shape[1] < longest[name]}


def _swap_checks(subject, data):
    """``swap_checks``, of a split with its labels."""
    splits = {"train": subject.train, "test": subject.test}
    labels = [load_labels(data, name, split.x.shape[1]) for name, split in splits.items()]
    notes = [each.notes for each in labels]
    options = {"notes": None if any(each is None for each in notes) else notes, "groups": labels[1].groups}
    name = partial(instrument_name, data)
    return _attempt(swap_checks=lambda: measure_swap_checks(subject, name=name, **options))


def _check_scores(context):
    return _swap_checks(context.subject, context.data)


def _use_scores(context):
    subject = context.subject
    return _attempt(use=lambda: measures.measure_use(subject), kl=lambda: measures.measure_kl(subject))


def _label_posteriors(context):
    """The posteriors of training and test split with their labels."""
    subject = context.subject
    known = load_labels(context.data, "train", subject.train.x.shape[1])
    return (
        known.with_codes(subject.train_posteriors, subject.train.mask),
        context.labels.with_codes(subject.posteriors, subject.test.mask),
    )


def _leakage_scores(context):
    train, test = _label_posteriors(context)
    left_out = {}
    if context.labels.recording is not None and context.labels.factors:
        train, test = (replace(each, factors=None) for each in (train, test))
        names = ", ".join(context.labels.factors)
        left_out["leakage of labels"] = f"{names}: of recordings, so it is unknown to which code they belong"
    scores = _attempt(leakage=lambda: leakage(train, test, seed=context.subject.seed))
    return _merge({"left_out": left_out}, scores)


def _factor_scores(context):
    return _attempt(factors=lambda: factor_scores(*_label_posteriors(context), seed=context.subject.seed))


def _distance_scores(context):
    hop = context.front_end.hop_length / context.front_end.sample_rate
    generated = _generated_sequences(context).items()
    return _attempt(
        generation=lambda: {"mixture_components": context.generated[1]},
        frechet=lambda: {"logmel": measures.measure_logmel_distances(context.subject, hop, generated)},
    )


def _generated_sequences(context):
    """{name: sequences}; empty where the model cannot generate, which is in ``left_out`` as "generation"."""
    try:
        return context.generated[0]
    except InputError:
        return {}


def _melody_scores(context):
    scores = _attempt(melody=lambda: context.resynthesized.melody(context.groups))
    if "melody" in scores and context.subject.why_no_classes is None:
        scores["judge_vocoded"] = _judge_vocoded(context)
    return scores


def _judge_vocoded(context):
    """Macro-F1 of the independent judge on real sequences that went through the vocoder, with its interval."""
    subject, rows = context.subject, context.resynthesized.rows
    truth = subject.test.instrument[rows]
    answer = np.concatenate([subject.judge.predict(x[None]) for x in context.resynthesized.originals])
    interval = measures.interval_or_none(
        macro_f1_interval, truth, answer, groups=context.groups[rows], seed=subject.seed
    )
    return {"value": macro_f1(truth, answer), "interval": interval, "n": len(rows)}


def _sound_distance_scores(context):
    if context.embed is None or not context.pair_list["heard"]:
        return {}
    return _attempt(**{f"frechet_{context.embed.name}": lambda: _sound_distances(context)})


def _sound_distances(context):
    vectors = dict(context.resynthesized.vectors)
    groups = np.repeat(np.arange(len(vectors["real"])), [len(part) for part in vectors["real"]])
    for name, sequences in _generated_sequences(context).items():
        sequences = sequences[: len(context.resynthesized.rows)]
        sounds = Resynthesizer(context.front_end).resynthesize(sequences, len(sequences))
        vectors[name] = [context.embed(samples, context.front_end.sample_rate) for samples, *_ in sounds]
    sets = {name: np.concatenate(parts) for name, parts in vectors.items()}
    return measures.measure_distances(sets, groups, context.embed.name, context.subject.seed)


STAGES = {
    "true swaps": _counterfactual_scores,
    "timbre after swaps, reconstruction": _basic_scores,
    "checks of swaps": _check_scores,
    "use of the codes": _use_scores,
    "leakage": _leakage_scores,
    "factors": _factor_scores,
    "generation and distances": _distance_scores,
    "sound and melody": _melody_scores,
    "distances of sound": _sound_distance_scores,
}
