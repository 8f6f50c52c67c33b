"""Step 2 of preparing recordings: cut into segments, and mel power of these; any worker can do a chunk alone.

A chunk leaves two files: `<stem>.f4`, the mel power of its sequences before normalisation, one after the other, and
`<stem>.json`, what was measured. Normalisation is a factor on power, so a recording is read once, before it is known.
"""

import dataclasses
import json
import math

import numpy as np

from tsdsae_keras.data.audio.leveling import METHODS, TOGETHER, Meter, levels
from tsdsae_keras.data.audio.logmel import FrontEnd
from tsdsae_keras.data.audio.sound_files import SILENT
from tsdsae_keras.data.prepared.files import json_bytes
from tsdsae_keras.data.sets.recordings.sound_file import read_blocks
from tsdsae_keras.errors import InputError
from tsdsae_keras.files import replacing, write_bytes

LONGEST = 600.0  # seconds of a sequence


@dataclasses.dataclass(frozen=True)
class SoundSettings:
    """How recordings become sequences.

    Args:
        segment: seconds of a sequence; 0 takes whole files, of unequal length.
        hop: seconds from one segment to the next of a file; None is `segment`, side by side.
        min_level: dB below full scale; segments of a lower level are left out. It is the root of the mean square about
            the mean, before normalisation: -50 leaves out pauses of a recording made at a usual level.
        min_pitch_confidence: 0 to 1; segments of a lower one are left out, and 0 keeps all.
        normalise: "peak", "loudness" or "none"; see `leveling.gain`.
        normalise_by: "file" or "group": which recordings share a factor.
        seed: of the splits.
        front_end: samples to frames.

    Raises:
        InputError: an invalid value.
    """

    segment: float = 4.0
    hop: float | None = None
    min_level: float = -50.0
    min_pitch_confidence: float = 0.0
    normalise: str = "peak"
    normalise_by: str = "file"
    seed: int = 0
    front_end: FrontEnd = dataclasses.field(default_factory=FrontEnd)

    def __post_init__(self):
        least = (self.front_end.n_fft // 2 + 1) / self.front_end.sample_rate
        if not (self.segment == 0 or least <= self.segment <= LONGEST):
            raise InputError(f"segment is {self.segment!r}; it must be 0 (whole files) or {least:.3g} to {LONGEST:g} s")
        for name, least, most in (("hop", 0.01, 1e6), ("min_level", -200, 0), ("min_pitch_confidence", 0, 1)):
            value = getattr(self, name)
            if value is not None and not least <= value <= most:
                raise InputError(f"{name} is {value!r}; it must lie between {least:g} and {most:g}")
        if self.normalise not in METHODS or self.normalise_by not in TOGETHER:
            given = f"{self.normalise!r} by {self.normalise_by!r}"
            raise InputError(f"normalise is {given}; choose {' or '.join(METHODS)}, by {' or '.join(TOGETHER)}")
        if isinstance(self.seed, bool) or not isinstance(self.seed, int) or self.seed < 0:
            raise InputError(f"seed is {self.seed!r}; it must be an integer of at least 0")

    @property
    def length(self):
        """Samples of a segment; 0: whole files."""
        return round(self.segment * self.front_end.sample_rate)

    @property
    def step(self):
        """Samples from one segment to the next."""
        return round((self.segment if self.hop is None else self.hop) * self.front_end.sample_rate)

    def settings(self):
        """What decides the data, as plain values, without the front end."""
        plain = {name: value for name, value in dataclasses.asdict(self).items() if name != "front_end"}
        return plain | {"hop": self.segment if self.hop is None else self.hop}


def measure_chunk(recordings, settings, confidence, stem):
    """Cuts some `SoundFile`s; writes the two files of the chunk, `stem` with suffixes; returns what the .json says.

    Returns:
        A list of dictionaries, one a recording: `fault` (the reason why it is left out, or None), `samples`, `peak`,
        `powers` (for loudness), `loudest` (mel power of what is kept), `sequences` ([start, frames] each) and `skipped`
        ([start, reason] each).
    """
    with replacing(stem.with_suffix(".f4")) as temporary, temporary.open("wb") as file:
        measured = [_measure(recording, settings, confidence, file) for recording in recordings]
    write_bytes(stem.with_suffix(".json"), json_bytes(measured))
    return measured


def read_measured(stem, n_mels):
    """What `measure_chunk` returned in an earlier run, or None where its files are not whole."""
    try:
        measured = json.loads(stem.with_suffix(".json").read_bytes())
        frames = sum(frames for each in measured for _, frames in each["sequences"])
        whole = stem.with_suffix(".f4").stat().st_size == 4 * n_mels * frames
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return measured if whole else None


def cut(blocks, length, step):
    """Cuts a stream of float32 blocks (n,) into segments of `length` samples, one every `step` samples.

    Yields:
        (start, samples (length,)) and at the end, where samples are left that no segment holds, (start, the rest).
    """
    held, place, start, covered = np.zeros(0, np.float32), 0, 0, 0
    waiting, count = [], 0
    for block in blocks:
        waiting.append(block)
        count += len(block)
        if place + len(held) + count < start + length:
            continue
        held, waiting, count = np.concatenate([held, *waiting]), [], 0
        while start + length <= place + len(held):
            yield start, held[start - place : start - place + length]
            start, covered = start + step, start + length
        dropped = min(max(0, start - place), len(held))
        held, place = held[dropped:], place + dropped
    held = np.concatenate([held, *waiting])
    rest = max(start, covered) - place
    if rest < len(held):
        yield place + rest, held[rest:]


def _measure(recording, settings, confidence, file):
    """One recording; its mel power is appended to the file, or nothing is."""
    begin = file.tell()
    try:
        return _measure_sound(recording, settings, confidence, file)
    except (InputError, OSError) as error:
        file.seek(begin)
        file.truncate()
        reason = str(error) if isinstance(error, InputError) else f"cannot be read ({error.strerror or error})"
        return {"fault": reason.removeprefix(f"{recording.path} "), "sequences": [], "skipped": []}


def _measure_sound(recording, settings, confidence, file):
    blocks = _MeteredBlocks(recording, settings)
    kept, skipped, loudest = [], [], 0.0
    for start, samples in _sequences(blocks, settings):
        reason = _reason_to_skip(samples, start, recording, settings, confidence)
        if reason:
            skipped.append([start, reason])
            continue
        power = settings.front_end.mel_power(samples)
        file.write(power.tobytes())
        kept.append([start, len(power)])
        loudest = max(loudest, float(power.max()))
    blocks.check()
    found = {"fault": None, "samples": blocks.samples, "peak": blocks.meter.peak, "powers": blocks.meter.powers}
    return found | {"loudest": loudest, "sequences": kept, "skipped": skipped}


class _MeteredBlocks:
    """The blocks of a recording, measured as they pass."""

    def __init__(self, recording, settings):
        self._recording, self._settings = recording, settings
        self.meter = Meter(settings.front_end.sample_rate, settings.normalise == "loudness")
        self.samples, self._ranges = 0, []

    def __iter__(self):
        for block in read_blocks(self._recording, self._settings.front_end.sample_rate):
            self.samples += len(block)
            self.meter.add(block)
            self._measure_ranges(block)
            yield block

    def check(self):
        """InputError if the recording is silent or too short."""
        rate, settings = self._settings.front_end.sample_rate, self._settings
        least = settings.length or settings.front_end.n_fft // 2 + 1
        if self.samples < least:
            needed = f"a segment of {settings.segment:g} s" if settings.length else f"{least / rate:.3g} s"
            raise InputError(f"lasts {self.samples / rate:.3g} s, shorter than {needed}")
        # A constant rings where it begins and ends, once it is resampled.
        if max(self._ranges[1:-2] or self._ranges) < SILENT:
            silent = self.meter.peak < SILENT
            what = "silent: no sample is above" if silent else "a constant (DC), no sound: nothing else is above"
            raise InputError(f"{what} {20 * math.log10(SILENT):.0f} dB")

    def _measure_ranges(self, block):
        """Half the range of every tenth of a second, or of what a block leaves of it."""
        tenth = max(1, self._settings.front_end.sample_rate // 10)
        whole = len(block) // tenth * tenth
        for parts in (block[:whole].reshape(-1, tenth), block[None, whole:]):
            if parts.size:
                self._ranges.extend(((parts.max(axis=1) - parts.min(axis=1)) / 2).tolist())


def _sequences(blocks, settings):
    """(start, samples) of what may be kept, and of a rest that is too short."""
    if settings.length:
        yield from cut(blocks, settings.length, settings.step)
        return
    most = round(LONGEST * settings.front_end.sample_rate)
    parts = []
    for block in blocks:
        parts.append(block)
        if blocks.samples > most:
            raise InputError(f"lasts more than {LONGEST:g} s, the limit for a whole file; split it or give --segment")
    if blocks.samples > settings.front_end.n_fft // 2:
        yield 0, np.concatenate(parts)


def _reason_to_skip(samples, start, recording, settings, confidence):
    """Why a segment is left out, or None."""
    rate = settings.front_end.sample_rate
    if len(samples) < settings.length:
        return f"a rest of {len(samples) / rate:.3f} s, shorter than a segment"
    found = levels(samples[None])[0]
    if found < settings.min_level:
        return f"its level of {found:.1f} dB is below {settings.min_level:g} dB"
    if settings.min_pitch_confidence > 0:
        found = confidence(samples, rate, recording, start)
        if not math.isfinite(found) or found < settings.min_pitch_confidence:
            return f"its pitch confidence of {found:.2f} is below {settings.min_pitch_confidence:g}"
    return None
