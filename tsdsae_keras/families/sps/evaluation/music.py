"""Pitch: whether the first latent of a note is linear in semitones, read off sounds and written into them."""

import numpy as np

from tsdsae_keras.data.audio.note_spectra import sound_of_notes
from tsdsae_keras.families.sps.evaluation.codes import (
    code_deviations,
    encode,
    in_batches,
    prediction_scores,
    reinitialise,
    score,
)
from tsdsae_keras.metrics.intervals import statistic_interval
from tsdsae_keras.metrics.pitch_code import interval_deviation, pitch_line, squared_correlation, yin_pitch

GRID = 30  # codes that synthesis is scored on, within two deviations of the mean
REACH = 2.0
SHIFTS = np.linspace(-2, 2, 9)  # of a scale's codes, in units of the code as published
RANGE = 60.0, 84.0  # start pitches that the published embedding R2 is taken of
DRAWS = 200


def music_scores(model, data, seed=0):
    """All scores of a model of music, and the points of its figures."""
    train, test = data.frames("train"), data.frames("test")
    codes = {"train": encode(model, train), "test": encode(model, test)}
    fresh = reinitialise(model, seed)
    scores = {}
    for split, x in (("train", train), ("test", test)) if data.labels else ():
        at_worst = encode(fresh, x)
        for notes in ("first", "all"):
            found = embedding(codes[split], data, split, notes)
            found["untrained"] = embedding(at_worst, data, split, notes, interval=False)["value"]
            scores[f"embedding_{split}_{notes}"] = found
    lines, points = synthesis(model, codes["test"], seed)
    before = synthesis(fresh, encode(fresh, test), seed)[0]
    scores |= {name: found | {"untrained": before[name]["value"]} for name, found in lines.items()}
    result = {"n": len(test), "domain": "music", "scores": scores, "points": points}
    if data.labels:
        moved = transposition(model, codes["test"], data, seed)
        scores |= moved["scores"]
        known = {"code": codes["test"][..., 0].tolist(), "pitch": data.labels["test"][..., 0].tolist()}
        result |= {"points": points | known, "transposed_octaves": moved["octaves"]}
    scores |= prediction_scores(model, train, test)
    scores["z_std"] = score(code_deviations(model, test).max(), worst=0.0, n=len(test))
    return result


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

    if min(np.sum(groups == g) for g in set(groups)) * z.shape[1] < 3:
        return score(float("nan"), n=len(z), worst=0.0, best=1.0)
    span = None
    if interval and len(set(groups)) == 1 and len(z) > 4:
        # Within one instrument: of several, a draw could leave one out.
        span = statistic_interval(lambda a, b: squared_correlation(a.ravel(), b.ravel()), z, pitch, n_resamples=DRAWS)
    return score(r2(z, pitch, groups), span, n=len(z), worst=0.0, best=1.0)


def synthesis(model, codes, seed=0):
    """R2 of codes on a grid and the pitch of what is decoded from them: (scores, points of the figure).

    The grid goes two deviations of the first notes' codes (n, time, d) either way, as published, which for starts
    spread evenly over a range is 15 % more than the range: two notes of 30 at either end lie beyond it.
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
        found = pitch_line(grid, pitch)
        scores[name] = score(found["r2"], n=GRID, worst=0.0, best=1.0)
        scores[f"{name}_without_slips"] = score(
            found["r2_without_slips"], n=GRID - found["slips"], worst=0.0, best=1.0, slips=found["slips"]
        )
        if power == 1.0:
            scores["synthesis_cents"] = score(found["cents"], n=GRID - found["slips"], best=0.0)
            points |= {"grid_pitch": pitch.tolist(), "slope": found["slope"]}
    return scores, points


def note_pitches(notes, power=1.0, seed=0):
    """MIDI numbers of decoded notes (n, 513, 5), each turned into 2,048 samples and tracked alone."""
    return np.array([float(yin_pitch(sound_of_notes(note[None], power, seed))) for note in notes])


def transposition(model, codes, data, seed=0):
    """A scale whose codes are shifted as a whole should keep its intervals: (scores, octave of each shift)."""
    pitch = data.labels["test"][..., 0]
    middle = int(np.argsort(pitch[:, 0])[len(pitch) // 2])
    shifted = np.repeat(codes[middle][None], len(SHIFTS), axis=0)
    shifted[..., 0] += SHIFTS[:, None]
    notes = in_batches(model.decode, np.float32(shifted.reshape(-1, shifted.shape[-1])))
    tracked = note_pitches(notes, seed=seed).reshape(len(SHIFTS), -1)
    found = interval_deviation(tracked, pitch[middle])
    scores = {
        "transposition_cents": score(np.nan_to_num(found["cents"], nan=1200.0), n=len(SHIFTS), best=0.0),
        "transposition_slips": score(found["slips"], n=tracked.size, worst=1.0, best=0.0),
    }
    return {
        "scores": scores,
        "octaves": {f"{shift:+.1f}": float(o) for shift, o in zip(SHIFTS, found["octaves"], strict=True)},
    }
