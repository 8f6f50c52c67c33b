"""Sequences made to sound: the pitch of what a model makes, and what a vocoder leaves of real sound.

A prepared folder keeps log-mel frames, not sound. So an original here is the real frames resynthesised, by the same
vocoder as everything else: its score tells what the vocoder and the pitch tracker allow.
"""

from itertools import chain, islice

import numpy as np
from joblib import Parallel, cpu_count, delayed

from tsdsae_keras.data.audio.inversion import PHASE_ITERATIONS, UPDATES, sound_of
from tsdsae_keras.errors import InputError
from tsdsae_keras.families.tsdsae.evaluation.measures import with_interval
from tsdsae_keras.families.tsdsae.evaluation.posteriors import decode_batch
from tsdsae_keras.metrics.batching import batch_slices, take_rows
from tsdsae_keras.metrics.pitch import hz_of_notes, melody_accuracy, voiced_hz
from tsdsae_keras.progress import Progress

BLOCK = 32  # sounds held at a time
CLIPS_A_PROCESS = 8  # a process takes seconds to start
VOCODER = f"magnitudes by KL factorisation ({UPDATES} updates), phases by Griffin-Lim ({PHASE_ITERATIONS} iterations)"
LISTENED = 1024  # frames of a sequence that sound at most: trackers take longer than the sound lasts
MADE = ("reconstruction", "global", "local")
ACCURACIES = ("rpa", "rca")


class Resynthesizer:
    """Log-mel sequences to sound and pitch, in several processes where there is work for them.

    Args:
        front_end: the `FrontEnd` of the sequences.
        tracker: a `metrics.pitch.Tracker`, or None where no pitch is wanted.
        jobs: processes; None for one a core. Their number changes nothing in the result.
    """

    def __init__(self, front_end, tracker=None, jobs=None):
        self.front_end, self.tracker, self.jobs = front_end, tracker, jobs

    def resynthesize(self, sequences, total):
        """Yields (samples, hz, voiced) of each of `total` sequences (time, bands), in order; at most `BLOCK` at once.

        hz and voiced are None without a tracker.
        """
        jobs = self.jobs or max(1, min(cpu_count(), total // CLIPS_A_PROCESS))
        outside = getattr(self.tracker, "parallel", False)
        sequences, progress = iter(sequences), Progress(total, "sounds")
        if outside and jobs > 1:
            self.tracker.prepare(self.front_end.sample_rate)
        with Parallel(n_jobs=jobs) as pool:
            while block := list(islice(sequences, BLOCK)):
                work = delayed(sound_and_track)
                for samples, track in pool(work(x, self.front_end, self.tracker if outside else None) for x in block):
                    yield samples, *(track or self._track(samples))
                    progress.add(1)

    def _track(self, samples):
        return (None, None) if self.tracker is None else self.tracker(samples, self.front_end.sample_rate)


def sound_and_track(log_mel, front_end, tracker):
    """(samples, (hz, voiced)), or (samples, None) without a tracker: what one process does with one sequence."""
    samples = sound_of(log_mel, front_end)
    return samples, None if tracker is None else tracker(samples, front_end.sample_rate)


def can_sound(lengths, front_end):
    """Whether sequences of these numbers of frames are long enough to be made to sound."""
    return np.asarray(lengths) >= 2 + front_end.n_fft // front_end.hop_length


def heard_part(sequence, mask=None):
    """What sounds of a sequence (time, bands): its valid frames, and of these the first `LISTENED`."""
    return (sequence if mask is None else sequence[np.asarray(mask, bool)])[:LISTENED]


def make_versions(subject, rows, batch_size=16):
    """For each of `rows` its reconstruction, global swap (its melody) and local swap (its partner's melody), each the
    part of it that sounds."""
    for own in (rows[part] for part in batch_slices(rows, min(batch_size, subject.batch_size))):
        other = subject.partner[own]
        made = [recombine(subject, *pair) for pair in ((own, own), (own, other), (other, own))]
        yield from chain.from_iterable(zip(*made, strict=True))


def recombine(subject, melody, timbre):
    """The part that sounds of each sequence with z of the test sequences `melody` and v of those of `timbre`."""
    masks = take_rows(subject.test.mask, melody)
    codes = subject.posteriors.z_mean[melody], subject.posteriors.v_mean[timbre]
    made = decode_batch(subject.model.decode, *codes, masks)
    return [heard_part(x, take_rows(masks, place)) for place, x in enumerate(made)]


class ResynthesizedPairs:
    """The pairs that sound: pitch tracks, real sound after the vocoder, and embeddings of all.

    Args:
        subject: a `TestSubject`.
        rows: (m,) rows of the test split that sound, each with its partner; one or more.
        resynthesizer: a `Resynthesizer` with a tracker.
        notes: (n, time) of the test split, or None: then originals are tracked to be the reference, partners' too.
        embed: an embedding of sound, such as `interop.vggish.VggishEmbedding`, or None.

    Raises:
        InputError: there is no row.
    """

    def __init__(self, subject, rows, resynthesizer, notes=None, embed=None):
        self.subject, self.resynthesizer, self.notes, self.embed = subject, resynthesizer, notes, embed
        self.rows = np.asarray(rows)
        if not len(self.rows):
            raise InputError("no two test sequences are long enough to be made to sound and compared")
        self.tracks = {name: {} for name in ("original", *MADE)}  # {name: {row: (hz, voiced)}}
        self.vectors = {name: [] for name in ("real", *MADE)}
        self.originals = []  # log-mel frames of real sequences after the vocoder
        self._resynthesize_originals()
        self._resynthesize_outputs()

    def _resynthesize_originals(self):
        more = self.subject.partner[self.rows] if self.notes is None else []
        rows = list(dict.fromkeys(chain(self.rows.tolist(), map(int, more))))
        sounds = self.resynthesizer.resynthesize((self.original(row) for row in rows), len(rows))
        for place, (row, (samples, *track)) in enumerate(zip(rows, sounds, strict=True)):
            self.tracks["original"][row] = track
            if place < len(self.rows):
                self.originals.append(self.resynthesizer.front_end.log_mel(samples))
                self._embed("real", samples)

    def _resynthesize_outputs(self):
        sounds = self.resynthesizer.resynthesize(make_versions(self.subject, self.rows), len(MADE) * len(self.rows))
        names = ((row, name) for row in self.rows.tolist() for name in MADE)
        for (row, name), (samples, *track) in zip(names, sounds, strict=True):
            self.tracks[name][row] = track
            self._embed(name, samples)

    def _embed(self, name, samples):
        if self.embed is not None:
            self.vectors[name].append(self.embed(samples, self.resynthesizer.front_end.sample_rate))

    def original(self, row):
        """What sounds of a test sequence: frames (time, bands)."""
        return heard_part(self.subject.test.x[row], take_rows(self.subject.test.mask, row))

    def reference(self, row):
        """The melody (time,) in Hz that a test sequence has: from its notes, else the track of its resynthesis."""
        if self.notes is None:
            return voiced_hz(*self.tracks["original"][row])
        return hz_of_notes(heard_part(self.notes[row], take_rows(self.subject.test.mask, row)))

    def melody(self, groups=None):
        """Raw pitch and chroma accuracy of everything made, with intervals; see `pitch.melody_accuracy`.

        The reconstruction and the global swap are compared with the melody of their own sequence, the local swap
        against its partner's. ``original``: the original against its own melody, what vocoder and tracker allow; None
        where the reference is its own track. ``other_melody``: the original against its partner's melody, which it
        does not play; every score has it as its ``worst``.
        """
        own, other = self.rows, self.subject.partner[self.rows]
        other_melody = self._accuracies("original", other, groups)
        worst = {name: accuracy["value"] for name, accuracy in other_melody.items()}
        original = self._accuracies("original", own, groups, worst) if self.notes is not None else None
        wanted = {"reconstruction": own, "global": own, "local": other}
        return {
            **{name: self._accuracies(name, rows, groups, worst) for name, rows in wanted.items()},
            "original": original or None,
            "other_melody": other_melody,
            "reference": "the track of the original resynthesised" if self.notes is None else "notes",
            "tracker": self.resynthesizer.tracker.name,
            "vocoder": VOCODER,
            "pairs": len(own),
        }

    def _accuracies(self, name, wanted, groups=None, worst=None):
        """{"rpa", "rca"} of one version against the melodies of the rows `wanted`, with intervals."""
        step = self.resynthesizer.front_end.hop_length / self.resynthesizer.front_end.sample_rate
        steps = {"reference_step": step, "estimated_step": step}
        scores, members = [], []
        for row, melody in zip(self.rows.tolist(), wanted.tolist(), strict=True):
            accuracy = melody_accuracy(self.reference(melody), self.tracks[name][row][0], **steps)
            if accuracy is not None:
                scores.append(accuracy)
                members.append(melody if groups is None else groups[melody])
        if not scores:
            return {}
        ends = {each: {"worst": worst.get(each), "best": 1.0} if worst is not None else {} for each in ACCURACIES}
        return {
            each: with_interval([score[each] for score in scores], members, self.subject.seed, **ends[each])
            for each in ACCURACIES
        }
