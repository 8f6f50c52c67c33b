"""A small prepared folder of four notes a clip, played by a dull and a bright instrument, and the command that scores
a model on it."""

import json

import keras
import numpy as np

from tests.prepared import write_prepared
from tsdsae_keras.cli import main
from tsdsae_keras.data.audio.logmel import FrontEnd

RATE, FRAMES, SLOT = 16000, 38, 2400  # samples a note
FRONT_END = FrontEnd()
COUNTS = {"train": 24, "validation": 4, "test": 8}
NOTES = [60, 64, 67, 71]
NAMES = {"instrument": ["dull", "bright"], "factors": ["first", "last"]}


def clip(notes, bright):
    """Four notes of 0.15 s, with a few strong partials or many weak ones."""
    time = np.arange(SLOT) / RATE
    hz = 440 * 2 ** ((notes[:, None] - 69) / 12)
    partials = range(1, 9 if bright else 3)
    sound = sum(np.sin(2 * np.pi * k * hz * time) / (1 if bright else k**2) for k in partials)
    return 0.1 * (sound * np.minimum(1, time / 0.01)).ravel()


def make_arrays(n, seed):
    """The arrays of a split: half its clips dull, half bright, all melodies different."""
    rng = np.random.default_rng(seed)
    notes = rng.choice(NOTES, size=(n, 4))
    instrument = np.arange(n) % 2
    slot = np.minimum(np.arange(FRAMES) * FRONT_END.hop_length // SLOT, 3)
    return {
        "features": np.stack([FRONT_END.log_mel(clip(*pair)) for pair in zip(notes, instrument, strict=True)]),
        "instrument": instrument.astype("int64"),
        "notes": notes[:, slot].astype("int16"),
        "factors": np.searchsorted(NOTES, notes[:, [0, 3]]).astype("int16"),
        "melody": np.arange(n, dtype="int32"),
    }


def write_folder(path, change=lambda arrays: arrays):
    """A prepared folder; `change` may take labels away or spoil them."""
    shards = {split: [change(make_arrays(n, seed))] for seed, (split, n) in enumerate(COUNTS.items())}
    return write_prepared(path, shards, front_end=FRONT_END.to_dict(), label_names=NAMES, synth=None)


def run_evaluate(model, data, out, *more):
    """What the command writes: (the scores, the page)."""
    arguments = ["evaluate", str(model), "--data", str(data.folder), "--out", str(out), "--pairs", "1", *more]
    assert main([*arguments, "--backend", keras.backend.backend()]) == 0

    def refuse(word):
        raise AssertionError(f"{word} in {out}")

    return json.loads(out.read_text(), parse_constant=refuse), out.with_name("report.html").read_text()
