"""The verdict on an evaluation: five lines in a musician's words, the faults, and a warning where F1 misleads."""

from tsdsae_keras.families.tsdsae.evaluation import faults as rules
from tsdsae_keras.families.tsdsae.evaluation.faults import (
    MELODY_LOST,
    ONE_WAY,
    PITCH_IN_V,
    TIMBRE_IN_Z,
    UNUSED,
    VOCODER,
    figure,
)
from tsdsae_keras.families.tsdsae.evaluation.old_keys import update_keys

SEEN = 0.5  # score of a probe, between chance and certainty, from which a reading is worth a word

REMEDIES = {
    UNUSED: "train a longer first stage (--stage-two-at), give --stage-one-z noise where the decoder is a sequence's, "
    "raise --swap-weight, or give z less room (a smaller --z-dim)",
    TIMBRE_IN_Z: "make z dearer (--kl-z-weight 10) or smaller (--z-dim), so that timbre moves to v, or, where melodies "
    "share a beat, hold swaps to the sound of their timbre (--mmd-swap-weight 20)",
    PITCH_IN_V: "train on melodies that cover the same range on every instrument, infer v of recordings from another "
    "segment (--v-source recording) or transposed (--v-transpose 6), or make v smaller (--v-dim)",
    MELODY_LOST: "train longer, or give z more room (a larger --z-dim, a smaller --kl-z-weight)",
    ONE_WAY: "give both instruments as much sound in the same range, and train longer",
    VOCODER: "the frames hold what their sound lacks: prepare them with more mel bands or a shorter hop",
}


def give_verdict(result):
    """What the figures of an evaluation come to.

    Args:
        result: the dict of `scores.score` or of a full evaluation, also of an earlier version; whatever is missing is
            said to be not measured.

    Returns:
        {"lines": five lines on timbre, melody, distance from the truth, leaks and what to do; "faults": names of
        `faults`, the one to see to first in front; "warning": a line where the F1 by the own encoder is contradicted,
        else None}.
    """
    result = update_keys(result)
    faults = rules.find_faults(result)
    tell = (_tell_timbre, _tell_melody, _tell_distance, _tell_leaks)
    lines = [line(result, faults) for line in tell]
    lines.append(_tell_remedy(faults, whole=not any("not measured" in line for line in lines)))
    return {"lines": lines, "faults": faults, "warning": contradiction(result)}


def contradiction(result):
    """A line where the own encoder's F1 says that swaps work and another figure says that they do not; else None."""
    scores = result.get("swap_f1")
    own = min(scores["global"], scores["local"]) if scores else 0.0
    if own < rules.REACHED:
        return None  # it claims nothing
    judge, way = rules.judge_doubts(result), rules.way_to_truth(result)
    against = [
        None if judge is None else f"an independent judge's F1 is {judge:.3f}",
        f"swaps go {percent(way.value)} of the attainable way to the true sound" if _is_short(way) else None,
        f"the decoder ignores v (use {result['use']['use_of_v']:.3f})" if rules.ignores_v(result) else None,
    ]
    against = [reason for reason in against if reason]
    if not against:
        return None
    return f"the own encoder's F1 of {own:.3f} is contradicted: {', '.join(against)}; do not rely on that F1"


def percent(share):
    """A share as text; also of more than all, and of less than nothing."""
    return f"{round(100 * share)} %"


def _is_short(way):
    return way is not None and way.high < rules.REACHED


def _tell_timbre(result, faults):
    listener = _heard(result)
    if UNUSED in faults:
        return f"Timbre: not swapped, as the decoder ignores v (use {result['use']['use_of_v']:.3f}){listener}"
    if ONE_WAY in faults:
        failed = ", ".join(f"{old} to {new}" for old, new in rules.failed_directions(result)[:3])
        return f"Timbre: swapped in one direction only, not from {failed}{listener}"
    way = rules.way_to_truth(result) or rules.way_of_timbre(result)
    if TIMBRE_IN_Z in faults:
        amount = "hardly" if way and way.value < rules.STAYS else "partly"
        return f"Timbre: {amount} swapped, the old instrument remains{listener}"
    if not listener and way is None:
        return "Timbre: not measured, as the data name no instruments"
    return f"Timbre: swapped{' in log-mel frames, but not in their sound' if VOCODER in faults else ''}{listener}"


def _heard(result):
    """How often the judge hears the new instrument, as the end of a line."""
    directions, judge = result.get("swap_checks", {}).get("directions"), result.get("judge_f1")
    if not judge:
        return ""
    if not directions:
        return f"; an independent judge hears the new instrument with F1 {min(judge['global'], judge['local']):.2f}"
    total = sum(each["n"] for each in directions)
    share = sum(each["heard"] * each["n"] for each in directions) / total
    return f"; an independent judge hears the new instrument in {percent(share)} of {total} swaps"


def _tell_melody(result, faults):
    kept = rules.kept_melody(result)
    swapped = [kept[name] for name in ("global", "local") if name in kept]
    if not swapped:
        moved = " by notes, but v changes it" if PITCH_IN_V in faults else "; tsdsae-keras evaluate tracks its pitch"
        return f"Melody: not measured{moved}"
    worst = min(swapped, key=lambda each: each.value)
    amount = f"right notes {percent(worst.value)}, where 100 % is real sound and 0 % another melody"
    if MELODY_LOST in faults:
        where = "already in reconstructions" if "reconstruction" in rules.lost_melody(result) else "in swaps"
        return f"Melody: lost {where}; {amount}"
    return f"Melody: {'changed by the swap' if PITCH_IN_V in faults else 'kept'}; {amount}"


def _tell_distance(result, faults):
    truth, way = result.get("counterfactual") or {}, rules.way_to_truth(result)
    ratio, after = figure(truth.get("swap_ratio")), rules.way_after_vocoder(result)
    times = f"a swap is {ratio.value:.1f} times as far from the true sound" if ratio else ""
    parts = [
        f"{times} as a reconstruction (1 is perfect)" if ratio else "",
        _tell_way(result, way) if truth else "",
        f"after the vocoder {percent(after.value)}" if after else "",
    ]
    known = "; ".join(part for part in parts if part)
    return (
        f"Truth: {known or 'not measured, as the true sound of these swaps is not known (--truth FILE.csv gives it)'}"
    )


def _tell_way(result, way):
    if way is None:
        return "even a reconstruction is no nearer to it than the original is"
    if round(100 * way.value) < 0:
        return f"it leads away from it{_worst_direction(result)}"
    return f"it goes {percent(way.value)} of the attainable way there{_worst_direction(result)}"


def _worst_direction(result):
    ways = rules.true_ways(result)
    if len(ways) < 2:
        return ""
    (old, new), way = min(ways, key=lambda each: each[1].value)
    return f" ({percent(way.value)} from {old} to {new})"


def _tell_leaks(result, faults):
    leaks = [text for fault, text in LEAKS.items() if fault in faults]
    if leaks:
        return f"Leaks: {'; '.join(leaks)}"
    seen = _read_in_z(result)
    if rules.way_to_truth(result):
        return f"Leaks: none in what is heard{seen}"
    known = "none that the judge of timbre hears" if rules.way_of_timbre(result) else "not measured in what is heard"
    return f"Leaks: {known}{seen}"


LEAKS = {
    UNUSED: "timbre is in z, as nothing else reaches the output",
    TIMBRE_IN_Z: "timbre is in z, and the decoder uses it",
    ONE_WAY: "the timbre of an instrument that stays is in z, and the decoder uses it",
    PITCH_IN_V: "pitch, or more of the melody, is in v, and the decoder uses it",
}


def _read_in_z(result):
    """What a probe reads of the instrument in z, as the end of a line: a fault only where the decoder uses it."""
    views = result.get("leakage", {}).get("instrument_from_z", {})
    scores = [view[probe]["score"] for view in views.values() for probe in ("linear", "mlp")]
    return f"; a probe reads the instrument in z, {max(scores):.2f} of 1" if scores and max(scores) > SEEN else ""


def _tell_remedy(faults, whole):
    if not faults:
        return f"To do: nothing, no fault was found{'' if whole else ' in what was measured'}; listen to it"
    return f"To do: {'; '.join(f'{fault}: {REMEDIES[fault]}' for fault in faults)}"
