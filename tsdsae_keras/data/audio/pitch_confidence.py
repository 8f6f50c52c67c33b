"""How certain it is that a segment has a pitch: this decides which segments of a recording are kept."""

import functools

import numpy as np

from tsdsae_keras.errors import InputError
from tsdsae_keras.metrics.pitch import PyinTracker

RATE = 16000  # of trackers
# Any instrument, in coarse steps of time: other values than for melodies. The last two are librosa's defaults.
PYIN = PyinTracker(50.0, 2000.0, frame_length=2048, hop_length=512, resolution=0.1, max_transition_rate=35.92)
_EDGE = 0.046  # seconds at the ends of a recording for which an F0 file need not speak


def confidence(samples, rate, recording, start, tracker=None):
    """The pitch confidence of a segment, 0 (none) to 1 (sure).

    Of the first of these that there is: the mean confidence of `tracker`; the share of voiced frames in the recording's
    F0 file; the mean voiced probability of pYIN (`librosa.pyin`, 50 to 2000 Hz, frames of 128 ms every 32 ms). The
    three are of one range and direction, not of one scale, so a threshold belongs to one of them: 0.85 in the
    published study is CREPE's. None of them says whether a pitch is right, or the only one; pYIN hears a pitch also in
    hum, and the F0 file tells nothing of sound quality. Digital silence has 0.

    Args:
        samples: (n,) mono samples of the segment.
        rate: their rate, Hz.
        recording: a `SoundFile`; its `pitch` is the F0 file or None.
        start: the segment's first sample in the recording, at that rate.
        tracker: an object whose ``follow(samples, 16000)`` gives hz and confidence, each (T,), such as `CrepeTracker`.

    Raises:
        InputError: an F0 file that cannot be read.

    Source of pYIN: Mauch, Dixon, ICASSP 2014.
    """
    if not np.any(samples):
        return 0.0
    if tracker is not None:
        return float(np.mean(tracker.follow(_resample(samples, rate), RATE)[1]))
    if recording.pitch is not None:
        return voiced_share(recording.pitch, start / rate, (start + len(samples)) / rate)
    samples = _resample(samples, rate)
    least = PYIN.frame_length // 2
    return float(np.mean(PYIN.follow(np.pad(samples, (0, max(0, least - len(samples)))), RATE)[1]))


def voiced_share(path, begin, end):
    """The share of voiced frames of an F0 file between two times in seconds, 0 to 1.

    voiced / max(frames there, frames that should be there): frames that the file lacks, but for 46 ms, are unvoiced.

    Args:
        path: a text of lines "time f0" (seconds, Hz; 0 is unvoiced), at equal distances, as URMP's.
        begin, end: seconds.

    Raises:
        InputError: no such file, or not of that form.
    """
    status = _status(path)
    times, voiced = _read(path, status)
    hop = float(np.median(np.diff(times)))
    first, last = np.searchsorted(times, (begin, end))
    expected = int((end - begin - _EDGE) / hop)
    return float(voiced[first:last].sum() / max(last - first, expected, 1))


def _status(path):
    try:
        status = path.stat()
    except OSError as error:
        raise InputError(f"F0 file {path} cannot be read ({error.strerror})") from error
    return status.st_size, status.st_mtime_ns


@functools.lru_cache(maxsize=16)
def _read(path, status):
    """Times and whether each is voiced; read once for all segments of a recording."""
    try:
        lines = path.read_text(encoding="ascii").split("\n")
        table = np.array([line.split()[:2] for line in lines if line.strip()], "float64", ndmin=2)
    except (OSError, ValueError) as error:
        raise InputError(f"F0 file {path} holds no numbers ({str(error).splitlines()[0]})") from error
    if table.shape[0] < 2 or table.shape[1] < 2 or not np.isfinite(table[:, :2]).all():
        raise InputError(f"F0 file {path} holds a table {table.shape}; give lines of two numbers, time and f0")
    if not (np.diff(table[:, 0]) > 0).all():
        raise InputError(f"F0 file {path} has times that do not rise; give them in seconds, in order")
    return table[:, 0], table[:, 1] > 0


def _resample(samples, rate):
    if rate == RATE:
        return samples
    import soxr

    return soxr.resample(samples, rate, RATE)
