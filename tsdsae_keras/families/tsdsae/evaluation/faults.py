"""Which faults an evaluation shows: rules on its figures, each compared with the best and worst attainable value.

A rule applies only where the *interval* of a figure lies beyond its threshold, so that a small test set, or the luck
of a draw, is not called a fault. Rules whose figures an evaluation lacks find nothing.
"""

import math
from dataclasses import dataclass

UNUSED, TIMBRE_IN_Z, PITCH_IN_V = "decoder ignores v", "z carries timbre", "v carries pitch"
MELODY_LOST, ONE_WAY, VOCODER = "melody lost", "only one direction swaps", "vocoder at fault"

# Use of v below which exchanging v is lost in the output. A working swap of two instruments moves it by a third to once
# as much as another melody does, of two that are alike or in melodies full of rests by 0.02; a collapsed one by 0.006
# or less.
IGNORED = 0.01
# What must be reached of an attainable figure. For squared distances a tenth is left: of two instruments 13 dB apart
# (8.8 nats squared, violin and trumpet) a swap then misses the true sound by 4 dB a band more than a reconstruction
# does, about what is heard in a direct comparison.
REACHED = 0.9
# The same tenth of a squared distance for a figure that is linear in the spectrum: 1 - sqrt(0.1).
REACHED_LINEAR = 0.68
# The same of notes that are read in single frames: a reader trained on sharp frames is harsher on a model's blurred
# ones than a pitch tracker. Of four models whose pitch a tracker finds untouched (98 to 101 %) it reads 90 to 94 %.
READ = 0.8
# A direction swaps from 0.8 on, and does not where the result is nearer to the old instrument than to the new one.
SWAPS, STAYS = 0.8, 0.5
# v of another melody on the same instrument may move the output by a tenth of the way to that melody.
CARRIED = 0.1
# Real sound through vocoder and tracker keeps 0.84 to 0.86 of the attainable pitch in the library's data; 0.7 is a
# chain that loses twice as much, so that its judgement cannot be trusted.
HEARD = 0.7


@dataclass(frozen=True)
class Figure:
    """A number with the ends of its interval, which are the number itself where there is none."""

    value: float
    low: float
    high: float

    def __truediv__(self, scale):
        return Figure(self.value / scale, self.low / scale, self.high / scale)

    def __sub__(self, shift):
        return Figure(self.value - shift, self.low - shift, self.high - shift)


def figure(score):
    """The `Figure` of {"value", "interval": [low, high]} or {"value", "low", "high"}; None where there is no number."""
    if not isinstance(score, dict) or not _is_number(score.get("value")):
        return None
    ends = score.get("interval") or (score.get("low"), score.get("high"))
    low, high = (end if _is_number(end) else score["value"] for end in ends)
    return Figure(score["value"], low, high)


def _is_number(value):
    return isinstance(value, int | float) and not math.isnan(value)


def find_faults(result):
    """The names of the faults that an evaluation shows, the one to see to first in front."""
    faults = [UNUSED] if ignores_v(result) else []
    faults += melody_faults(result)
    one_way = bool(failed_directions(result))
    faults += [ONE_WAY] if one_way and not faults else []
    if UNUSED not in faults and _timbre_stays(result, faults):
        faults.append(TIMBRE_IN_Z)
    return faults + ([VOCODER] if vocoder_fails(result, faults) else [])


def ignores_v(result):
    """Whether exchanging v leaves the output as it is. Swaps that come nearer to the truth are made by nothing else."""
    use, reached = result.get("use", {}).get("use_of_v"), way_to_truth(result)
    return _is_number(use) and use < IGNORED and (reached is None or reached.high < STAYS)


def way_to_truth(result):
    """`Figure` of (o - s) / (o - r): how far swaps go from the original to the true sound, 1 as far as a reconstruction
    of the truth; None where the truth is not known."""
    truth = result.get("counterfactual") or {}
    return figure(truth.get("share_of_attainable")) or _attainable_way(truth)


def _attainable_way(truth):
    """The same from the share of the way, 1 - s / o, in units of the best attainable one, 1 - r / o."""
    share = figure(truth.get("share_of_way"))
    original, own = (figure(truth.get(name)) for name in ("original_to_truth", "reconstruction_of_truth"))
    if not (share and original and own) or own.value >= original.value:
        return None
    return share / (1 - own.value / original.value)


def way_of_timbre(result):
    """`Figure`: how far a swap goes from the old timbre to the new one on the judge's scale; None without a judge."""
    return figure(result.get("swap_checks", {}).get("timbre_way"))


def kept_melody(result):
    """{"reconstruction", "global", "local", "same": `Figure`}: the right notes, 0 what another melody of the set has, 1
    what real sound through the same measurement has. The pitch tracker's where there was one."""
    return _read_notes(result) | _tracked_notes(result)


def lost_melody(result):
    """The names of `kept_melody` that have lost the notes."""
    tracked = _tracked_notes(result)
    least = {name: REACHED if name in tracked else READ for name in kept_melody(result)}
    return {name for name, kept in kept_melody(result).items() if kept.high < least[name]}


def _tracked_notes(result):
    melody = result.get("melody") or {}
    scores = {name: figure((melody.get(name) or {}).get("rpa")) for name in ("reconstruction", "global", "local")}
    worst = figure((melody.get("other_melody") or {}).get("rpa"))
    # Without notes the reference is the original's own track, which scores 1 by definition.
    best = figure((melody.get("original") or {}).get("rpa")) or Figure(1.0, 1.0, 1.0)
    return _share_kept(scores, worst, best)


def _read_notes(result):
    notes = result.get("swap_checks", {}).get("notes", {})
    scores = {name: figure(notes.get(name)) for name in ("reconstruction", "global", "local", "same")}
    return _share_kept(scores, figure(notes.get("other_melody")), figure(notes.get("real")))


def _share_kept(scores, worst, best):
    if not worst or not best or best.value - worst.value < 0.1:
        return {}  # melodies so alike, or a measurement so poor, that it cannot tell one from another
    return {name: (score - worst.value) / (best.value - worst.value) for name, score in scores.items() if score}


def melody_faults(result):
    """Melody lost, or pitch in v.

    Only v changes between a reconstruction and a global swap. Where the first has the right notes and the second has
    not, v decides pitch - unless v of another melody on the same instrument leaves the notes alone: then it is the
    change of instrument that loses them.
    """
    kept, lost = kept_melody(result), lost_melody(result)
    carried = figure(result.get("swap_checks", {}).get("same_instrument"))
    moved = carried is not None and carried.low > CARRIED
    if "reconstruction" in lost:
        return [MELODY_LOST]
    if "same" in lost or moved:
        return [PITCH_IN_V]
    if not lost & {"global", "local"}:
        return []
    return [MELODY_LOST] if "same" in kept or carried is not None else [PITCH_IN_V]


def failed_directions(result):
    """[(from, to)] that do not swap, where others do; [] where all or none do.

    A few swaps a direction, as a small folder has, leave wide intervals: it is enough that they lie apart.
    """
    ways = _ways_by_direction(result)
    good = [way.low for _, way in ways if way.value >= SWAPS]
    return [pair for pair, way in ways if good and way.high < min(STAYS, max(good))]


def true_ways(result):
    """[((from, to), `Figure`)]: `way_to_truth` by direction; [] where the truth is not known."""
    pairs = (result.get("counterfactual") or {}).get("pairs") or []
    known = [((pair["from"], pair["to"]), _way_of_pair(pair)) for pair in pairs]
    return [(pair, way) for pair, way in known if way]


def _ways_by_direction(result):
    """[((from, to), `Figure`)], against the truth where it is known, else by the judge."""
    known = true_ways(result)
    if known:
        return known
    # A judge decides: of timbres half way it hears now one side, now the other. So a direction that swaps must be heard
    # in its new instrument and also go most of the way there.
    return [
        ((each["from"], each["to"]), Figure(min(each["heard"], each.get("way", 1.0)), *each["interval"]))
        for each in result.get("swap_checks", {}).get("directions", [])
    ]


def _way_of_pair(pair):
    given = figure({"value": pair.get("share_of_attainable"), "interval": pair.get("share_of_attainable_interval")})
    share, ratio = pair.get("share_of_way"), pair.get("swap_ratio")
    if given or not (_is_number(share) and _is_number(ratio)) or ratio <= 0:
        return given
    best = 1 - (1 - share) / ratio  # r / o = (s / o) / (s / r)
    return Figure(*[share / best] * 3) if best > 0 else None


def _timbre_stays(result, others):
    """Whether swaps keep some of the old instrument, and no other fault explains what they miss."""
    if ONE_WAY in others:
        return any(way.value >= STAYS and way.high < SWAPS for _, way in _ways_by_direction(result))
    truth = way_to_truth(result)
    # A wrong melody misses the truth too, so there the judge decides, who does not hear which notes are played.
    if truth is None or others:
        return judged_short(result)
    return truth.high < REACHED or any(way.high < SWAPS for _, way in true_ways(result))


def judged_short(result):
    """Whether the independent judge hears less of the new instrument than real sound and reconstructions let it."""
    way = way_of_timbre(result)
    return bool(judge_doubts(result)) or (way is not None and way.high < REACHED_LINEAR)


def judge_doubts(result):
    """The worse of the judge's F1 after both swaps where it is short of what it reaches on real sound, else None."""
    scores, intervals = result.get("judge_f1"), result.get("intervals", {}).get("judge_f1", {})
    if not scores:
        return None
    name = min(("global", "local"), key=lambda each: scores[each])
    swapped = figure({"value": scores[name], "interval": intervals.get(name)})
    best = min(scores["real"], scores["pre"])  # a reconstruction that is not told apart is not the swap's fault
    return swapped.value if swapped.high < REACHED * best else None


def vocoder_fails(result, others):
    """Whether sound made from frames loses what the frames have.

    Real frames that went through the vocoder tell it without the model: the judge or the pitch tracker does not know
    them. Where the true sound is known, swaps that arrive in log-mel and not after the vocoder tell it too.
    """
    melody = result.get("melody") or {}
    best, worst = (figure((melody.get(name) or {}).get("rca")) for name in ("original", "other_melody"))
    # Chroma, as a tracker's octave errors are not the vocoder's.
    deaf = best and worst and best.high - worst.value < HEARD * (1 - worst.value)
    judge, heard = result.get("judge_f1"), figure(result.get("judge_vocoded"))
    strange = judge and heard and heard.high < REACHED * judge["real"]
    return bool(deaf or strange or (not others and _lost_after_vocoder(result)))


def _lost_after_vocoder(result):
    truth, scores = way_to_truth(result), heard_scores(result)
    if not scores or truth is None or truth.value < REACHED:
        return False
    after = way_after_vocoder(result)
    # No share: a reconstruction of the truth comes out of the vocoder no nearer to it than the other instrument is.
    return after is None or after.high < HEARD


def heard_scores(result):
    """The scores of swaps after the vocoder, {} where there are none."""
    vocoder = (result.get("counterfactual") or {}).get("vocoder") or {}
    return vocoder.get("heard") or vocoder


def way_after_vocoder(result):
    """`way_to_truth` of what is heard after the vocoder."""
    return way_to_truth({"counterfactual": heard_scores(result)})
