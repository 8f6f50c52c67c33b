"""Notes as both synthesisers take them: checked, and timed in samples."""

import math

import numpy as np

from tsdsae_keras.errors import InputError


def check_sample_rate(sample_rate):
    """InputError unless both synthesisers can use the rate."""
    if isinstance(sample_rate, bool) or sample_rate not in range(8000, 96001):
        raise InputError(f"sample_rate is {sample_rate!r}; give an integer from 8000 to 96000 Hz")


def check_program(program, programs):
    """InputError unless the synthesiser was opened with this program."""
    if program not in programs:
        raise InputError(f"program {program} was not opened: this synthesiser has {', '.join(map(str, programs))}")


def to_samples(notes, seconds, sample_rate):
    """Notes in samples instead of seconds.

    Args:
        notes: (start in seconds, duration in seconds, MIDI pitch from 1 to 127) of each note; they may overlap.
        seconds: length of the sound; no note may end after it.
        sample_rate: Hz.

    Returns:
        ([(first sample, sample after the last, pitch)], length of the sound in samples).

    Raises:
        InputError: a note that is not of this form, or not within the sound.
    """
    length = round(seconds * sample_rate)
    timed = []
    for note in notes:
        start, duration, pitch = _check_note(note)
        first, end = round(start * sample_rate), round((start + duration) * sample_rate)
        if not 0 <= first < end <= length:
            raise InputError(f"a note from {start:g} s for {duration:g} s is not within the {seconds:g} s of the sound")
        timed.append((first, end, pitch))
    return timed, length


def scale_to_peak(sound):
    """float32, divided by the greatest magnitude; silence stays zeros."""
    peak = np.max(np.abs(sound), initial=0)
    return (sound / peak if peak > 0 else sound).astype(np.float32)


def _check_note(note):
    try:
        start, duration, pitch = note
        finite = math.isfinite(start) and math.isfinite(duration)
    except (TypeError, ValueError) as error:
        raise InputError(f"{note!r} is not a note: give (start in s, duration in s, MIDI pitch)") from error
    if not finite or not 1 <= pitch <= 127:
        raise InputError(f"the note {note!r} cannot be played: give finite times and a MIDI pitch from 1 to 127")
    return start, duration, pitch
