"""A pool in memory and small models on it."""

from types import SimpleNamespace

import keras
import numpy as np

from tsdsae_keras.families.selfie.model import SelfieStyle
from tsdsae_keras.families.selfie.views import ViewSettings

SIZES = {"n_mels": 8, "channels": 2, "units": 6, "projector_units": 5, "dim": 4}
FRONT_END = {"sample_rate": 16000, "n_fft": 512, "hop_length": 160, "n_mels": 8, "fmin": 0.0, "fmax": 8000.0}


def small(form="selfie-style", **config):
    """A small model whose initial weights are always the same on a backend."""
    keras.utils.set_random_seed(3)
    return SelfieStyle(form=form, **{**SIZES, "seed": 3, "front_end": FRONT_END, **config})


def views(n=6, frames=16, seed=0):
    """A batch of two views that resemble each other."""
    rng = np.random.default_rng(seed)
    first = rng.normal(size=(n, frames, 8)).astype("float32")
    return {"first": first, "second": first + rng.normal(0, 0.3, first.shape).astype("float32")}


class Pool:
    """Clips of unequal length whose values name clip and frame: 100 * clip + frame, divided by 100."""

    def __init__(self, lengths=(20, 12, 40, 16, 9)):
        self.n_mels, self.front_end, self.folder = 8, {**FRONT_END, "log_offset": 1e-5}, "memory"
        self.counts = {"train": len(lengths), "validation": len(lengths)}
        self._lengths = np.array(lengths)
        values = np.arange(len(lengths))[:, None] + np.arange(max(lengths)) / 100
        self._x = np.repeat(values[..., None], 8, axis=2).astype("float32")

    def shards(self, split):
        return [self._x[:2], self._x[2:]]

    def lengths(self, split):
        return self._lengths


def run_settings(**changes):
    """The settings of views that `batches` reads."""
    usual = {"seed": 5, "batch_size": 3, "steps": 4, "window": 12, "two_crops": False, "memory": 7}
    how = ViewSettings()
    usual |= {"mixup": how.mixup, "smallest_crop": how.smallest, "largest_crop": how.largest, "fader": how.fader}
    return SimpleNamespace(**usual | changes)
