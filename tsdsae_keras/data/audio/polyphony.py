"""Whether a sound holds several notes at once, which a code of one pitch cannot follow.

Octaves, and fifths in just intonation, share so many partials that they pass for one note: they are missed on purpose,
since a single note that is refused is the worse error.
"""

import logging

import numpy as np

from tsdsae_keras.errors import InputError

log = logging.getLogger(__name__)

RATE, WINDOW, PADDED = 16000, 4096, 8192  # windows of 0.256 s
MOST_WINDOWS = 200  # of a sound, spread over it
HZ = 50.0, 4000.0  # of partials
LOWEST, HIGHEST = 50.0, 1600.0  # Hz, of fundamentals
FLOOR = 30.0  # dB below the strongest partial, where partials end
PROMINENCE = 12.0  # dB by which a partial stands out from its surroundings; noise does by 10 at most
SECOND = 20.0  # dB below the strongest partial, where the fundamental of a second note ends
TOLERANCE = 0.045  # of a frequency: three quarters of a semitone, wider than most vibrato
SHARED = 6  # harmonics that decide
HALF = 0.75  # what a fundamental that is not there itself is worth: of a fifth it would explain both notes
STEADY = 6.0  # dB by which a note may change within a window; one that begins or ends there changes by far more
QUIET = 30.0  # dB below the loudest window, where windows are left out
FEWEST = 3  # windows, below which nothing can be said
REFUSED, DOUBTED = 0.6, 0.3  # shares of windows; see docs/sps.md for what was measured


def check_single_voice(samples, name):
    """InputError where a sound clearly holds several notes at once; a warning where it may.

    Args:
        samples: (n,) at 16 kHz.
        name: of the sound, for the line.
    """
    share = polyphonic_share(samples)
    if share >= REFUSED:
        raise InputError(
            f"{name} is polyphonic: {share:.0%} of it holds several notes at once; give a recording of a single voice"
        )
    if share >= DOUBTED:
        log.warning(f"warning: {name} may be polyphonic ({share:.0%} of it); pitch is only followed in a single voice")


def polyphonic_share(samples):
    """The share of windows in which a second note sounds steadily besides the strongest, 0 to 1.

    Of the windows in which something with a pitch sounds; 0 where they are too few, as in a sound below half a second.
    Notes that follow each other within a window, reverberation and vibrato do not count.

    Args:
        samples: (n,) at 16 kHz.
    """
    if len(samples) < WINDOW:
        return 0.0
    windows = _windows(np.asarray(samples, "float64"))
    level = 10 * np.log10(np.mean(windows**2, axis=1) + 1e-20)
    found = [has_two_notes(each) for each in windows[level > level.max() - QUIET]]
    known = [each for each in found if each is not None]
    return float(np.mean(known)) if len(known) >= FEWEST else 0.0


def has_two_notes(window):
    """Whether a window (4096,) of samples holds two notes from its beginning to its end; None where it has no pitch."""
    hz, level = partials(window)
    if not len(hz):
        return None
    first = strongest_fundamental(hz, level)
    if first is None:
        return None
    rest = ~is_harmonic(hz, first)
    loud = rest & (level > level.max() - SECOND) & (hz > LOWEST) & (hz < HIGHEST)
    for second in hz[loud]:
        low = np.round(hz / second) <= SHARED
        # Its first three harmonics and more, and at least three partials that the first note does not explain.
        if (rest & low & is_harmonic(hz, second)).sum() >= 3 and _is_steady(window, (first, second)):
            return True
    return False


def partials(window):
    """Frequencies (Hz) and levels (dB) of the partials of a window: peaks that stand out from what surrounds them."""
    from scipy.ndimage import maximum_filter1d, uniform_filter1d

    level, step = _spectrum(window), RATE / PADDED
    # Wider than the main lobe of the window, so that a partial is one peak.
    reach = 3 * PADDED // WINDOW
    peak = (level == maximum_filter1d(level, 2 * reach + 1)) & (level > level.max() - FLOOR)
    peak &= level > uniform_filter1d(level, int(200 / step)) + PROMINENCE
    bins = np.flatnonzero(peak)
    bins = bins[(bins * step > HZ[0]) & (bins * step < HZ[1])]
    below, at, above = (level[bins + shift] for shift in (-1, 0, 1))
    offset = 0.5 * (below - above) / np.minimum(below - 2 * at + above, -1e-9)  # the vertex of a parabola
    return (bins + offset) * step, at


def strongest_fundamental(hz, level):
    """The fundamental whose harmonics explain most of some partials, Hz; None where there is none.

    It is a partial itself, or the half of one that is followed by its third harmonic: a chord as a whole has a common
    fundamental too, far below, of which the first harmonics are missing.
    """
    weight, best, found = level - level.max() + FLOOR, 0.0, None
    halves = [each / 2 for each in hz if np.any(np.abs(hz / (each / 2) - 3) < 3 * TOLERANCE)]
    for candidate in (*hz, *halves):
        if not LOWEST <= candidate <= HIGHEST:
            continue
        explained = is_harmonic(hz, candidate)
        number = np.unique(np.round(hz[explained] / candidate))
        expected = min(SHARED, int(hz.max() / candidate + TOLERANCE))
        share = (number <= expected).sum() / max(expected, 1)
        score = weight[explained].sum() * np.sqrt(share) * (HALF if candidate in halves else 1.0)
        if score > best:
            best, found = score, candidate
    return found


def is_harmonic(hz, fundamental):
    """Which frequencies are harmonics of a fundamental: within three quarters of a semitone, and a quarter of it."""
    ratio = hz / fundamental
    number = np.maximum(np.round(ratio), 1)
    return np.abs(ratio - number) <= np.minimum(TOLERANCE * number, 0.25)


def _is_steady(window, fundamentals):
    """Whether notes sound alike in both halves of a window."""
    half = len(window) // 2
    levels = [_spectrum(part) for part in (window[:half], window[half : 2 * half])]
    for hz in fundamentals:
        places = np.arange(PADDED // 2 + 1) * RATE / PADDED
        near = np.abs(places - hz) <= max(TOLERANCE * hz, RATE / PADDED)
        before, after = (level[near].max() for level in levels)
        if abs(before - after) > STEADY:
            return False
    return True


def _spectrum(window):
    """Levels in dB, (4097,), under Blackman's window, whose side lobes (58 dB) are below what counts as a partial."""
    power = np.abs(np.fft.rfft(window * np.blackman(len(window)), PADDED)) ** 2
    return 10 * np.log10(power + 1e-20)


def _windows(samples):
    """Windows (n, 4096) that overlap by half, `MOST_WINDOWS` at most."""
    windows = np.lib.stride_tricks.sliding_window_view(samples, WINDOW)[:: WINDOW // 2]
    return windows[np.unique(np.linspace(0, len(windows) - 1, min(len(windows), MOST_WINDOWS)).astype(int))]
