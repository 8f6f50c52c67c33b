"""A small prepared folder of whole recordings of unequal length, as preparation from sound files leaves one."""

import numpy as np

from tsdsae_keras.data.audio.logmel import FrontEnd
from tsdsae_keras.data.prepared.store import shard_sizes
from tsdsae_keras.data.prepared.writing import PreparedWriter

FRONT_END = FrontEnd(sample_rate=24000, n_fft=1024, hop_length=240, n_mels=128, fmin=20.0, fmax=12000.0)
COUNTS = {"train": 14, "validation": 5, "test": 6}
SHARD_SIZE = 5
HARMLESS = np.log(FRONT_END.log_offset)


def tone(seconds, hz, bright, rate=FRONT_END.sample_rate):
    """A tone that moves up by a fifth half way, with a few strong partials or many weak ones."""
    time = np.arange(round(seconds * rate)) / rate
    pitch = np.where(time < seconds / 2, hz, 1.5 * hz)
    phase = 2 * np.pi * np.cumsum(pitch) / rate
    return 0.1 * sum(np.sin(k * phase) / (1 if bright else k**2) for k in range(1, 9 if bright else 3))


def recordings(n, seed):
    """[(log-mel frames, instrument)] of n recordings of 0.3 to 1.2 s, short ones first."""
    rng = np.random.default_rng(seed)
    seconds = np.sort(rng.uniform(0.3, 1.2, n))
    hz = rng.choice([262.0, 330.0, 392.0], n)
    sounds = [tone(*pair, number % 2) for number, pair in enumerate(zip(seconds, hz, strict=True))]
    return [(FRONT_END.log_mel(sound), number % 2) for number, sound in enumerate(sounds)]


def write_unequal(folder, padding=HARMLESS, counts=COUNTS, labels=True, **more):
    """A prepared folder, its padding made of `padding`; `more` goes into the manifest."""
    writer, shard_frames, first = PreparedWriter(folder), {}, 0
    for seed, (split, n) in enumerate(counts.items()):
        shard_frames[split] = []
        for number, size in enumerate(shard_sizes(n, SHARD_SIZE)):
            start = number * SHARD_SIZE
            chosen = recordings(n, seed)[start : start + size]
            frames = -(-max(len(x) for x, _ in chosen) // 64) * 64
            shard_frames[split].append(frames)
            rows = np.arange(first, first + size)
            arrays = arrays_of(chosen, frames, padding, rows)
            names = arrays if labels else ("features", "length", "recording", "group", "start")
            writer.write_shard(split, number, {name: arrays[name] for name in names})
            first += size
    stated = {name: {"dtype": arrays[name].dtype.str, "shape": list(arrays[name].shape[1:])} for name in names}
    stated["features"]["shape"][0] = max(max(each) for each in shard_frames.values())
    manifest = {"format": "tsdsae-prepared", "version": 1, "key": "k", "settings": {}, "synth": None}
    manifest |= {"counts": counts, "shard_size": SHARD_SIZE, "arrays": stated, "shard_frames": shard_frames}
    manifest |= {"front_end": FRONT_END.to_dict(), "label_names": {"instrument": ["dull", "bright"]}}
    return writer.finish(manifest | more)


def arrays_of(chosen, frames, padding, rows):
    """The arrays of one shard."""
    padded = [np.concatenate([x, np.full((frames - len(x), x.shape[1]), padding)]) for x, _ in chosen]
    return {
        "features": np.stack(padded).astype("<f4"),
        "length": np.array([len(x) for x, _ in chosen], "<i4"),
        "recording": rows.astype("<i4"),
        "group": rows.astype("<i4"),
        "start": np.zeros(len(rows), "<i8"),
        "instrument": np.array([instrument for _, instrument in chosen], "<i8"),
        "factors": np.stack([rows % 3, rows % 2], axis=1).astype("<i2"),
    }
