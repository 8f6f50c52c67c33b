"""Parts of batches put together are the batches, in the same order, however they are stored; and how a run ends."""

import signal
from types import SimpleNamespace

import keras
import numpy as np
import pytest

from tsdsae_keras.data.prepared.pipeline import SequenceStream
from tsdsae_keras.errors import Stopped
from tsdsae_keras.training.devices.parts import part_of, repeat_rows
from tsdsae_keras.training.devices.place import parse
from tsdsae_keras.training.run import RunFolder
from tsdsae_keras.training.train import graceful_exit

pytestmark = pytest.mark.no_backend

X = np.random.default_rng(0).normal(size=(40, 9, 3)).astype("float32")
LENGTHS = np.random.default_rng(1).integers(2, 10, 40)
KINDS = {
    "in memory": {},
    "on disk": {"in_memory": 0},
    "masked": {"mask": np.arange(9) < LENGTHS[:, None]},
    "in buckets": {"lengths": LENGTHS},
}


def arrays(dataset):
    """The batches of a data set, each as a list of arrays."""
    return [[np.array(each) for each in keras.tree.flatten(batch)] for batch in dataset]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("count", [2, 4])
def test_parts_of_prepared_sequences_are_those_of_the_batches(kind, count):
    stream = SequenceStream(X, 8, seed=3, training=True, **KINDS[kind])
    for epoch in (0, 5):
        stream.set_epoch(epoch)
        whole, parts = arrays(stream.dataset), [arrays(part_of(stream, index, count)) for index in range(count)]
        assert len(whole) == stream.batches == len(parts[0]) > 1
        for batch, *own in zip(whole, *parts, strict=True):
            for each, *pieces in zip(batch, *own, strict=True):
                np.testing.assert_array_equal(np.concatenate(pieces), each)
                assert {len(piece) for piece in pieces} == {8 // count}


class _Drawn(keras.utils.PyDataset):
    """Batches made in Python, a function of the epoch."""

    epoch = 0

    def __len__(self):
        return 3

    def __getitem__(self, index):
        return {"x": X[:4] + index + 10 * self.epoch, "y": np.arange(4) + index}


def test_parts_of_drawn_batches_are_cut_from_the_whole():
    drawn = _Drawn()
    drawn.epoch, stream = 2, SimpleNamespace(dataset=drawn)
    for index in (0, 1):
        for step, (x, y) in enumerate(arrays(part_of(stream, index, 2))):
            np.testing.assert_array_equal(x, (X[:4] + step + 20)[2 * index : 2 * index + 2])
            np.testing.assert_array_equal(y, np.arange(2) + 2 * index + step)


def test_rows_are_repeated_so_that_every_part_is_whole():
    for step, (x, y) in enumerate(arrays(repeat_rows(SimpleNamespace(dataset=_Drawn()), 3))):
        for third in range(3):
            np.testing.assert_array_equal(x[4 * third : 4 * third + 4], X[:4] + step)
            np.testing.assert_array_equal(y[4 * third : 4 * third + 4], np.arange(4) + step)


def test_a_stopped_run_is_resumed_on_its_devices(tmp_path):
    options = parse("2", ["node1:29411", "node2"]).options
    stop = SimpleNamespace(asked=signal.SIGINT)
    with (
        pytest.raises(Stopped, match=f"--resume {tmp_path} --devices 2 --hosts node1:29411 node2$"),
        graceful_exit(tmp_path, [RunFolder(tmp_path)], stop, options),
    ):
        raise KeyboardInterrupt
