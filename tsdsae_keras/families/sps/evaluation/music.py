"""Pitch: whether the first latent of a note is linear in semitones, read off sounds and written into them."""

import numpy as np

from tsdsae_keras.data.audio.note_spectra import sound_of_notes
from tsdsae_keras.families.sps.evaluation.codes import (
    beside_untrained,
    encode,
    prediction_scores,
    reinitialise,
    score,
)
from tsdsae_keras.metrics.batching import in_batches
from tsdsae_keras.metrics.intervals import statistic_interval
from tsdsae_keras.metrics.pitch_code import (
    interval_deviation,
    line_deviation,
    pitch_line,
    squared_correlation,
    yin_pitch,
)

GRID = 30  # codes that synthesis is scored on, within two deviations of the mean
REACH = 2.0
SHIFTS = np.linspace(-2, 2, 9)  # of a scale's codes, in units of the code as published
RANGE = 60.0, 84.0  # start pitches that the published embedding R2 is taken of
DRAWS = 200
LOST = 1200.0  # cents, where every note of the shifted scales slips


def music_scores(model, data, seed=0):
    """All scores of a model of music, and the points of its figures."""
    train, test, fresh = data.frames("train"), data.frames("test"), reinitialise(model, seed)
    codes, before = ({"train": encode(each, train), "test": encode(each, test)} for each in (model, fresh))
    scores, points = _pitch_scores(model, codes, data, seed)
    worst, _ = _pitch_scores(fresh, before, data, seed, interval=False)
    scores = beside_untrained(scores, worst) | prediction_scores(model, fresh, train, test)
    return {"n": len(test), "domain": "music", "scores": scores, "points": points}


def _pitch_scores(model, codes, data, seed, interval=True):
    """Scores of pitch and the points of the figures; those that need labels only where there are labels."""
    scores, points = synthesis(model, codes["test"], seed, interval)
    if not data.labels:
        return scores, points
    for split in ("train", "test"):
        for notes in ("first", "all"):
            scores[f"embedding_{split}_{notes}"] = embedding(codes[split], data, split, notes, interval)
    moved, octaves = transposition(model, codes["test"], data, seed, interval)
    pitch = data.labels["test"][..., 0]
    points |= {"code": codes["test"][..., 0].tolist(), "pitch": pitch.tolist(), "transposed_octaves": octaves}
    return scores | moved, points


def embedding(codes, data, split, notes="first", interval=True):
    """R2 of the first latent and the true pitch, of each instrument, then their mean.

    Args:
        codes: (n, time, d).
        notes: "first" of every sequence whose start lies in the published range, as published, or "all".
    """
    pitch, z = data.labels[split][..., 0], codes[..., 0]
    groups = data.groups.get(split, np.zeros(len(z)))
    if notes == "first":
        inside = (pitch[:, 0] >= RANGE[0]) & (pitch[:, 0] <= RANGE[1])
        pitch, z, groups = pitch[inside, :1], z[inside, :1], groups[inside]

    def r2(z, pitch, groups):
        return np.mean([squared_correlation(z[groups == g].ravel(), pitch[groups == g].ravel()) for g in set(groups)])

    if min((np.sum(groups == g) for g in set(groups)), default=0) * z.shape[1] < 3:
        return score(float("nan"), n=len(z), worst=0.0, best=1.0)
    span = None
    if interval and len(set(groups)) == 1 and len(z) > 4:
        # Within one instrument: of several, a draw could leave one out.
        span = statistic_interval(lambda a, b: squared_correlation(a.ravel(), b.ravel()), z, pitch, n_resamples=DRAWS)
    return score(r2(z, pitch, groups), span, n=len(z), worst=0.0, best=1.0)


def synthesis(model, codes, seed=0, interval=True):
    """R2 of codes on a grid and the pitch of what is decoded from them: (scores, points of the figure).

    The grid goes two deviations of the first notes' codes (n, time, d) either way, as published, which for starts
    spread evenly over a range is 15 % more than the range: two notes of 30 at either end lie beyond it. Intervals are
    over points of the grid.
    """
    first = codes[:, 0]
    middle, reach = first[:, 0].mean(), REACH * first[:, 0].std()
    grid = np.linspace(middle - reach, middle + reach, GRID)
    z = np.tile(first.mean(axis=0), (GRID, 1))  # the instruments' mean style
    z[:, 0] = grid
    notes = in_batches(model.decode, np.float32(z))
    scores, points = {}, {"grid": grid.tolist()}
    for power, name in ((1.0, "synthesis"), (2.0, "synthesis_published")):
        pitch = note_pitches(notes, power, seed)
        line = pitch_line(grid, pitch)
        scores |= line_scores(grid, pitch, line, name, interval)
        if power == 1.0:
            points |= {"grid_pitch": pitch.tolist(), "slope": line["slope"], "offset": line["offset"]}
    scores.pop("synthesis_published_cents")
    return scores, points


def line_scores(code, pitch, line, name, interval=True):
    """The scores of a `pitch_line`, over all points and over those that are no slips."""
    kept, slips = line["kept"], line["slips"]
    n, bounds = int(kept.sum()), {"worst": 0.0, "best": 1.0}

    def span(statistic, *rows):
        return statistic_interval(statistic, *rows, n_resamples=DRAWS) if interval else None

    return {
        name: score(line["r2"], span(squared_correlation, code, pitch), len(code), **bounds),
        f"{name}_without_slips": score(
            line["r2_without_slips"], span(squared_correlation, code[kept], pitch[kept]), n, **bounds, slips=slips
        ),
        f"{name}_cents": score(line["cents"], span(line_deviation, code[kept], pitch[kept]), n, best=0.0),
    }


def note_pitches(notes, power=1.0, seed=0):
    """MIDI numbers of decoded notes (n, 513, 5), each turned into 2,048 samples and tracked alone."""
    return np.array([float(yin_pitch(sound_of_notes(note[None], power, seed))) for note in notes])


def transposition(model, codes, data, seed=0, interval=True):
    """A scale whose codes are shifted as a whole should keep its intervals: (scores, octave of each shift).

    Intervals are over the shifts.
    """
    steps = data.labels["test"][..., 0]
    middle = int(np.argsort(steps[:, 0])[len(steps) // 2])
    steps = steps[middle]
    shifted = np.repeat(codes[middle][None], len(SHIFTS), axis=0)
    shifted[..., 0] += SHIFTS[:, None]
    notes = in_batches(model.decode, np.float32(shifted.reshape(-1, shifted.shape[-1])))
    tracked = note_pitches(notes, seed=seed).reshape(len(SHIFTS), -1)
    found = interval_deviation(tracked, steps)

    def measure(name, worst=None):
        def statistic(rows):
            return np.nan_to_num(interval_deviation(rows, steps)[name], nan=LOST)

        span = statistic_interval(statistic, tracked, n_resamples=DRAWS) if interval else None
        return score(statistic(tracked), span, len(SHIFTS), worst=worst, best=0.0)

    scores = {"transposition_cents": measure("cents"), "transposition_slips": measure("slips", worst=1.0)}
    return scores, {f"{shift:+.1f}": float(o) for shift, o in zip(SHIFTS, found["octaves"], strict=True)}
