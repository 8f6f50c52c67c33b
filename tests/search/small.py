"""A small prepared folder, quick to train on: what stays is a level of each band, what moves is drawn anew."""

import numpy as np

from tsdsae_keras.data.audio.logmel import FrontEnd
from tsdsae_keras.data.prepared.writing import PreparedWriter

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
    writer = PreparedWriter(path)
    for seed, (split, n) in enumerate(COUNTS.items()):
        x, instrument = sequences(n, seed)
        writer.write_shard(split, 0, {"features": x, "instrument": instrument})
    return writer.finish(
        {
            "format": "tsdsae-prepared",
            "version": 1,
            "key": "small",
            "settings": {},
            "front_end": FRONT_END.to_dict(),
            "counts": COUNTS,
            "shard_size": max(COUNTS.values()),
            "arrays": {
                "features": {"dtype": "<f4", "shape": [FRAMES, BANDS]},
                "instrument": {"dtype": "<i8", "shape": []},
            },
            "label_names": {"instrument": ["falling", "rising"]},
        }
    )
