"""Step 3 of preparing recordings: which segments are kept, and by which factor each recording is normalised."""

from pathlib import Path
from typing import NamedTuple

from tsdsae_keras.data.audio.leveling import gain
from tsdsae_keras.data.sets.recordings.skipped import Skipped
from tsdsae_keras.data.sets.recordings.sound_file import SoundFile


class ChosenSequence(NamedTuple):
    """A kept sequence: its recording, the sample it begins at, its frames, its gain, and where its mel power is.

    `peak` is the loudest mel power of the whole recording, before the gain.
    """

    recording: SoundFile
    start: int
    frames: int
    gain: float
    peak: float
    file: Path
    place: int  # bytes


def choose_sequences(chunks, stems, measured, settings):
    """All sequences that are kept, by recording and start, and what is `Skipped`."""
    rate, n_mels = settings.front_end.sample_rate, settings.front_end.n_mels
    gains = _gains(chunks, measured, settings)
    kept, skipped = [], []
    for chunk, stem, measures in zip(chunks, stems, measured, strict=True):
        place = 0
        for each, one in zip(chunk, measures, strict=True):
            name = each.recording.name
            if one["fault"]:
                skipped.append(Skipped(name, None, one["fault"]))
            skipped += [Skipped(name, start / rate, reason) for start, reason in one["skipped"]]
            for start, frames in one["sequences"]:
                factor = gains[_level_group(each.recording, settings)]
                peak = one.get("loudest", 0.0)  # was not measured before there was a floor
                kept.append(ChosenSequence(each.recording, start, frames, factor, peak, stem.with_suffix(".f4"), place))
                place += 4 * n_mels * frames
    return kept, skipped


def _gains(chunks, measured, settings):
    """The factor of each recording or loudness group."""
    peaks, powers = {}, {}
    for chunk, measures in zip(chunks, measured, strict=True):
        for each, one in zip(chunk, measures, strict=True):
            if not one["fault"]:
                group = _level_group(each.recording, settings)
                peaks.setdefault(group, []).append(one["peak"])
                powers.setdefault(group, []).append(one["powers"])
    return {group: gain(settings.normalise, peaks[group], powers[group]) for group in peaks}


def _level_group(recording, settings):
    return recording.loudness_group if settings.normalise_by == "group" else recording.name
