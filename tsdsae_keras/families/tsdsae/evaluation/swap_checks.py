"""What goes wrong in swaps, found without the true sound of one: the figures that a verdict needs, without a vocoder.

Every sequence i is decoded four times: from its own codes; with v of its partner j (global swap); with z of its
partner (local swap); and with v of another melody k on the *same* instrument. The last has a known answer, the
original itself: whatever it changes, v carries something that is not the instrument.
"""

import numpy as np

from tsdsae_keras.errors import InputError
from tsdsae_keras.families.tsdsae.evaluation.measures import with_interval
from tsdsae_keras.families.tsdsae.evaluation.notes import NoteReader
from tsdsae_keras.families.tsdsae.evaluation.posteriors import decode_batch
from tsdsae_keras.metrics.batching import batch_slices, take_rows
from tsdsae_keras.metrics.intervals import ratio_interval, wilson_interval
from tsdsae_keras.metrics.reconstruction import sequence_errors

VERSIONS = ("reconstruction", "global", "local", "same")


def measure_swap_checks(subject, notes=None, groups=None, name=str):
    """The checks that the labels allow; none needs the true sound of a swap.

    - ``directions``: for each ordered pair of instruments [{"from", "to", "n", "heard", "interval", "way"}]: the share
      of global swaps in which the independent judge hears the new instrument, Wilson's interval at 95 %, and how far
      the timbre goes (below).
    - ``timbre_way``: how far a global swap goes from the reconstruction of its own sequence (0) to that of its partner
      (1) on the judge's scale, log p(new) - log p(old), which is linear in the outline of the spectrum.
    - ``same_instrument``: (e_k - e) / (E|x_k - x_i|^2 - e) with e = E|D(z_i, v_i) - x_i|^2 and e_k = E|D(z_i, v_k) -
      x_i|^2: the share of the melody that v carries. 0 is best; 1 is worst: v turns the sequence into k.
    - ``notes``: the share of frames with the right note by a `NoteReader`: {"real", "reconstruction", "global",
      "local", "same", "other_melody"}; best is that of real sequences, worst that of another melody.

    Args:
        subject: a `TestSubject`.
        notes: ((n, time) of the training split, (n, time) of the test split), or None.
        groups: (n,) which test sequences belong together.
        name: what to call an instrument.

    Returns:
        A dictionary ready for JSON; what cannot be computed is not in it.
    """
    groups = np.arange(len(subject.test)) if groups is None else np.asarray(groups)
    classes = subject.why_no_classes is None
    same = draw_same_partners(subject.test.instrument, groups, subject.seed) if classes else None
    judge = subject.judge if classes and hasattr(subject.judge, "log_probabilities") else None
    reader = None if notes is None else NoteReader(subject.train.x, notes[0], subject.train.mask, seed=subject.seed)
    kept = _collect(subject, same, judge, reader, None if notes is None else notes[1])
    checks = {
        "directions": _directions(subject, kept, name) if classes else None,
        "timbre_way": _timbre_way(subject, kept, groups) if judge else None,
        "same_instrument": _same_instrument(subject, kept, same, groups) if classes else None,
        "notes": _notes(subject, kept, groups) if reader else None,
    }
    return {key: value for key, value in checks.items() if value}


def draw_same_partners(instrument, groups, seed):
    """(n,) for each sequence another of its instrument, but of another group where there is one; itself where alone."""
    rng = np.random.default_rng(seed)
    partners = []
    for own, group in zip(instrument, groups, strict=True):
        others = np.flatnonzero((instrument == own) & (groups != group))
        partners.append(rng.choice(others) if len(others) else len(partners))
    return np.array(partners)


def _collect(subject, same, judge, reader, notes):
    """{(version, figure): (n,) or (n, classes)}: one pass over the test split, outputs are not kept."""
    test, codes, kept = subject.test, subject.posteriors, {}
    for rows in batch_slices(test, subject.batch_size):
        own, other = np.arange(len(test))[rows], subject.partner[rows]
        whose = {"reconstruction": (own, own), "global": (own, other), "local": (other, own)}
        whose |= {} if same is None else {"same": (own, same[rows])}
        for version, (melody, timbre) in whose.items():
            mask = take_rows(test.mask, melody)
            made = decode_batch(subject.model.decode, codes.z_mean[melody], codes.v_mean[timbre], mask)
            figures = _figures(version, made, mask, judge, reader, take_rows(notes, melody))
            if version in ("reconstruction", "same"):
                figures["error"] = sequence_errors(test.x[rows], made, mask)
            for figure, values in figures.items():
                kept.setdefault((version, figure), []).append(values)
        if reader:
            real, mask = np.asarray(test.x[rows]), take_rows(test.mask, rows)
            for version, asked in (("real", own), ("other_melody", other)):
                kept.setdefault((version, "notes"), []).append(reader.accuracies(real, notes[asked], mask))
    return {key: np.concatenate(parts) for key, parts in kept.items()}


def _figures(version, made, mask, judge, reader, notes):
    figures = {"notes": reader.accuracies(made, notes, mask)} if reader else {}
    if judge and version in ("reconstruction", "global"):
        figures["judge"] = judge.log_probabilities(made, mask)
    return figures


def _steps(subject, kept):
    """(n,) how far each swap goes on the judge's scale, and how far it is from own to partner's reconstruction."""
    place = np.searchsorted(subject.judge.classes, subject.test.instrument)
    rows, old, new = np.arange(len(place)), place, place[subject.partner]

    def score(log_prob):
        return log_prob[rows, new] - log_prob[rows, old]

    own = kept["reconstruction", "judge"]
    return score(kept["global", "judge"]) - score(own), score(own[subject.partner]) - score(own)


def _timbre_way(subject, kept, groups):
    gone, whole = _steps(subject, kept)
    if not np.isfinite(gone + whole).all():
        return None  # a class of which no training frame sounds
    return _ratio_score(gone, whole, groups, subject.seed, worst=0.0)  # None: the judge tells nothing apart


def _ratio_score(part, whole, groups, seed, **ends):
    """The ratio of two means with its interval; None where the whole is 0 or less, and the ratio means nothing."""
    if whole.sum() <= 0:
        return None
    try:
        interval = list(ratio_interval(part, whole, groups=groups, seed=seed))
    except InputError:
        interval = None  # one group, or a draw without a ratio
    return {"value": _ratio(part, whole), "interval": interval, "n": len(part)} | ends


def _ratio(part, whole):
    return float(part.sum() / whole.sum())


def _directions(subject, kept, name):
    asked, answer = subject.answers["judge_f1"]["global"]
    instrument, found = subject.test.instrument, []
    gone, whole = _steps(subject, kept) if ("global", "judge") in kept else (None, None)
    for old, new in sorted(set(zip(instrument.tolist(), asked.tolist(), strict=True))):
        rows = (instrument == old) & (asked == new)
        n, right = int(rows.sum()), int((answer[rows] == new).sum())
        direction = {"from": name(old), "to": name(new), "n": n, "heard": right / n}
        direction["interval"] = wilson_interval(right, n)
        if gone is not None and np.isfinite(whole[rows]).all() and whole[rows].sum() > 0:
            direction["way"] = _ratio(gone[rows], whole[rows])
        found.append(direction)
    return found


def _same_instrument(subject, kept, same, groups):
    rows = np.flatnonzero(same != np.arange(len(same)))
    if not len(rows):
        return None
    own, exchanged = (kept[version, "error"][rows] for version in ("reconstruction", "same"))
    # None where a reconstruction is as far from its original as another melody: then nothing can be said of v.
    whole = _distances(subject, rows, same[rows]) - own
    return _ratio_score(exchanged - own, whole, groups[rows], subject.seed, worst=1.0, best=0.0)


def _distances(subject, rows, others):
    """E|x_k - x_i|^2 of each pair over the frames valid in both."""
    errors = []
    for part in batch_slices(rows, subject.batch_size):
        own, other = rows[part], others[part]
        mask = subject.test.mask
        shared = None if mask is None else np.logical_and(mask[own], mask[other])
        errors.append(sequence_errors(subject.test.x[own], subject.test.x[other], shared))
    return np.concatenate(errors)


def _notes(subject, kept, groups):
    scores = {}
    for version in ("real", *VERSIONS, "other_melody"):
        values = kept.get((version, "notes"))
        known = None if values is None else np.isfinite(values)
        if known is None or not known.any():
            continue
        members = groups[subject.partner] if version == "local" else groups
        scores[version] = with_interval(values[known], members[known], subject.seed)
    return scores
