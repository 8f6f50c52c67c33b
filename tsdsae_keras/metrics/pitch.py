"""Melody: how much of it a sound keeps, by a pitch tracker and the melody scores of mir_eval.

A pitch track has one value a frame, frame t centred on second t * hop / sample rate: hz (T,), 0 where no pitch was
found, and voiced (T,), false where the tracker takes its pitch for a guess. A reference is one hz array, 0 where
there is no melody: from notes (`hz_of_notes`), or from the track of the original (`voiced_hz`).

A tracker makes errors, and sound made from log-mel lowers every score: compare a score with that
of the same tracker on the original resynthesised from its own log-mel. Notes say when a key goes down, not when the
tone speaks: under a slow attack the note before still sounds, and no tracker can score 1 on it.
"""

import math
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from tsdsae_keras.errors import InputError

STEP = 256 / 16000


class Tracker(Protocol):
    """Any callable like this, `PyinTracker` and `interop.crepe.CrepeTracker` among them.

    Attributes:
        name: what reports call it.
        parallel: true where it may be copied to other processes; taken for false where it is missing.
    """

    name: str
    parallel: bool

    def __call__(self, samples, sample_rate):
        """hz (T,) and voiced (T,) of mono samples (n,)."""


@dataclass(frozen=True)
class PyinTracker:
    """Probabilistic YIN with a Viterbi path, as librosa has it.

    Its grid is 0.2 semitones, so a pitch is up to 10 cents off, and from one frame to the next it may move 9.6
    semitones at the default hop, where librosa's own defaults allow 3.5 and lose notes. Where it is unvoiced it gives
    its guess; where a frame shows no period, as in digital silence, 0 Hz.

    It cannot see pitches beyond `fmin` and `fmax` (it takes them for others), nor more than one tone at a time. After
    a leap beyond those 9.6 semitones between clean tones it may stay in a wrong octave, which `rca` forgives.

    Args:
        fmin, fmax: lowest and highest pitch, Hz.
        frame_length: samples it looks at; two periods of `fmin` must fit into half of them.
        hop_length: samples from frame to frame.
        resolution: of the grid, semitones.
        max_transition_rate: octaves a second, half of it up and half of it down; cut to the range of the pitches.

    Raises:
        InputError: an argument is invalid; when called, samples that cannot be tracked.

    Source: Mauch, Dixon, pYIN, ICASSP 2014.
    """

    fmin: float = 190.0
    fmax: float = 1100.0
    frame_length: int = 1024
    hop_length: int = 256
    resolution: float = 0.2
    max_transition_rate: float = 100.0
    parallel = True
    no_trough = 0.01

    def __post_init__(self):
        if not 0 < self.fmin < self.fmax < math.inf:
            raise InputError(f"pitch range is {self.fmin:g} to {self.fmax:g} Hz; it should be 0 < fmin < fmax")
        for name in ("frame_length", "hop_length", "resolution", "max_transition_rate"):
            if not 0 < getattr(self, name) < math.inf:
                raise InputError(f"{name} is {getattr(self, name)!r}; it should be greater than 0")

    @classmethod
    def for_notes(cls, notes, **options):
        """A tracker whose range is widened, where it must be, to two semitones beyond the MIDI numbers `notes`."""
        hz = hz_of_notes(notes)
        sounding, margin = hz[hz > 0], 2 ** (2 / 12)
        given = cls(**options)
        if not sounding.size:
            return given
        reach = min(given.fmin, sounding.min() / margin), max(given.fmax, sounding.max() * margin)
        return cls(**options | dict(zip(("fmin", "fmax"), map(float, reach), strict=True)))

    @property
    def name(self):
        return f"pYIN, {self.fmin:.0f} to {self.fmax:.0f} Hz"

    def __call__(self, samples, sample_rate):
        hz, voiced, probability = self._track(samples, sample_rate)
        # Its path goes somewhere also where it saw nothing: to the bottom of the range.
        return np.where(probability > 1.001 * self.no_trough, hz, 0.0), voiced

    def prepare(self, sample_rate):
        """Lets librosa compile what it compiles when first used, and store it.

        Processes that all do so at once can load halves of each other's results, and then crash.
        """
        self._track(np.zeros(2 * self.frame_length, np.float32), sample_rate)

    def follow(self, samples, sample_rate):
        """hz (T,) and the probability (T,), 0 to 1, that a frame is voiced, of mono samples (n,)."""
        hz, _, probability = self._track(samples, sample_rate)
        return hz, probability

    def _track(self, samples, sample_rate):
        from librosa import pyin

        samples = _check_samples(samples)
        self._check_rate(sample_rate)
        return pyin(
            samples,
            fmin=self.fmin,
            fmax=self.fmax,
            sr=sample_rate,
            frame_length=self.frame_length,
            hop_length=self.hop_length,
            resolution=self.resolution,
            max_transition_rate=self._rate(sample_rate),
            no_trough_prob=self.no_trough,
            fill_na=None,
        )

    def _rate(self, sample_rate):
        """The transition rate, or what takes the range in one frame: librosa refuses more."""
        semitones = int(12 * math.log2(self.fmax / self.fmin))
        return min(self.max_transition_rate, semitones * sample_rate / (12 * self.hop_length))

    def _check_rate(self, sample_rate):
        lowest, highest = 2 * sample_rate / (self.frame_length - 2), sample_rate / 2
        if not (lowest <= self.fmin and self.fmax <= highest):
            raise InputError(
                f"pitch range is {self.fmin:g} to {self.fmax:g} Hz; at {sample_rate} samples a second and frames of "
                f"{self.frame_length} it should lie within {lowest:.3g} to {highest:g} Hz"
            )


def hz_of_notes(notes):
    """440 * 2^((note - 69) / 12), and 0 for a rest.

    Args:
        notes: MIDI note numbers, any shape, fractions allowed; 0 is a rest.

    Raises:
        InputError: a value is not a MIDI number.
    """
    notes = np.asarray(notes, dtype="float64")
    wrong = notes[~((notes >= 0) & (notes <= 127))]
    if wrong.size:
        raise InputError(f"notes hold {wrong[0]:g}; they should be MIDI note numbers, 1 to 127, or 0 for a rest")
    return np.where(notes > 0, 440.0 * 2.0 ** ((notes - 69.0) / 12.0), 0.0)


def voiced_hz(hz, voiced):
    """A track as a reference: its pitch where voiced, 0 elsewhere."""
    return np.where(voiced, hz, 0.0)


def melody_accuracy(reference_hz, estimated_hz, *, reference_step=STEP, estimated_step=STEP, tolerance=50.0):
    """Raw pitch accuracy (`rpa`) and raw chroma accuracy (`rca`) of one clip, each 0 to 1, higher is better.

        rpa = frames with a melody whose estimate is less than `tolerance` cents off / frames with a melody
        rca = the same, octave errors forgiven

    As mir_eval counts: a guess counts also where the tracker took its frame for unvoiced, an estimate of 0 Hz is
    wrong. What is played in the rests of the reference is not seen, nor is timbre or anything but pitch; chance scores
    about 1/12 of `rca`.

    Every frame of the reference meets the estimate's frame nearest in time; beyond the estimate's end it is wrong.
    Nothing is interpolated, as between two notes lies a third.

    Args:
        reference_hz: (T,), 0 where there is no melody.
        estimated_hz: (any,), 0 where no pitch was found.
        reference_step, estimated_step: seconds from frame to frame of each.
        tolerance: cents.

    Returns:
        {"rpa", "rca"}; None where the reference has no melody at all.

    Raises:
        InputError: a track is not one row of finite values from 0 upwards.

    Source: Poliner et al., Melody Transcription from Music Audio, IEEE TASLP 2007, as in mir_eval.melody.
    """
    from mir_eval import melody

    reference = _check_track("reference_hz", reference_hz)
    estimate = _nearest(_check_track("estimated_hz", estimated_hz), len(reference), reference_step / estimated_step)
    if not reference.any():
        return None
    if not estimate.any():  # mir_eval would warn
        return {"rpa": 0.0, "rca": 0.0}
    scores = {"rpa": melody.raw_pitch_accuracy, "rca": melody.raw_chroma_accuracy}
    tracks = [part for hz in (reference, estimate) for part in ((hz > 0).astype(float), melody.hz2cents(hz))]
    return {name: float(score(*tracks, cent_tolerance=tolerance)) for name, score in scores.items()}


def _nearest(track, frames, ratio):
    """`frames` values of a track whose step is 1 / ratio of theirs, 0 beyond its end."""
    place = np.rint(np.arange(frames) * ratio).astype(int)
    return np.append(track, 0.0)[np.minimum(place, len(track))]


def _check_track(name, hz):
    hz = np.asarray(hz, dtype="float64")
    if hz.ndim != 1:
        raise InputError(f"{name} has shape {hz.shape}; it should be (frames,)")
    if not (np.isfinite(hz) & (hz >= 0)).all():
        raise InputError(f"{name} holds negative or non-finite values; it should be Hz, and 0 where there is no pitch")
    return hz


def _check_samples(samples):
    samples = np.asarray(samples, dtype="float32")
    if samples.ndim != 1 or not samples.size:
        raise InputError(f"samples have shape {samples.shape}; a pitch tracker takes one channel, (n,), n of 1 or more")
    if not np.isfinite(samples).all():
        raise InputError("samples hold values that are not finite; a pitch tracker takes sound without NaN or infinity")
    return samples
