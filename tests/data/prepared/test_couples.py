"""Couples of sequences of one recording in the batches of a stream."""

import numpy as np
import pytest

from tsdsae_keras.data.prepared.pipeline import SequenceStream
from tsdsae_keras.errors import InputError

pytestmark = pytest.mark.no_backend
GROUPS = np.array([7, 7, 7, 2, 2, 5, 7, 7])  # five, two, one


def stream(batch_size=2, **options):
    x = np.arange(len(GROUPS), dtype="float32").reshape(-1, 1, 1)
    return SequenceStream(x, batch_size, training=True, groups=GROUPS, **options)


def test_rows_of_a_couple_are_of_one_group_and_no_sequence_is_missing():
    orders = [np.concatenate(stream(passes=2).rows(0, epoch)) for epoch in range(20)]
    for rows in orders:
        assert (GROUPS[rows[::2]] == GROUPS[rows[1::2]]).all()
        once = np.bincount(rows[:10], minlength=len(GROUPS))
        assert once.min() == 1 and once.sum() == 10 and once[5] == 2  # one of five comes twice, and the single one
    assert len({tuple(rows) for rows in orders}) == 20
    partners = {
        (min(couple), max(couple)) for rows in orders for couple in rows.reshape(-1, 2) if GROUPS[couple[0]] == 7
    }
    assert len(partners) == 10  # each with each: nobody is coupled with itself where there are others


def test_batches_are_what_the_rows_say():
    batches = [x.numpy().reshape(-1).astype(int).tolist() for x in stream(4).dataset]
    assert batches == [rows.tolist() for rows in stream(4).rows(0, 0)] and len(batches) == stream(4).batches == 2


def test_devices_that_would_part_couples_are_refused():
    with pytest.raises(InputError, match="multiple of 4"):
        stream(2).part(0, 2)
