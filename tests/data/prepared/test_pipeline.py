import mmap
import subprocess
import sys

import keras
import numpy as np
import pytest

from tsdsae_keras.data.prepared import pipeline
from tsdsae_keras.data.prepared.pipeline import SequenceStream
from tsdsae_keras.errors import InputError


def number_sequences(n):
    """Sequences that hold their own position."""
    return np.broadcast_to(np.arange(n, dtype=np.float32)[:, None, None], (n, 3, 2)).copy()


def rows(stream):
    return [batch[:, 0, 0].astype(int).tolist() for batch in stream.dataset.as_numpy_iterator()]


@pytest.mark.no_backend
def test_training_order_depends_on_seed_and_epoch_alone():
    stream = SequenceStream(number_sequences(10), 4, seed=3, training=True)
    stream.set_epoch(5)
    fifth = rows(stream)
    stream.set_epoch(6)
    assert rows(stream) != fifth
    resumed = SequenceStream(number_sequences(10), 4, seed=3, training=True)
    resumed.set_epoch(5)
    assert rows(resumed) == fifth
    assert np.concatenate(fifth).tolist() == np.random.default_rng((3, 5)).permutation(10)[:8].tolist()


@pytest.mark.no_backend
@pytest.mark.parametrize("lengths", (None, np.full(10, 3)))
def test_an_epoch_of_several_passes_holds_everything_so_often_and_begins_as_one_of_one(lengths):
    one, three = (SequenceStream(number_sequences(10), 5, lengths=lengths, training=True, passes=n) for n in (1, 3))
    found = [each["x"] if lengths is not None else each for each in three.dataset.as_numpy_iterator()]
    found = [batch[:, 0, 0].astype(int).tolist() for batch in found]
    assert three.batches == three.dataset.cardinality() == len(found) == 6
    passes = [found[:2], found[2:4], found[4:]]
    assert all(np.sort(each, axis=None).tolist() == list(range(10)) for each in passes) and passes[0] != passes[1]
    assert np.concatenate(passes[0]).tolist() == three.order().tolist() == one.order().tolist()


@pytest.mark.no_backend
def test_training_drops_the_remainder_and_evaluation_keeps_it():
    training = SequenceStream(number_sequences(10), 4, training=True)
    evaluation = SequenceStream(number_sequences(10), 4)
    assert [len(batch) for batch in rows(training)] == [4, 4]
    assert rows(evaluation) == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]
    assert training.dataset.cardinality() == training.batches == 2
    assert evaluation.dataset.cardinality() == evaluation.batches == 3


@pytest.mark.no_backend
def test_shards_and_masks():
    mask = np.arange(10)[:, None] > np.arange(3) + 4
    stream = SequenceStream([number_sequences(10)[:7], number_sequences(10)[7:]], 4, mask=mask)
    batches = list(stream.dataset.as_numpy_iterator())
    assert np.concatenate([batch["x"] for batch in batches])[:, 0, 0].tolist() == list(range(10))
    assert np.array_equal(np.concatenate([batch["mask"] for batch in batches]), mask)


KEPT = """
from tsdsae_keras.process import keep_memory
keep_memory()
import resource
import numpy as np
from tsdsae_keras.data.prepared import pipeline
from tsdsae_keras.data.prepared.pipeline import SequenceStream
list(SequenceStream(np.zeros((8, 3, 2), "float32"), 4, training=True).dataset)

def faults(times):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(times):
        np.ones(1 << 20, "float32")
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

faults(2)
print(faults(20))
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only of glibc is memory asked to be kept")
@pytest.mark.no_backend
def test_memory_stays_kept_beside_a_stream():
    done = subprocess.run([sys.executable, "-c", KEPT], capture_output=True, text=True, check=True)
    pages = (1 << 22) // mmap.PAGESIZE
    assert int(done.stdout) < pages, "20 arrays of 4 MiB, one after the other, met new memory"


class MeanOutput(keras.Model):
    """The smallest model that Keras trains on every backend."""

    def __init__(self):
        super().__init__()
        self.dense = keras.layers.Dense(1)

    def call(self, x):
        return self.dense(x)

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        return keras.ops.mean(y_pred)


def test_keras_sees_the_order_of_the_epoch_set_by_a_callback(monkeypatch):
    stream = SequenceStream(number_sequences(8), 2, seed=1, training=True)
    drawn, own = [], pipeline.epoch_rng
    monkeypatch.setattr(pipeline, "epoch_rng", lambda seed, epoch: drawn.append(epoch) or own(seed, epoch))
    set_epoch = keras.callbacks.LambdaCallback(on_epoch_begin=lambda epoch, logs: stream.set_epoch(epoch))
    model = MeanOutput()
    model.compile()
    model.fit(stream.dataset, initial_epoch=3, epochs=5, verbose=0, callbacks=[set_epoch])
    assert drawn[-2:] == [3, 4]


@pytest.mark.parametrize(
    ("call", "word"),
    [
        (lambda: SequenceStream(number_sequences(3), 4, training=True), "lower the batch size"),
        (lambda: SequenceStream(number_sequences(3), 0), "at least 1"),
        (lambda: SequenceStream([], 4), "no sequences"),
        (lambda: SequenceStream(np.zeros(3), 1), r"\(n, T, F\)"),
        (lambda: SequenceStream(number_sequences(3), 1, mask=np.ones((2, 3))), r"\(3, 3\)"),
    ],
)
def test_refusals(call, word):
    with pytest.raises(InputError, match=word):
        call()
