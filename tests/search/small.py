"""A small prepared folder, quick to train on: each class has its own level in every band, and all else is noise."""

import numpy as np

from tests.prepared import write_prepared
from tsdsae_keras.data.audio.logmel import FrontEnd

FRAMES, BANDS = 12, 8
COUNTS = {"train": 24, "validation": 8, "test": 8}
FRONT_END = FrontEnd(n_fft=256, hop_length=128, n_mels=BANDS)


def sequences(n, seed):
    """Sequences (n, FRAMES, BANDS) of two classes, and the classes."""
    rng = np.random.default_rng(seed)
    instrument = np.arange(n) % 2
    level = np.where(instrument, 1.0, -1.0)[:, None, None] * np.linspace(-2, 2, BANDS)
    return (level - 4.0 + rng.normal(0, 1, (n, FRAMES, BANDS))).astype("float32"), instrument.astype("int64")


def write_folder(path):
    """A prepared folder."""
    shards = {}
    for seed, (split, n) in enumerate(COUNTS.items()):
        x, instrument = sequences(n, seed)
        shards[split] = [{"features": x, "instrument": instrument}]
    names = {"instrument": ["falling", "rising"]}
    return write_prepared(path, shards, front_end=FRONT_END.to_dict(), label_names=names)
