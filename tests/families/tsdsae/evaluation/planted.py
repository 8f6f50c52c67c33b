"""Models of harmonic tones whose swaps are known beforehand: one that swaps perfectly, and one for each fault.

A sequence is a row of a table at each frame: the log-mel frame of a steady tone of an instrument on a note. Codes are
read off the nearest rows, so that each model does exactly what its `decode` says.
"""

import numpy as np

from tsdsae_keras.data.audio.logmel import FrontEnd
from tsdsae_keras.families.tsdsae.evaluation import measures
from tsdsae_keras.families.tsdsae.evaluation.evaluate import score_subject
from tsdsae_keras.families.tsdsae.evaluation.notes import relative_frames
from tsdsae_keras.families.tsdsae.evaluation.posteriors import Split
from tsdsae_keras.families.tsdsae.evaluation.subject import TestSubject
from tsdsae_keras.families.tsdsae.evaluation.swap_checks import measure_swap_checks
from tsdsae_keras.metrics.counterfactual import score_counterfactual

LOWEST, COUNT, FRAMES = 57, 19, 24
PARTIALS = {"dull": lambda k: k**-2.0, "bright": lambda k: k**0.0, "hollow": lambda k: k**-0.5 * (k % 2)}


def make_table(names):
    """(instruments, notes, bands): the middle frame of a steady tone of each instrument on each note."""
    time = np.arange(8000) / 16000
    rows = []
    for name in names:
        hz = 440 * 2 ** ((LOWEST + np.arange(COUNT) - 69) / 12)
        tones = [sum(PARTIALS[name](k) * np.sin(2 * np.pi * k * f * time) for k in range(1, 9)) for f in hz]
        rows.append([FrontEnd(log_offset=1e-3).log_mel(0.1 * tone)[12] for tone in tones])
    return np.array(rows)


class Melodies:
    """A split: notes around a register of each sequence, played by each instrument in turn, with some noise."""

    def __init__(self, table, n, seed, noise=0.1):
        rng = np.random.default_rng(seed)
        self.instrument = np.arange(n) % len(table)
        register = rng.integers(3, COUNT - 3, size=(n, 1))
        self.index = register + np.repeat(rng.integers(-3, 4, size=(n, FRAMES // 4)), 4, axis=1)
        self.notes = (LOWEST + self.index).astype("int16")
        self.noise = rng.normal(0, noise, size=(n, FRAMES, table.shape[-1]))
        self.x = table[self.instrument[:, None], self.index] + self.noise
        self.split = Split(self.x, self.instrument)


class Perfect:
    """v is the instrument, z the note; z holds the instrument too, and v a register: this decoder uses neither."""

    features, front_end = 80, None

    def __init__(self, table):
        self.table = table

    def encode(self, x, mask=None):
        flat, x = relative_frames(self.table.reshape(-1, self.table.shape[-1])), relative_frames(x)
        far = np.square(x).sum(-1)[..., None] - 2 * x @ flat.T + np.square(flat).sum(-1)
        row, count = far.argmin(-1), self.table.shape[1]
        instrument, note = row // count, row % count
        played = np.array([np.bincount(each, minlength=len(self.table)).argmax() for each in instrument])
        ones, register = np.eye(len(self.table))[played], np.median(note, axis=1)
        z = np.concatenate([note[..., None], np.repeat(ones[:, None], x.shape[1], axis=1)], axis=-1)
        return {"v_mean": np.concatenate([ones, register[:, None]], axis=1), "z_mean": z}

    def decode(self, z, v, mask=None):
        note, in_z, in_v = z[..., 0].astype(int), z[..., 1:].argmax(-1), v[:, None, :-1].argmax(-1)
        register, in_z_register = v[:, None, -1].astype(int), np.median(note, axis=1).astype(int)[:, None]
        return self.play(note, in_z, np.broadcast_to(in_v, note.shape), register - in_z_register)

    def play(self, note, in_z, in_v, shift):
        return self.table[in_v, note]

    def get_config(self):
        return {}


class IgnoresV(Perfect):
    def play(self, note, in_z, in_v, shift):
        return self.table[in_z, note]


class TimbreInZ(Perfect):
    """Half of the timbre is z's."""

    def play(self, note, in_z, in_v, shift):
        return 0.5 * self.table[in_v, note] + 0.5 * self.table[in_z, note]


class PitchInV(Perfect):
    """v decides the register."""

    def play(self, note, in_z, in_v, shift):
        return self.table[in_v, np.clip(note + shift, 0, COUNT - 1)]


class NoMelody(Perfect):
    """z never reaches the output."""

    def play(self, note, in_z, in_v, shift):
        return self.table[in_v, np.full_like(note, COUNT // 2)]


class MelodyLostInSwaps(Perfect):
    """One note only, as soon as v is of another instrument."""

    def play(self, note, in_z, in_v, shift):
        return self.table[in_v, np.where(in_z == in_v, note, COUNT // 2)]


class OneDirection(Perfect):
    """Whoever played instrument 1 keeps playing it."""

    def play(self, note, in_z, in_v, shift):
        return self.table[np.where(in_z == 1, 1, in_v), note]


class Whispers(Perfect):
    """The decoder ignores v but for a trace in one band, far too weak to be heard, which its own encoder reads."""

    def encode(self, x, mask=None):
        codes = super().encode(x, mask)
        trace = x[:, :, -1:].mean(axis=1)
        made = np.abs(trace - np.round(trace)) < 1e-6  # real sequences have noise there
        known = codes["v_mean"][:, :1]
        return codes | {"v_mean": np.where(made, np.round(trace) % 2, known)}

    def decode(self, z, v, mask=None):
        x = self.table[z[..., 1:].argmax(-1), z[..., 0].astype(int)].copy()
        x[..., -1] = 2 * np.floor(x[..., -1] / 2) + v
        return x


class Blurred(Perfect):
    """Each frame is partly the mean of its instrument's frames, as those of a small model are."""

    def play(self, note, in_z, in_v, shift):
        return 0.9 * self.table[in_v, note] + 0.1 * self.table.mean(axis=1)[in_v]


def measure(model, table, *, n=90, noise=0.1, notes=True, truth=False):
    """The figures of `scores.score`, of this model on melodies of the table; with `truth` also true swaps."""
    train, test = Melodies(table, 2 * n, 0, noise), Melodies(table, n, 1, noise)
    subject = TestSubject(model, train.split, test.split, seed=0)
    checks = measure_swap_checks(subject, (train.notes, test.notes) if notes else None, name=lambda place: f"i{place}")
    more = {"intervals": measures.find_intervals(subject), "use": measures.measure_use(subject), "swap_checks": checks}
    return score_subject(subject) | more | ({"counterfactual": _true_swaps(subject, test, table)} if truth else {})


def _true_swaps(subject, test, table):
    """The scores of global swaps against the same notes by the partner, with the noise of the melody."""
    other = test.instrument[subject.partner]
    truth = table[other[:, None], test.index] + test.noise
    codes, own = subject.model.encode(truth), subject.posteriors
    made = {
        "original": test.x,
        "swap": subject.model.decode(own.z_mean, own.v_mean[subject.partner]),
        "reconstruction": subject.model.decode(codes["z_mean"], codes["v_mean"]),
    }
    names = [(f"i{a}", f"i{b}") for a, b in zip(test.instrument, other, strict=True)]
    return score_counterfactual(made, truth, pairs=names)
