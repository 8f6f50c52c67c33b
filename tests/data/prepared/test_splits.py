"""Laws of splitting: whatever the names, groups, labels and seed, no group is in two splits."""

import collections

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tsdsae_keras.data.prepared.splits import SPLITS, check_disjoint, split_by_group
from tsdsae_keras.data.sets.recordings.sound_file import SoundFile
from tsdsae_keras.errors import InputError

pytestmark = pytest.mark.no_backend

SHARES = (0.8, 0.1, 0.1)
ANY = st.lists(
    st.tuples(
        st.text(max_size=4),  # group
        st.sampled_from((None, "a", "b", "c")),  # instrument
        st.sampled_from((None, None, None, None, None, *SPLITS)),
    ),
    max_size=25,
)


def recordings_of(rows):
    """Recordings of (group, instrument, split)."""
    return [
        SoundFile(f"{number:05d}", None, {"instrument": label} if label else {}, group, split)
        for number, (group, label, split) in enumerate(rows)
    ]


def groups_of(recordings, split):
    found = {name: [] for name in SPLITS}
    for each in recordings:
        found[split[each.name]].append(each.group)
    return found


@settings(max_examples=40, deadline=None)
@given(ANY, st.integers(0, 2**32), st.randoms(use_true_random=False))
def test_any_recordings_are_split_without_leaks_or_refused_in_one_line(rows, seed, random):
    recordings = recordings_of(rows)
    try:
        split = split_by_group(recordings, seed)
    except InputError as error:
        assert "\n" not in str(error)
        return
    assert list(split) == [each.name for each in recordings]
    groups = groups_of(recordings, split)
    check_disjoint(groups)
    assert all(groups.values())
    assert all(split[each.name] == each.split for each in recordings if each.split)
    trained = {each.labels.get("instrument") for each in recordings if split[each.name] == "train"}
    assert {each.labels["instrument"] for each in recordings if each.labels} <= trained
    random.shuffle(recordings)
    assert split_by_group(recordings, seed) == split


@settings(max_examples=8, deadline=None)
@given(st.integers(10, 60), st.integers(1, 4), st.integers(1, 3), st.integers(0, 99))
def test_shares_are_as_asked_and_instruments_in_proportion(groups, size, instruments, seed):
    rows = [(str(number), "abc"[number % instruments], None) for number in range(groups * instruments)] * size
    recordings = recordings_of(rows)
    split = split_by_group(recordings, seed)
    for label in "abc"[:instruments]:
        counts = collections.Counter(split[each.name] for each in recordings if each.labels["instrument"] == label)
        for name, share in zip(SPLITS, SHARES, strict=True):
            assert abs(counts[name] - share * groups * size) <= 1.5 * size, (label, counts)


def test_groups_of_all_sizes_come_near_the_shares():
    sizes = np.random.default_rng(0).geometric(0.2, 60)
    recordings = recordings_of([(str(group), None, None) for group, size in enumerate(sizes) for _ in range(size)])
    counts = collections.Counter(split_by_group(recordings, 0).values())
    for name, share in zip(SPLITS, SHARES, strict=True):
        assert counts[name] / sizes.sum() == pytest.approx(share, abs=0.02)
    other = collections.Counter(split_by_group(recordings, 0, (0.5, 0.2, 0.3)).values())
    assert other["test"] / sizes.sum() == pytest.approx(0.3, abs=0.02)


def test_seeds_differ():
    recordings = recordings_of([(str(group), None, None) for group in range(40)])
    assert len({tuple(split_by_group(recordings, seed).values()) for seed in range(5)}) == 5


def test_instruments_of_few_groups_are_trained_on():
    """Each of 200 instruments has two groups; a plain draw would leave some out of training nearly always."""
    recordings = recordings_of([(f"{i}-{k}", f"{i}", None) for i in range(200) for k in range(2)])
    split = split_by_group(recordings, 0)
    trained = {each.labels["instrument"] for each in recordings if split[each.name] == "train"}
    assert len(trained) == 200
    alone = recordings_of([("only", "rare", None), *((str(i), "often", None) for i in range(9))])
    assert all(split_by_group(alone, seed)["00000"] == "train" for seed in range(10))


def test_many_recordings_take_seconds():
    recordings = recordings_of([(str(i), "abcdefgh"[i % 8], None) for i in range(30_000)])
    counts = collections.Counter(split_by_group(recordings, 0).values())
    assert counts["test"] == pytest.approx(3000, abs=30)


def test_the_data_s_own_splits_stay_and_their_groups_follow():
    rows = [("g", "a", "test"), ("g", "a", None), *((str(i), "a", None) for i in range(20))]
    split = split_by_group(recordings_of(rows), 3)
    assert [name for name in split if split[name] == "test"] == ["00000", "00001"]
    assert collections.Counter(split.values())["validation"] == 2  # of twenty that are drawn, 0.1 / 0.9
    own = recordings_of([("a", None, "train"), ("b", None, "validation"), ("c", None, "test")])
    assert split_by_group(own, 0) == {each.name: each.split for each in own}


@pytest.mark.parametrize(
    ("rows", "text"),
    [
        ([], "0 group"),
        ([("one", None, None), ("two", None, None)] * 4, r"2 group\(s\) \('one', 'two'\).*--split-by file"),
        ([("g", None, "train"), ("g", None, "test")], "group 'g' in train and in test"),
        ([("g", None, "train"), ("h", None, "test")], "leave none for validation"),
        ([("g", None, "dev")] * 3, "split 'dev'; it should be train"),
        ([(name, name, None) for name in "abc"], "every instrument in training; 'a' is in the fewest"),
        ([("a", "x", "train"), ("b", "x", "validation"), ("c", "y", "test")], "'y' .00002. would be missing"),
    ],
)
def test_refusals_name_the_remedy(rows, text):
    with pytest.raises(InputError, match=text) as caught:
        split_by_group(recordings_of(rows), 0)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("shares", [(1, 0, 0), (0.5, 0.5), (0.8, 0.1, float("nan")), (2, -1, 1)])
def test_shares_that_are_none(shares):
    with pytest.raises(InputError, match="three numbers above 0"):
        split_by_group(recordings_of([(name, None, None) for name in "abcd"]), 0, shares)


def test_names_stand_once():
    with pytest.raises(InputError, match="named '00000'"):
        split_by_group([*recordings_of([("a", None, None)]), *recordings_of([("b", None, None)])], 0)


def test_a_group_in_two_splits_is_refused():
    check_disjoint({"train": np.array([1, 2, 2]), "validation": np.array([3]), "test": ["x"]})
    with pytest.raises(InputError, match="group 2 is in train and in test"):
        check_disjoint({"train": np.array([1, 2, 2]), "validation": np.array([3]), "test": np.array([4, 2])})
