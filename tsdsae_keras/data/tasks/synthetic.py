"""A task that needs nothing installed."""

import functools

import numpy as np

from tsdsae_keras.data.audio.clips import Clip
from tsdsae_keras.data.audio.synthetic import KINDS, synthesise
from tsdsae_keras.data.tasks import Task

EACH = {"train": 20, "test": 20}
SEED = 60606  # apart from those of the pool


def open_synth6(cache=None):
    """Which of six kinds of synthesis made a sound; no recordings, so it says little of real sound."""
    clips = []
    for split, count in EACH.items():
        for place, kind in enumerate(KINDS):
            for number in range(count):
                seed = (SEED, place, number, split == "test")
                name = f"{split}/{kind}-{number}"
                clips.append(Clip(name, functools.partial(_make, kind, seed), kind, split, name))
    note = "synthesised sounds, not recordings"
    return Task("synth6", "kinds of synthesis", 1.0, clips, licence="no samples used", note=note)


def _make(kind, seed):
    return synthesise(kind, np.random.default_rng(seed))
