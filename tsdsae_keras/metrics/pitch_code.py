"""How well one number of a code is pitch: linear in semitones, on sounds and on what is decoded from it.

Pitches are MIDI numbers, fractions allowed. R2 is the squared correlation: it does not see scale or sign of the code,
and with few points one slip of a pitch tracker by an octave decides it, so slips are counted and reported apart. A
code that has collapsed can have any R2: report its deviation too. (Liu et al., NeurIPS 2023, arXiv 2302.10890.)
"""

import numpy as np

from tsdsae_keras.errors import InputError

OCTAVE, NEAR = 12.0, 3.0  # semitones; a slip is this near to a whole number of octaves
YIN_RANGE = 65.0, 1600.0  # Hz
YIN_THRESHOLD = 0.1
COLLAPSED = 1e-9


def squared_correlation(code, pitch):
    """R2 of two rows (n,) of numbers; 0 where one of them does not vary.

    Raises:
        InputError: they differ in length, are fewer than three, or not finite.
    """
    code, pitch = _check_rows(code, pitch)
    code, pitch = code - code.mean(), pitch - pitch.mean()
    scale = (code @ code) * (pitch @ pitch)
    return float((code @ pitch) ** 2 / scale) if scale > COLLAPSED**2 else 0.0


def pitch_line(code, pitch):
    """How near pitches lie to a line over a code, with and without octave slips.

    A slip is a point that lies a whole number of octaves, within three semitones, off the Theil-Sen line, which a
    minority of points cannot move.

    Args:
        code: (n,).
        pitch: (n,), what a tracker found.

    Returns:
        A dict: "r2" of all points, as published; "kept" (n,), which are no slips; "slips", how many are;
        "r2_without_slips"; "cents", see `line_deviation`, of the other points; "slope" and "offset" of their
        least-squares line, semitones for a step of 1 of the code and at code 0.
    """
    from scipy.stats import theilslopes

    code, pitch = _check_rows(code, pitch)
    if np.std(code) < COLLAPSED:
        nothing = {"r2": 0.0, "slips": 0, "r2_without_slips": 0.0, "slope": 0.0, "offset": float(pitch.mean())}
        return nothing | {"cents": line_deviation(code, pitch), "kept": np.ones(len(code), bool)}
    slope, offset = theilslopes(pitch, code)[:2]
    kept = ~octave_slips(pitch - offset - slope * code)
    if kept.sum() < 3:
        kept = np.ones_like(kept)
    slope, offset = np.polyfit(code[kept], pitch[kept], 1)
    return {
        "r2": squared_correlation(code, pitch),
        "kept": kept,
        "slips": int((~kept).sum()),
        "r2_without_slips": squared_correlation(code[kept], pitch[kept]),
        "cents": line_deviation(code[kept], pitch[kept]),
        "slope": float(slope),
        "offset": float(offset),
    }


def line_deviation(code, pitch):
    """The root mean square deviation of pitches from their least-squares line over a code, cents."""
    moves = np.std(code) >= COLLAPSED
    line = np.polyfit(code, pitch, 1) if moves else [np.mean(pitch)]
    return float(100 * np.sqrt(np.mean((pitch - np.polyval(line, code)) ** 2)))


def interval_deviation(pitch, steps):
    """How well melodies keep their intervals, whatever their key.

    Args:
        pitch: (melodies, notes), what a tracker found.
        steps: (notes,) semitones of the true melody.

    Returns:
        A dict: "cents", root mean square deviation of the intervals from the first note, octave slips left out;
        "slips", their share; "octaves", the interval (melodies,) from the first note to the highest.
    """
    pitch, steps = np.asarray(pitch, "float64"), np.asarray(steps, "float64")
    if pitch.ndim != 2 or steps.shape != pitch.shape[1:]:
        raise InputError(f"pitch has shape {pitch.shape} and steps {steps.shape}; give (melodies, notes) and (notes,)")
    intervals = pitch - pitch[:, :1]
    deviation = intervals - (steps - steps[0])
    # A slip of the first note would move all intervals of its melody: they are taken from the median's place.
    centred = deviation - np.median(deviation, axis=1, keepdims=True)
    slips = octave_slips(centred)
    kept = np.where(slips, np.nan, centred)
    first = np.where(np.isnan(kept[:, :1]), 0.0, kept[:, :1])
    rest = (kept - first)[:, 1:]
    found = rest[~np.isnan(rest)]
    return {
        "cents": float(100 * np.sqrt(np.mean(found**2))) if found.size else float("nan"),
        "slips": float(slips.mean()),
        "octaves": intervals[:, int(np.argmax(steps))],
    }


def octave_slips(deviation):
    """Which deviations, in semitones, are those of a tracker that took another octave."""
    octaves = np.round(deviation / OCTAVE)
    return (octaves != 0) & (np.abs(deviation - OCTAVE * octaves) <= NEAR)


def yin_pitch(samples, sample_rate=16000):
    """The pitch of one note of 2,048 samples, or of each in (n, 2048), by YIN: MIDI numbers.

    Window 1,024, 65 to 1,600 Hz, threshold 0.1, parabolic refinement; the global minimum where none is below. YIN
    gives a pitch for whatever it gets, noise and silence too.
    """
    from librosa import yin

    samples = np.asarray(samples, "float32")
    page = samples.shape[-1]
    low, high = YIN_RANGE
    hz = yin(
        samples,
        fmin=low,
        fmax=high,
        sr=sample_rate,
        frame_length=page,
        hop_length=page,
        trough_threshold=YIN_THRESHOLD,
        center=False,
    )[..., 0]
    return 12 * np.log2(hz / 440) + 69


def _check_rows(code, pitch):
    code, pitch = np.asarray(code, "float64"), np.asarray(pitch, "float64")
    if code.ndim != 1 or code.shape != pitch.shape or len(code) < 3:
        raise InputError(f"code has shape {code.shape} and pitch {pitch.shape}; give three or more of each, (n,)")
    if not (np.isfinite(code).all() and np.isfinite(pitch).all()):
        raise InputError("code or pitch holds values that are not finite")
    return code, pitch
