"""Small prepared folders, written as preparing writes them."""

import numpy as np

from tsdsae_keras.data.prepared.writing import PreparedWriter


def write_prepared(folder, shards, storage="npy", **about):
    """A prepared folder of {split: [{array: values} of each shard]}; `about` goes into the manifest."""
    writer, counts = PreparedWriter(folder, storage), {}
    for split, parts in shards.items():
        counts[split] = sum(len(arrays["features"]) for arrays in parts)
        for number, arrays in enumerate(parts):
            writer.write_shard(split, number, arrays)
    stated = {name: {"dtype": array.dtype.str, "shape": list(array.shape[1:])} for name, array in arrays.items()}
    size = max(len(arrays["features"]) for parts in shards.values() for arrays in parts)
    usual = {"format": "tsdsae-prepared", "version": 1, "key": "k", "settings": {}, "front_end": {}, "label_names": {}}
    return writer.finish(usual | {"counts": counts, "shard_size": size, "arrays": stated} | about)


def singers(n, number):
    """The arrays of a shard: n sequences (4, 3), all by the singer of this number."""
    x = np.arange(n * 12, dtype=np.float32).reshape(n, 4, 3) + number
    return {"features": x, "singer": np.full(n, number, np.int64)}
