"""Sequences made to sound and listened to: the pitch of what a model makes, and what a vocoder leaves of real sound.

A prepared folder keeps log-mel frames, not sound. So the original here is the real frames resynthesised, by the same
vocoder as everything else: what it scores is the ceiling of all that follows.
"""

from itertools import chain, islice

import numpy as np
from joblib import Parallel, cpu_count, delayed

from tsdsae_keras.data.audio.inversion import PHASE_ITERATIONS, UPDATES, sound_of
from tsdsae_keras.data.prepared.progress import Progress
from tsdsae_keras.errors import InputError
from tsdsae_keras.families.tsdsae.evaluation.measures import stated
from tsdsae_keras.families.tsdsae.evaluation.posteriors import decode_batch
from tsdsae_keras.metrics.batching import batch_slices, take_rows
from tsdsae_keras.metrics.pitch import hz_of_notes, melody_accuracy, voiced_hz

BLOCK = 32  # sounds held at a time
CLIPS_A_PROCESS = 8  # a process takes seconds to start
VOCODER = f"magnitudes by KL factorisation ({UPDATES} updates), phases by Griffin-Lim ({PHASE_ITERATIONS} iterations)"
LISTENED = 1024  # frames of a sequence that sound at most: trackers take longer than the sound lasts
MADE = ("reconstruction", "global", "local")
ACCURACIES = ("rpa", "rca")


class Ear:
    """Log-mel sequences to sound and pitch, in several processes where there is work for them.

    Args:
        front_end: the `FrontEnd` of the sequences.
        tracker: an `evaluation.pitch.Tracker`, or None where no pitch is wanted.
        jobs: processes; None for one a core. Their number changes nothing in the result.
    """

    def __init__(self, front_end, tracker=None, jobs=None):
        self.front_end, self.tracker, self.jobs = front_end, tracker, jobs

    def hear(self, sequences, total):
        """Yields (samples, hz, voiced) of each of `total` sequences (time, bands), in order; at most `BLOCK` at once.

        hz and voiced are None without a tracker.
        """
        jobs = self.jobs or max(1, min(cpu_count(), total // CLIPS_A_PROCESS))
        outside = getattr(self.tracker, "parallel", False)
        sequences, progress = iter(sequences), Progress(total, "sounds")
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
    """Whether sequences of so many frames are long enough to be made to sound."""
    return np.asarray(lengths) >= 2 + front_end.n_fft // front_end.hop_length


def heard_part(sequence, mask=None):
    """What sounds of a sequence (time, bands): its valid frames, and of these the first `LISTENED`."""
    return (sequence if mask is None else sequence[np.asarray(mask, bool)])[:LISTENED]


def versions_of(subject, rows, batch_size=16):
    """For each of `rows` its reconstruction, global swap (its melody) and local swap (its partner's melody), each the
    part of it that sounds."""
    for own in (rows[part] for part in batch_slices(rows, min(batch_size, subject.batch_size))):
        other = subject.partner[own]
        made = [recombined(subject, *pair) for pair in ((own, own), (own, other), (other, own))]
        yield from chain.from_iterable(zip(*made, strict=True))


def recombined(subject, melody, timbre):
    """The part that sounds of each sequence with z of the test sequences `melody` and v of those of `timbre`."""
    masks = take_rows(subject.test.mask, melody)
    codes = subject.codes.z_mean[melody], subject.codes.v_mean[timbre]
    made = decode_batch(subject.model.decode, *codes, masks)
    return [heard_part(x, take_rows(masks, place)) for place, x in enumerate(made)]


class Listening:
    """What is heard of the pairs that sound: pitch tracks, real sound after the vocoder, and embeddings of all.

    Args:
        subject: a `TestSubject`.
        heard: (m,) rows of the test split, each with its partner, one or more.
        ear: an `Ear` with a tracker.
        notes: (n, time) of the test split, or None: then originals are tracked to be the reference, partners' too.
        embed: an embedding of sound, such as `interop.vggish.VggishEmbedding`, or None.

    Raises:
        InputError: no row is to be heard.
    """

    def __init__(self, subject, heard, ear, notes=None, embed=None):
        self.subject, self.ear, self.notes, self.embed = subject, ear, notes, embed
        self.heard = np.asarray(heard)
        if not len(self.heard):
            raise InputError("no two test sequences are long enough to be made to sound and compared")
        self.tracks = {name: {} for name in ("original", *MADE)}  # {name: {row: (hz, voiced)}}
        self.vectors = {name: [] for name in ("real", *MADE)}
        self.resynthesised = []
        self._listen_to_originals()
        self._listen_to_made()

    def _listen_to_originals(self):
        more = self.subject.partner[self.heard] if self.notes is None else []
        rows = list(dict.fromkeys(chain(self.heard.tolist(), map(int, more))))
        sounds = self.ear.hear((self.original(row) for row in rows), len(rows))
        for place, (row, (samples, *track)) in enumerate(zip(rows, sounds, strict=True)):
            self.tracks["original"][row] = track
            if place < len(self.heard):
                self.resynthesised.append(self.ear.front_end.log_mel(samples))
                self._embed("real", samples)

    def _listen_to_made(self):
        sounds = self.ear.hear(versions_of(self.subject, self.heard), len(MADE) * len(self.heard))
        names = ((row, name) for row in self.heard.tolist() for name in MADE)
        for (row, name), (samples, *track) in zip(names, sounds, strict=True):
            self.tracks[name][row] = track
            self._embed(name, samples)

    def _embed(self, name, samples):
        if self.embed is not None:
            self.vectors[name].append(self.embed(samples, self.ear.front_end.sample_rate))

    def original(self, row):
        """What sounds of a test sequence: frames (time, bands)."""
        return heard_part(self.subject.test.x[row], take_rows(self.subject.test.mask, row))

    def reference(self, row):
        """The melody (time,) in Hz that a test sequence has: from its notes, else the track of its resynthesis."""
        if self.notes is None:
            return voiced_hz(*self.tracks["original"][row])
        return hz_of_notes(heard_part(self.notes[row], take_rows(self.subject.test.mask, row)))

    def melody(self, groups=None):
        """Raw pitch and chroma accuracy of everything made, stated; see `pitch.melody_accuracy`.

        The reconstruction and the global swap are held against the melody of their own sequence, the local swap
        against its partner's. ``floor``: the original against its partner's melody, one that it does not play.
        ``ceiling``: the original against its own; None where that is the reference.
        """
        own, other = self.heard, self.subject.partner[self.heard]
        floor = self._accuracies("original", other, groups)
        ceiling = self._accuracies("original", own, groups) if self.notes is not None else {}
        ends = {name: {"floor": _value(floor, name), "ceiling": _value(ceiling, name)} for name in ACCURACIES}
        wanted = {"reconstruction": own, "global": own, "local": other}
        return {
            **{name: self._accuracies(name, rows, groups, ends) for name, rows in wanted.items()},
            "ceiling": ceiling or None,
            "floor": floor,
            "reference": "the track of the original resynthesised" if self.notes is None else "notes",
            "tracker": self.ear.tracker.name,
            "vocoder": VOCODER,
            "pairs": len(own),
        }

    def _accuracies(self, name, wanted, groups=None, ends=None):
        """{"rpa", "rca"}, stated, of one version against the melodies of the rows `wanted`."""
        step = self.ear.front_end.hop_length / self.ear.front_end.sample_rate
        steps = {"reference_step": step, "estimated_step": step}
        scores, of = [], []
        for row, melody in zip(self.heard.tolist(), wanted.tolist(), strict=True):
            found = melody_accuracy(self.reference(melody), self.tracks[name][row][0], **steps)
            if found is not None:
                scores.append(found)
                of.append(melody if groups is None else groups[melody])
        if not scores:
            return {}
        return {
            each: stated([score[each] for score in scores], of, self.subject.seed, **(ends or {}).get(each, {}))
            for each in ACCURACIES
        }


def _value(accuracies, name):
    return accuracies[name]["value"] if accuracies else None
