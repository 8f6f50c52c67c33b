"""The scores of a model on prepared data: the few that every run ends with, and all of them."""

import logging
import time
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from tsdsae_keras.data.audio.logmel import FrontEnd
from tsdsae_keras.errors import InputError
from tsdsae_keras.families.tsdsae.evaluation import measures
from tsdsae_keras.families.tsdsae.evaluation.evaluate import scores_of
from tsdsae_keras.families.tsdsae.evaluation.generation import generated
from tsdsae_keras.families.tsdsae.evaluation.labels import labels_of
from tsdsae_keras.families.tsdsae.evaluation.listening import Ear, Listening, can_sound
from tsdsae_keras.families.tsdsae.evaluation.pairs import pair_list
from tsdsae_keras.families.tsdsae.evaluation.posteriors import Split
from tsdsae_keras.families.tsdsae.evaluation.subject import TestSubject
from tsdsae_keras.metrics.batching import batch_size_for
from tsdsae_keras.metrics.classification import macro_f1
from tsdsae_keras.metrics.disentanglement import factor_scores
from tsdsae_keras.metrics.intervals import macro_f1_interval
from tsdsae_keras.metrics.leakage import leakage
from tsdsae_keras.metrics.plain import plain
from tsdsae_keras.training.run import versions

log = logging.getLogger(__name__)

FRAMES = 1 << 24  # of a split that are scored at most, so that codes fit into memory, but
SCORED = 1 << 10  # frames of each sequence always
PAIRS = 64  # made to sound: with 300 test sequences of 4 s all scores then take three to five minutes on two cores


def score(model, data, seed):
    """The dict of the few quick scores of a model on the test split of prepared data, settings included."""
    return _scored(make_subject(model, data, seed), data)


def make_subject(model, data, seed):
    """The `TestSubject` of a model on prepared data; InputError where they do not go together."""
    check_front_end(model, data)
    train, test = split_of(data, "train"), split_of(data, "test")
    batch_size = batch_size_for(max(split.x.shape[1] for split in (train, test)))
    return TestSubject(model, train, test, seed=seed, batch_size=batch_size)


def check_front_end(model, data):
    """Refuses data whose features were made by other settings than those the model was trained on."""
    if model.front_end is not None and dict(model.front_end) != dict(data.front_end):
        names = [name for name, value in data.front_end.items() if model.front_end.get(name) != value]
        differ = ", ".join(f"{name} {model.front_end.get(name)} and {data.front_end[name]}" for name in names)
        raise InputError(f"model and data ({data.folder}) have other front-end settings: {differ}")
    if model.features != data.bands:
        raise InputError(f"the model takes {model.features} bands, {data.folder} has {data.bands}")


def split_of(data, split):
    """Features, left on disk, and instruments of a split; of very long sequences the beginning."""
    x = data.sequences(split, frames=max(SCORED, FRAMES // data.counts[split]))
    return Split(x=x, instrument=labels_of(data, split).instrument, mask=x.mask)


@dataclass
class Study:
    """A model on prepared data with all that its scores and its page share.

    Attributes:
        subject: the `TestSubject`.
        data: the `PreparedData`.
        tracker: a pitch tracker.
        embed: an embedding of sound beside logmel, or None.
        pairs: how many pairs sound.
    """

    subject: TestSubject
    data: object
    tracker: object
    embed: object = None
    pairs: int = PAIRS

    @cached_property
    def front_end(self):
        return FrontEnd.from_dict(self.data.front_end)

    @cached_property
    def ear(self):
        return Ear(self.front_end, self.tracker)

    @cached_property
    def labels(self):
        """`Labels` of the test split."""
        return labels_of(self.data, "test", self.subject.test.x.shape[1])

    @cached_property
    def groups(self):
        """(n,) which melody a test sequence is, or which recording it is from; every sequence its own where neither is
        known."""
        groups = self.labels.groups
        return np.arange(len(self.subject.test)) if groups is None else np.unique(groups, return_inverse=True)[1]

    @cached_property
    def pair_list(self):
        """Of `pairs.pair_list`; those that sound are long enough for that, both of them."""
        if len(self.subject.test) < 2:
            return pair_list(np.zeros(0, int), 0, self.subject.seed)
        partner, lengths = self.subject.partner, self.subject.test.lengths
        among = np.flatnonzero(can_sound(np.minimum(lengths, lengths[partner]), self.front_end))
        return pair_list(partner, self.pairs, self.subject.seed, among)

    @cached_property
    def listening(self):
        """The `Listening` to the pairs that sound."""
        return Listening(self.subject, self.pair_list["heard"], self.ear, self.labels.notes, self.embed)

    @cached_property
    def generated(self):
        """New sequences, and the number of the mixture's components."""
        return generated(self.subject)


def full_scores(study):
    """Every score of a `Study`: a superset of `score`, and the seconds that each stage took. Stages are logged.

    A score that cannot be had is named in ``left_out`` with its reason, and the others go on; InputError only where
    the model cannot be used at all.
    """
    result, seconds, subject = {"left_out": {}}, {}, study.subject
    for number, (name, stage) in enumerate(STAGES.items(), start=1):
        log.info(f"{number}/{len(STAGES)} {name} ...")
        start = time.perf_counter()
        stage(study, result)
        seconds[name] = time.perf_counter() - start
    result |= {"n": len(subject.test), "pairs": study.pair_list}
    result["left_out"] |= {f"label {name}": reason for name, reason in study.labels.left_out.items()}
    result, odd = plain(result)
    return result | ({"not_finite": odd} if odd else {}), seconds


def _scored(subject, data):
    result = scores_of(subject)
    settings = {"model": subject.model.get_config(), "data": data.identity, "synth": data.manifest.get("synth")}
    result["settings"] |= settings | {"versions": versions()}
    return result


def _attempt(result, name, work):
    """Adds the score, or the reason why it is left out."""
    try:
        result[name] = work()
    except InputError as error:
        result["left_out"][name] = str(error)


def _basics(study, result):
    found = _scored(study.subject, study.data)
    result["left_out"] |= found.pop("left_out", {})
    result |= found
    result["settings"] |= {
        "pairs_heard": len(study.pair_list["heard"]),
        "pairs_sha256": study.pair_list["sha256"],
        "partners": "the next sequence" if study.subject.why_no_classes else "drawn, each of another instrument",
        "intervals": f"95 %, percentile bootstrap of 1000 draws; {_drawn_together(study.labels)}",
        "pitch": study.tracker.name,
        "embeddings": ["logmel", *([study.embed.name] if study.embed else [])],
    }
    if cut := _cut(study):
        result["settings"]["cut"] = cut
    result["intervals"] = measures.intervals_of(study.subject, study.groups)
    result["reconstruction"] |= measures.reconstruction_of(study.subject, study.groups)


def _drawn_together(labels):
    if labels.groups is None:
        return "every sequence by itself"
    return f"sequences of one {'recording' if labels.melody is None else 'melody'} are drawn together"


def _cut(study):
    """Of which splits sequences were cut, to how many frames."""
    splits = {"train": study.subject.train, "test": study.subject.test}
    longest = {name: study.data.sequences(name).shape[1] for name in splits}
    return {name: split.x.shape[1] for name, split in splits.items() if split.x.shape[1] < longest[name]}


def _use(study, result):
    _attempt(result, "use", lambda: measures.use_of(study.subject))
    _attempt(result, "kl", lambda: measures.kl_of(study.subject))


def _labelled(study):
    train, test = study.subject.train, study.subject.test
    known = labels_of(study.data, "train", train.x.shape[1])
    return known.with_codes(study.subject.train_codes, train.mask), study.labels.with_codes(
        study.subject.codes, test.mask
    )


def _leakage(study, result):
    train, test = _labelled(study)
    if study.labels.recording is not None and study.labels.factors:
        train, test = (replace(each, factors=None) for each in (train, test))
        names = ", ".join(study.labels.factors)
        result["left_out"]["leakage of labels"] = f"{names}: of recordings, so nobody knows to which code they belong"
    _attempt(result, "leakage", lambda: leakage(train, test, seed=study.subject.seed))


def _factors(study, result):
    _attempt(result, "factors", lambda: factor_scores(*_labelled(study), seed=study.subject.seed))


def _distances(study, result):
    _attempt(result, "generation", lambda: {"mixture_components": study.generated[1]})
    made = _made(study, result).items()
    hop = study.front_end.hop_length / study.front_end.sample_rate
    _attempt(result, "frechet", lambda: {"logmel": measures.logmel_distances(study.subject, hop, made)})


def _melody(study, result):
    _attempt(result, "melody", lambda: study.listening.melody(study.groups))
    if "melody" in result and study.subject.why_no_classes is None:
        result["judge_vocoded"] = _judged(study)


def _judged(study):
    """Macro-F1 of the independent judge on real sequences that went through the vocoder, stated."""
    rows = study.listening.heard
    truth = study.subject.test.instrument[rows]
    answer = np.concatenate([study.subject.judge.predict(x[None]) for x in study.listening.resynthesised])
    find, groups, seed = macro_f1_interval, study.groups[rows], study.subject.seed
    interval = measures.interval_or_none(find, truth, answer, groups=groups, seed=seed)
    return {"value": macro_f1(truth, answer), "interval": interval, "n": len(rows)}


def _embedded(study, result):
    if study.embed is None or "melody" not in result:
        return
    name = f"frechet_{study.embed.name}"
    _attempt(result, name, lambda: _sound_distances(study, _made(study, result)))


def _made(study, result):
    """The generated sequences by name; none where they were left out."""
    return study.generated[0] if "generation" in result else {}


def _sound_distances(study, generated):
    vectors = dict(study.listening.vectors)
    groups = np.repeat(np.arange(len(vectors["real"])), [len(part) for part in vectors["real"]])
    for name, made in generated.items():
        made = made[: len(study.listening.heard)]
        sounds = Ear(study.front_end).hear(made, len(made))
        vectors[name] = [study.embed(samples, study.front_end.sample_rate) for samples, *_ in sounds]
    sets = {name: np.concatenate(parts) for name, parts in vectors.items()}
    return measures.distances_of(sets, groups, study.embed.name, study.subject.seed)


STAGES = {
    "timbre after swaps, reconstruction": _basics,
    "use of the codes": _use,
    "leakage": _leakage,
    "factors": _factors,
    "generation and distances": _distances,
    "sound and melody": _melody,
    "distances of sound": _embedded,
}
