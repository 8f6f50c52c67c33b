"""Sequences of frames held in memory: what the data sets of physical symmetry give to those who train on them."""

from dataclasses import dataclass, field

import numpy as np

from tsdsae_keras.errors import InputError

SPLITS = ("train", "validation", "test")


@dataclass(frozen=True)
class FrameSequences:
    """Sequences by split, with the truth behind every frame.

    Attributes:
        domain: "music" or "video".
        x: {split: (n, time, *frame)}; uint8 arrays hold [0, 1] as 0 to 255.
        labels: {split: (n, time, k)}, or empty where nothing is known.
        factors: names of the k labels.
        groups: {split: (n,)} which sequences belong together, such as those of one instrument; may be empty.
        identity: a text that is equal for equal data.
        folder: where they are on disk, or None.
        warning: a line for the user, or None.
        about: what a reader should know of them.
    """

    domain: str
    x: dict
    labels: dict
    factors: tuple
    identity: str
    groups: dict = field(default_factory=dict)
    folder: object = None
    warning: str | None = None
    about: dict = field(default_factory=dict)

    def frames(self, split, rows=slice(None)):
        """float32 sequences in [0, 1] of a split, (n, time, *frame)."""
        if split not in self.x:
            raise InputError(f"there is no split {split!r}; it must be {' or '.join(self.x)}")
        x = self.x[split][rows]
        return np.float32(x) / np.float32(255) if x.dtype == np.uint8 else np.asarray(x, "float32")

    def count(self, split):
        """Sequences of a split."""
        return len(self.x[split])
