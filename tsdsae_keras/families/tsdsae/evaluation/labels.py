"""The labels of a prepared folder as the scores take them; those of an unexpected form are left out, with a reason."""

from dataclasses import dataclass, field

import numpy as np

from tsdsae_keras.metrics.leakage import LabelledCodes


@dataclass(frozen=True)
class Labels:
    """The labels of a split; None, and a reason in `left_out`, for what is missing.

    Attributes:
        instrument: (n,).
        notes: (n, time) MIDI numbers, 0 for a rest.
        factors: {name: (n,)} of whole melodies.
        melody: (n,) which melody a sequence is.
        recording: (n,) which recording a sequence is from.
        left_out: {label: reason}.
    """

    instrument: np.ndarray | None = None
    notes: np.ndarray | None = None
    factors: dict | None = None
    melody: np.ndarray | None = None
    recording: np.ndarray | None = None
    left_out: dict = field(default_factory=dict)

    @property
    def groups(self):
        """(n,) what belongs together: sequences of one melody, or where that is not known of one recording; or None."""
        return self.recording if self.melody is None else self.melody

    def with_codes(self, codes, mask=None):
        """`LabelledCodes`: the codes of the split with its labels."""
        return LabelledCodes(codes.v_mean, codes.z_mean, self.instrument, self.factors, self.notes, mask)


def load_labels(data, split, frames=None):
    """The `Labels` of a split of prepared data, those of frames cut to `frames`."""
    n, labels = data.counts[split], data.labels(split)
    shapes = {"instrument": (n,), "notes": (n, data.frames), "factors": (n, None), "melody": (n,), "recording": (n,)}
    left_out = {name: _why_not(labels.get(name), shape) for name, shape in shapes.items()}
    left_out = {name: reason for name, reason in left_out.items() if reason}
    if "notes" not in left_out and not ((labels["notes"] >= 0) & (labels["notes"] <= 127)).all():
        left_out["notes"] = "values outside 0 to 127, which are not MIDI notes"
    kept = {name: labels[name] for name in shapes if name not in left_out}
    if "notes" in kept:
        kept["notes"] = kept["notes"][:, :frames]
    if "factors" in kept:
        kept["factors"] = dict(zip(_factor_names(data, kept["factors"].shape[1]), kept["factors"].T, strict=True))
    needless = {"recording", *(["melody"] if "recording" in kept else [])} - labels.keys()
    return Labels(**kept, left_out={name: reason for name, reason in left_out.items() if name not in needless})


def instrument_name(data, instrument):
    """What the folder calls an instrument, or its number."""
    names = data.label_names.get("instrument")
    known = isinstance(names, list) and 0 <= int(instrument) < len(names)
    return str(names[int(instrument)]) if known else f"instrument {instrument}"


def _factor_names(data, count):
    names = data.label_names.get("factors")
    fitting = isinstance(names, list) and len(names) == len(set(names)) == count
    return names if fitting else [f"factor_{number}" for number in range(1, count + 1)]


def _why_not(array, shape):
    if array is None:
        return "not in the prepared folder"
    fits = len(array.shape) == len(shape) and all(b in (None, a) for a, b in zip(array.shape, shape, strict=True))
    if not fits or array.dtype.kind not in "iu":
        wanted = tuple("any" if size is None else size for size in shape)
        return f"{array.dtype} of shape {array.shape} in the prepared folder; whole numbers of shape {wanted} are read"
    return None
