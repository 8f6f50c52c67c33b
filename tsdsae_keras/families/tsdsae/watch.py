"""What a run watches while it trains: whether swaps work, on a small fixed batch of validation sequences."""

from functools import cache, partial

import numpy as np

from tsdsae_keras.families.tsdsae.evaluation.faults import IGNORED, REACHED
from tsdsae_keras.families.tsdsae.evaluation.judges import FrameJudge, OwnEncoderJudge
from tsdsae_keras.families.tsdsae.evaluation.labels import load_labels
from tsdsae_keras.families.tsdsae.evaluation.posteriors import Split, decode_batch, encode_batch, encode_split
from tsdsae_keras.families.tsdsae.evaluation.subject import why_no_classes
from tsdsae_keras.families.tsdsae.evaluation.swaps import draw_partners
from tsdsae_keras.families.tsdsae.evaluation.use import active_units, next_partners, use_of_v
from tsdsae_keras.metrics.batching import take_rows
from tsdsae_keras.metrics.classification import macro_f1
from tsdsae_keras.metrics.intervals import wilson_interval
from tsdsae_keras.training.guards import Watch

SWAPPED = 32  # sequences
JUDGING = 256  # training sequences that the judges are fitted on
FRAMES = 20_000  # of them that the independent judge learns from, in a second or two
WATCHED = 1024  # frames of a sequence at most


def swap_watch(data, settings):
    """The `Watch` of a run: "v_use", "active_v", "active_z" and, where there are labels, F1s of the global swap.

    The figures are those of `evaluation`, on fewer sequences: good enough to see a collapse, too few to report.
    `swap_f1` is by the own encoder, `judge_f1` by a judge that never saw the model, and `real_f1` what that judge
    reaches on real sequences. None where fewer than two sequences could swap.
    """
    few, judging = _some(data, "validation", SWAPPED), _some(data, "train", JUDGING)
    if len(few) < 2:
        return None
    labelled = why_no_classes(judging, few) is None
    partner = draw_partners(few.instrument, settings.seed) if labelled else next_partners(len(few))

    @cache  # fitted at the first check, not before the first epoch
    def independent():
        judge = FrameJudge(judging.x, judging.instrument, judging.mask, seed=settings.seed, frames=FRAMES)
        return judge, macro_f1(few.instrument, judge.predict(few.x, few.mask))

    def measure(model):
        codes = encode_split(model, few, SWAPPED)
        z, v = codes.z_mean, codes.v_mean
        found = {
            "v_use": use_of_v(model.decode, z, v, partner, SWAPPED, few.mask),
            "active_v": active_units(v),
            "active_z": active_units(z, mask=few.mask),
        }
        if labelled:
            own = OwnEncoderJudge(encode_split(model, judging, SWAPPED).v_mean, judging.instrument, settings.seed)
            swapped = decode_batch(model.decode, z, v[partner], few.mask)
            answers = own.predict(encode_batch(model, swapped, few.mask)[0])
            judge, real_f1 = independent()
            found["swap_f1"] = macro_f1(few.instrument[partner], answers)
            found["judge_f1"] = macro_f1(few.instrument[partner], judge.predict(swapped, few.mask))
            found["real_f1"] = real_f1
        return found

    return Watch(measure, partial(warning, n=len(few)))


def warning(found, n=SWAPPED):
    """What to tell the user where the decoder ignores v, or the independent judge contradicts the own encoder; else
    None. `n` sequences were swapped."""
    own = found.get("swap_f1", 0.0)
    if found["v_use"] < IGNORED:
        though = f", though the own encoder's F1 is {own:.3f}" if own >= REACHED else ""
        return (
            f"the decoder ignores v (exchanging v changes the output only {found['v_use']:.3f} times as much as "
            f"exchanging z){though}: try a longer first stage (--stage-two-at), higher --swap-weights or a smaller "
            "--z-dim"
        )
    # So few sequences prove little: the judge's F1 is taken at the upper end of what a proportion of n may be.
    judge = found.get("judge_f1", 1.0)
    if own < REACHED or wilson_interval(judge * n, n)[1] >= REACHED * min(own, found["real_f1"]):
        return None
    return (
        f"the own encoder's F1 of {own:.3f} is contradicted: an independent judge hears the new instrument with F1 "
        f"{judge:.3f} ({found['real_f1']:.3f} on real sound); z may carry the timbre: try a larger --kl-z-weight, a "
        "smaller --z-dim or, where melodies share a beat, a larger --mmd-swap-weight"
    )


def _some(data, split, count):
    """Sequences of a split, read without the rest: the first, or spread over it where neighbours are alike."""
    n, labels = data.counts[split], load_labels(data, split)
    alike = labels.recording is not None or data.lengths(split) is not None
    rows = np.unique(np.linspace(0, n - 1, min(n, count)).round().astype(int)) if alike else np.arange(min(n, count))
    x = data.sequences(split, frames=WATCHED)
    return Split(x=x[rows], instrument=take_rows(labels.instrument, rows), mask=take_rows(x.mask, rows))
