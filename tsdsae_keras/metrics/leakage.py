"""Leakage, both ways: how much of the class can be read from z, and how much of the melody from v.

A reading is what `probes.readings` gives of one label in one code: ``linear`` and ``mlp``, each with its ``score``
(accuracy - chance) / (1 - chance), and a lower bound of the information in nats. Read in the code it belongs to, a
label is the control: a probe that fails there says nothing by failing elsewhere.

What none of it sees: whether the decoder uses what is there (`use`), and what these two small probes cannot find.
"""

from dataclasses import dataclass

import numpy as np

from tsdsae_keras.errors import InputError
from tsdsae_keras.metrics.frames import mean_over_frames
from tsdsae_keras.metrics.probes import readings


@dataclass(frozen=True)
class LabelledCodes:
    """Codes at their means with the labels of their sequences; None for what is unknown.

    Attributes:
        v: (n, v).
        z: (n, time, z).
        instrument: (n,) the label that should be in v alone.
        factors: {name: (n,) labels} of the melody, that should be in z alone, such as octave and rhythm.
        notes: (n, time) the note that each frame plays, a MIDI number; 0 is a rest.
        mask: (n, time), true where a frame is valid.

    Raises:
        InputError: an array has another shape.
    """

    v: np.ndarray
    z: np.ndarray
    instrument: np.ndarray | None = None
    factors: dict | None = None
    notes: np.ndarray | None = None
    mask: np.ndarray | None = None

    def __post_init__(self):
        v, z = np.shape(self.v), np.shape(self.z)
        if len(z) != 3 or len(v) != 2 or v[0] != z[0]:
            raise InputError(f"v has shape {v} and z {z}; they should be (n, v) and (n, time, z)")
        whole = {"instrument": self.instrument, **(self.factors or {})}
        for shape, arrays in ((z[:1], whole), (z[:2], {"notes": self.notes, "mask": self.mask})):
            for name, array in arrays.items():
                if array is not None and np.shape(array) != shape:
                    raise InputError(f"{name} has shape {np.shape(array)}; it should be {shape}, to go with z")

    @property
    def valid(self):
        """(n, time) booleans."""
        return np.ones(np.shape(self.z)[:2], bool) if self.mask is None else np.asarray(self.mask, bool)

    @property
    def melody(self):
        """The labels of the melody: the factors, ``main_note`` (n,) and ``note`` (n, time)."""
        factors = dict(self.factors or {})
        if self.notes is None:
            return factors | {"main_note": None, "note": None}
        notes = np.where(self.valid, self.notes, 0)
        return factors | {"main_note": main_notes(notes), "note": notes}


def leakage(train, test, *, seed=0, frames=20_000, parts=16):
    """Every reading of both codes that the labels allow, probes fitted on `train` and tested on `test`.

    - ``instrument_from_z``: the leak, in three views of z: its ``mean`` over time, ``mean_and_deviation`` over time,
      and single frames, ``frame``. ``instrument_from_v``: the control.
    - ``melody_from_v``: the leak: every factor; ``main_note``, the sequence's most frequent note; and ``note``, that
      of single sounding frames, read in the v of their sequence. ``melody_from_z``: the control; whole sequences are
      read in the means of z over `parts` equal parts of time, ``note`` in the z of its frame.
    - ``gap_static``: (I(v; y) - I(z; y)) / H(y) of the instrument y, z as mean and deviation over time.
    - ``gap_dynamic``: (I(z; l) - I(v; l)) / H(l) of each label l of the melody.
    - ``left_out``: which labels are not read, and why.

    Leaks are best at score 0, controls and gaps at 1. A gap is 0 where both codes know as much, or neither anything,
    and negative where the wrong one knows more; as the difference of two lower bounds it is not a bound itself.

    Args:
        train, test: `LabelledCodes`. What one of them lacks is left out.
        seed: fixes probes and the draw of frames.
        frames: how many frames a probe of frames learns from and is tested on, at most.
        parts: into how many parts time is cut for labels of whole melodies; 16 are the slots of a dMelodies melody.

    Returns:
        A dictionary ready for JSON.

    Raises:
        InputError: a code is not finite, or no frame is valid.
    """
    pair = train, test
    labels, left_out = shared_labels(*pair)
    views = {name: [view(data, parts) for data in pair] for name, view in _VIEWS.items()}

    def read(view, name):
        given = zip(pair, views[view], labels[name], strict=True)
        (*train_rows, groups), (*test_rows, _) = (_rows(*split, frames, seed) for split in given)
        return readings(*train_rows, *test_rows, seed, groups)

    melody = [name for name in labels if name != "instrument"]
    result = {
        "melody_from_v": {name: read("v", name) for name in melody},
        "melody_from_z": {name: read("frame" if name == "note" else "parts", name) for name in melody},
        "left_out": left_out,
    }
    if "instrument" in labels:
        result["instrument_from_z"] = {view: read(view, "instrument") for view in _LEAKING}
        result["instrument_from_v"] = read("v", "instrument")
    return result | _gaps(result)


def block_gap(own, other):
    """(I(own; label) - I(other; label)) / H(label) of two readings of one label: 1 best, 0 for no difference."""
    return (own["information"] - other["information"]) / own["entropy"]


def means_over_parts(z, mask=None, parts=1):
    """Means of z (n, time, z) over `parts` equal parts of each sequence's valid frames: (n, parts * z).

    A part that holds no frame, in a sequence shorter than `parts`, is 0.
    """
    valid = np.ones(z.shape[:2], bool) if mask is None else np.asarray(mask, bool)
    z = np.where(valid[..., None], z, 0.0)
    part = (valid.cumsum(axis=1) - 1) * parts // valid.sum(axis=1, keepdims=True).clip(1)
    means = []
    for number in range(parts):
        weight = (valid & (part == number)).astype("float64")
        means.append(np.einsum("nt,ntd->nd", weight, z) / weight.sum(axis=1, keepdims=True).clip(1))
    return np.concatenate(means, axis=1)


def moments(z, mask=None):
    """Mean and standard deviation of z (n, time, z) over each sequence's valid frames: (n, 2 * z)."""
    mean = mean_over_frames(z, mask)
    variance = mean_over_frames(np.square(z - mean[:, None]), mask)
    return np.concatenate([mean, np.sqrt(variance)], axis=1)


def main_notes(notes):
    """The most frequent note of each sequence (n, time), rests (0) aside; of equals the lowest; 0 in silence."""
    return np.array([np.bincount(row[row > 0], minlength=1).argmax() for row in np.asarray(notes)])


def draw_frames(codes, labels, valid, wanted, seed):
    """Frames drawn from all valid ones, in order: codes (m, d), labels (m,), and the sequence each is from (m,).

    Args:
        codes: (n, time, d), or (n, d), the same in every frame.
        labels: (n, time), or (n,), the same in every frame.
        valid: (n, time) booleans.
        wanted: m, unless there are fewer.
        seed: fixes the draw.
    """
    sequence, frame = np.nonzero(valid)
    if not len(sequence):
        raise InputError("no frame is valid; give sequences that sound")
    if len(sequence) > wanted:
        drawn = np.sort(np.random.default_rng(seed).choice(len(sequence), wanted, replace=False))
        sequence, frame = sequence[drawn], frame[drawn]
    rows = (
        array[sequence, frame] if array.ndim == ndim else array[sequence] for array, ndim in ((codes, 3), (labels, 2))
    )
    return *rows, sequence


_VIEWS = {
    "v": lambda data, parts: np.asarray(data.v),
    "mean": lambda data, parts: mean_over_frames(data.z, data.mask),
    "mean_and_deviation": lambda data, parts: moments(data.z, data.mask),
    "frame": lambda data, parts: np.asarray(data.z),
    "parts": lambda data, parts: means_over_parts(data.z, data.mask, parts),
}
_LEAKING = ("mean", "mean_and_deviation", "frame")


def _rows(data, codes, labels, frames, seed):
    """Codes (m, d), labels (m,) and which rows belong together: sequences, or frames where either is of frames."""
    labels = np.asarray(labels)
    if codes.ndim == 2 and labels.ndim == 1:
        return codes, labels, None
    sounding = data.valid & (labels > 0) if labels.ndim == 2 else data.valid
    return draw_frames(codes, labels, sounding, frames, seed)


def shared_labels(train, test):
    """The labels that both splits have, {name: (training labels, test labels)}, and why others are left out."""
    known, asked = ({"instrument": data.instrument, **data.melody} for data in (train, test))
    labels = {name: (known.get(name), asked.get(name)) for name in known | asked}
    reasons = {name: _why_not(*pair) for name, pair in labels.items()}
    left_out = {name: reason for name, reason in reasons.items() if reason}
    return {name: pair for name, pair in labels.items() if name not in left_out}, left_out


def _why_not(known, asked):
    for title, labels in (("training", known), ("test", asked)):
        if labels is None:
            return f"no labels in the {title} set"
        labels = np.asarray(labels)
        values = np.unique(labels if labels.ndim == 1 else labels[labels > 0])
        if len(values) < 2:
            return f"{len(values)} value in the {title} set; a reading needs two or more"
    return None


def _gaps(result):
    from_v, from_z = result["melody_from_v"], result["melody_from_z"]
    gaps = {"gap_dynamic": {name: block_gap(from_z[name], from_v[name]) for name in from_v}}
    if "instrument_from_v" in result:
        of_z = result["instrument_from_z"]["mean_and_deviation"]
        gaps["gap_static"] = block_gap(result["instrument_from_v"], of_z)
    return gaps
