import numpy as np
import pytest

from tsdsae_keras.data.sets import melodies as grid
from tsdsae_keras.errors import InputError

pytestmark = pytest.mark.no_backend


def test_index_and_factors_are_inverse():
    index = np.random.default_rng(0).integers(0, grid.MELODIES, 5000)
    index[:2] = 0, grid.MELODIES - 1
    factors = grid.factors_of(index)
    assert np.array_equal(np.ravel_multi_index(tuple(factors.T), grid.SIZES), index)
    assert factors[0].tolist() == [0] * 9
    assert factors[1].tolist() == [size - 1 for size in grid.SIZES]


def test_counts():
    assert grid.MELODIES == 1_354_752
    assert len(grid.paper_subset()) == 7056
    assert len(grid.paper_subset(octaves=(4, 5))) == 2 * 7056
    assert len(grid.subset(tonic="C", arp_1=("up", "down"))) == grid.MELODIES // 12


def test_paper_subset_sounds_at_both_ends():
    notes = grid.notes_of(grid.paper_subset())
    assert notes[:, 0].all() and notes[:, 15].all()
    assert (np.count_nonzero(notes, axis=1) == 12).all()


def test_a_melody_worked_out_by_hand():
    # D minor, octave 5; slots 0-5 of bar 1, 2-7 of bar 2; IV and the last I descend. D in octave 5 is MIDI 74.
    factors = [2, 1, 1, 0, 27, 0, 1, 0, 1]
    one, four, five = (74, 77, 81), (86, 82, 79), (81, 85, 88)
    expected = [*one, *four, 0, 0, 0, 0, *five, 81, 77, 74]
    assert grid.notes_of(factors=factors).tolist() == expected
    assert grid.notes_of(int(np.ravel_multi_index(factors, grid.SIZES))).tolist() == expected


def test_frame_notes_follow_the_frame_centres():
    notes = np.arange(60, 76)
    frames = grid.frame_notes(notes, 251, 256, 16000)
    assert frames[0] == 60 and frames[15] == 60 and frames[16] == 61  # 15 * 256 < 4000 <= 16 * 256
    assert frames[250] == 75
    assert grid.frame_notes(notes, 260, 256, 16000)[251:].tolist() == [0] * 9


@pytest.mark.parametrize(
    ("call", "word"),
    [
        (lambda: grid.factors_of(grid.MELODIES), "1354751"),
        (lambda: grid.factors_of(1.5), "integers"),
        (lambda: grid.notes_of(factors=[0] * 8), "nine|9"),
        (lambda: grid.notes_of(factors=[0, 3, 0, 0, 0, 0, 0, 0, 0]), "octave 3.*0 to 2"),
        (lambda: grid.subset(key=("C",)), "tonic, octave"),
        (lambda: grid.subset(tonic=("H",)), "'H'.*A#"),
        (lambda: grid.subset(octave=()), "4, 5, 6"),
        (lambda: grid.notes_of(), "one of the two"),
    ],
)
def test_refusals_show_what_would_be_right(call, word):
    with pytest.raises(InputError, match=word):
        call()
