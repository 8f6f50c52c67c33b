"""dMelodies: a grid of two-bar melodies, each given by nine independent factors (Pati, Gururani, Lerch, ISMIR 2020).

Every bar has eight eighth-note slots of which six sound, and plays two chords of three notes as arpeggios: I and IV
in bar 1, V and I in bar 2. At 120 beats a minute the sixteen slots last four seconds. A melody is an index into the
grid, a row of nine factor values, or sixteen MIDI note numbers; in the last form 0 is a rest.
"""

import itertools
import math
import numbers

import numpy as np

from tsdsae_keras.errors import InputError

TONICS = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")
OCTAVES = (4, 5, 6)
SCALES = {
    "major": (0, 2, 4, 5, 7, 9, 11, 12, 14),
    "minor": (0, 2, 3, 5, 7, 8, 11, 12, 14),
    "blues": (0, 2, 3, 5, 6, 9, 10, 12, 14),
}
RHYTHMS = tuple(itertools.combinations(range(8), 6))
CHORDS = ((0, 2, 4), (3, 5, 7), (4, 6, 8), (0, 2, 4))
DIRECTIONS = ("up", "down")
SLOTS = 16
SLOT_SECONDS = 0.25
SECONDS = SLOTS * SLOT_SECONDS
MIDDLE_C = 60

LEVELS = {
    "tonic": TONICS,
    "octave": OCTAVES,
    "scale": tuple(SCALES),
    "rhythm_1": tuple(range(len(RHYTHMS))),
    "rhythm_2": tuple(range(len(RHYTHMS))),
    "arp_1": DIRECTIONS,
    "arp_2": DIRECTIONS,
    "arp_3": DIRECTIONS,
    "arp_4": DIRECTIONS,
}
FACTORS = tuple(LEVELS)
SIZES = tuple(len(levels) for levels in LEVELS.values())
MELODIES = math.prod(SIZES)


def factors_of(index):
    """The nine factor values of each melody.

    Args:
        index: a melody's index in the grid, or an array of them, shape (...).

    Returns:
        int64 array, shape (..., 9): positions in `LEVELS`, in the order of `FACTORS`.

    Raises:
        InputError: an index is not an integer from 0 to 1,354,751.
    """
    index = _integers(index, "melody index")
    _check_range(index, MELODIES, "melody index")
    return np.stack(np.unravel_index(index, SIZES), axis=-1)


def notes_of(index=None, *, factors=None):
    """The sixteen slots of each melody, given by its index or by its factors.

    Args:
        index: a melody's index in the grid, or an array of them, shape (...).
        factors: instead of the index: positions in `LEVELS`, shape (..., 9).

    Returns:
        int16 array, shape (..., 16): MIDI note numbers, 0 for a rest.

    Raises:
        InputError: both or neither were given, or a value lies outside the grid.
    """
    if (index is None) == (factors is None):
        raise InputError("notes_of takes either a melody index or factors=...: give one of the two")
    factors = factors_of(index) if factors is None else _check_factors(factors)
    rows = factors.reshape(-1, len(FACTORS))
    notes = np.zeros((len(rows), SLOTS), np.int16)
    np.put_along_axis(notes, _sounding_slots(rows), _pitches(rows), axis=1)
    return notes.reshape(*factors.shape[:-1], SLOTS)


def timed_notes(notes):
    """A melody of `notes_of` as a synthesiser takes it: [(start in s, duration in s, MIDI pitch)], without rests."""
    return [(slot * SLOT_SECONDS, SLOT_SECONDS, int(pitch)) for slot, pitch in enumerate(notes) if pitch]


def subset(**allowed):
    """The melodies whose factors all lie among the allowed levels; a factor that is not named is free.

    Args:
        allowed: factor name = one level or several, by their names in `LEVELS`: `tonic=("C", "G")`, `octave=4`,
            `rhythm_1=(0, 1, 2)` (positions in `RHYTHMS`), `arp_1="up"`.

    Returns:
        int64 array of indices, ascending.

    Raises:
        InputError: an unknown factor or level, or no level at all.
    """
    for name in allowed:
        if name not in LEVELS:
            raise InputError(f"unknown dMelodies factor {name!r}: choose from {', '.join(FACTORS)}")
    axes = [_positions(name, allowed.get(name, LEVELS[name])) for name in FACTORS]
    return np.ravel_multi_index(np.ix_(*axes), SIZES).ravel()


def paper_subset(octaves=(4,), tonics=("C",), scales=("major",)):
    """The melodies of TS-DSAE's study: the first slot of bar 1 and the last slot of bar 2 sound.

    Args:
        octaves, tonics, scales: the levels kept; by default C major in octave 4, as in the paper.

    Returns:
        int64 array of indices, ascending: 7,056 for each octave, tonic and scale.

    Raises:
        InputError: an unknown level.
    """
    first = tuple(number for number, slots in enumerate(RHYTHMS) if slots[0] == 0)
    last = tuple(number for number, slots in enumerate(RHYTHMS) if slots[-1] == 7)
    return subset(tonic=tonics, octave=octaves, scale=scales, rhythm_1=first, rhythm_2=last)


def frame_notes(notes, frames, hop_length, sample_rate):
    """The note that sounds at the centre of every frame.

    Args:
        notes: slots, shape (..., 16), as `notes_of` gives them.
        frames: the number of frames; frame t is centred at sample t * hop_length.
        hop_length: samples from one frame to the next.
        sample_rate: samples a second.

    Returns:
        int16 array, shape (..., frames): MIDI note numbers, 0 for a rest and after the end. A frame centred on the
        very end mirrors the last slot (the front end pads by reflection), so it takes that slot's note.

    Raises:
        InputError: the notes are not sixteen long, or a count is not positive.
    """
    notes = _integers(notes, "notes")
    if notes.shape[-1:] != (SLOTS,):
        raise InputError(f"notes have shape {notes.shape}: the last axis must hold the {SLOTS} slots of a melody")
    for name, value in (("frames", frames), ("hop_length", hop_length), ("sample_rate", sample_rate)):
        if value < 1:
            raise InputError(f"{name} is {value}: it must be at least 1")
    centres = np.arange(frames) * hop_length / (sample_rate * SLOT_SECONDS)
    slots = np.where(centres == SLOTS, SLOTS - 1, centres.astype(int))
    padded = np.concatenate([notes, np.zeros_like(notes[..., :1])], axis=-1)
    return padded[..., np.minimum(slots, SLOTS)].astype(np.int16)


def _sounding_slots(rows):
    """(n, 12): six slots of bar 1, then six of bar 2."""
    rhythms = np.array(RHYTHMS)
    return np.concatenate([rhythms[rows[:, 3]], 8 + rhythms[rows[:, 4]]], axis=1)


def _pitches(rows):
    """(n, 12): the MIDI numbers of four arpeggios of three notes."""
    up = np.array(CHORDS)
    degrees = np.where(rows[:, 5:, None] == 0, up, up[:, ::-1]).reshape(len(rows), -1)
    scale = np.array(list(SCALES.values()))[rows[:, 2]]
    tonic = MIDDLE_C + rows[:, 0] + 12 * rows[:, 1]
    return (tonic[:, None] + np.take_along_axis(scale, degrees, axis=1)).astype(np.int16)


def _positions(name, levels):
    """The sorted positions of the named levels of one factor."""
    known = LEVELS[name]
    levels = (levels,) if isinstance(levels, (str, numbers.Integral)) else tuple(levels)
    if not levels:
        raise InputError(f"no level of {name} is allowed: name at least one of {_list_levels(known)}")
    for level in levels:
        if isinstance(level, bool) or level not in known:
            raise InputError(f"unknown {name} {level!r}: choose from {_list_levels(known)}")
    return sorted({known.index(level) for level in levels})


def _list_levels(levels):
    return ", ".join(map(str, levels)) if len(levels) <= 12 else f"{levels[0]} to {levels[-1]}"


def _check_factors(factors):
    factors = _integers(factors, "factors")
    if factors.shape[-1:] != (len(FACTORS),):
        raise InputError(f"factors have shape {factors.shape}: the last axis must hold the {len(FACTORS)} factors")
    for position, name in enumerate(FACTORS):
        _check_range(factors[..., position], SIZES[position], f"factor {name}")
    return factors


def _integers(values, name):
    values = np.asarray(values)
    if values.dtype.kind not in "iu":
        raise InputError(f"{name} has type {values.dtype}: it must hold integers")
    return values.astype(np.int64)


def _check_range(values, size, name):
    wrong = values[(values < 0) | (values >= size)]
    if wrong.size:
        raise InputError(f"{name} {wrong.flat[0]} is outside the grid: it must lie from 0 to {size - 1}")
