"""Batches of triples are the same for the same seed and epoch, whatever ran before."""

import numpy as np
import pytest

from tsdsae_keras.data.sets.pose_pool import PoseData
from tsdsae_keras.data.sets.sprites import Sprites
from tsdsae_keras.data.sets.triple_stream import stream_triples
from tsdsae_keras.errors import InputError

pytestmark = pytest.mark.no_backend


def epochs_of(stream, *epochs):
    found = []
    for epoch in epochs:
        stream.set_epoch(epoch)
        found.append([{name: np.array(value) for name, value in batch.items()} for batch in stream.dataset])
    return found


def check_equal(first, second):
    for one, other in zip(first, second, strict=True):
        for name, values in one.items():
            np.testing.assert_array_equal(values, other[name])


def test_epochs_differ_and_depend_on_seed_and_epoch_alone():
    data = PoseData(Sprites(), images=64, held_out=64)
    whole = epochs_of(stream_triples(data, "train", 4, 3, (0, 0)), 0, 1, 2)
    resumed = epochs_of(stream_triples(data, "train", 4, 3, (0, 0)), 2)
    assert [len(epoch) for epoch in whole] == [3, 3, 3]
    check_equal(whole[2], resumed[0])
    with pytest.raises(AssertionError):
        check_equal(whole[0], whole[1])
    with pytest.raises(AssertionError):
        check_equal(whole[0], epochs_of(stream_triples(data, "train", 4, 3, (1, 0)), 0)[0])


def test_validation_is_the_same_every_epoch():
    data = PoseData(Sprites(), images=64, held_out=64)
    first, second = epochs_of(stream_triples(data, "validation", 4, 2, (0, 1), fixed=True), 0, 5)
    check_equal(first, second)


def test_a_batch_of_one_is_refused():
    with pytest.raises(InputError, match="--batch-size is 1"):
        stream_triples(PoseData(Sprites(), images=64, held_out=64), "train", 1, 2, (0,))
