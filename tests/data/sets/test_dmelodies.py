import json
import logging
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from tsdsae_keras.data.prepared.store import PreparedData
from tsdsae_keras.data.sets import melodies as grid
from tsdsae_keras.data.sets.cards.dmelodies import MelodySettings
from tsdsae_keras.data.sets.dmelodies import draw_examples, prepare_melodies
from tsdsae_keras.errors import InputError

pytestmark = pytest.mark.no_backend

MANY = 80
PREPARE = """
import sys
from tests.data.sets.test_dmelodies import additive
from tsdsae_keras.data.sets import dmelodies
dmelodies.SHARD_SIZE = 8
dmelodies.prepare_melodies(additive(sys.argv[1], int(sys.argv[2]), workers=1))
"""


def additive(cache, melodies=40, **more):
    return MelodySettings(cache=str(cache), melodies=melodies, synth="additive", **more)


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    return PreparedData(prepare_melodies(additive(tmp_path_factory.mktemp("data"))).folder)


def test_the_study_is_split_eight_one_one():
    examples = draw_examples(MelodySettings())
    assert [len(indices) for indices, _ in examples.values()] == [2400, 300, 300]
    assert len(np.unique(np.concatenate([indices for indices, _ in examples.values()]))) == 3000
    for _, instruments in examples.values():
        assert np.bincount(instruments).tolist() == [len(instruments) // 2] * 2


@pytest.mark.parametrize("melodies", [6, 7, 11, 40, 99])
def test_small_sets_have_every_instrument_in_every_split(melodies):
    examples = draw_examples(MelodySettings(melodies=melodies))
    assert sum(len(indices) for indices, _ in examples.values()) == melodies
    assert all(set(instruments) == {0, 1} for _, instruments in examples.values())


def test_labels_belong_to_their_sounds(prepared):
    seen = []
    for split in prepared.counts:
        labels, features = prepared.labels(split), prepared.features(split)
        assert features.shape == (prepared.counts[split], 251, 80) and features.dtype == np.float32
        assert np.array_equal(np.ravel_multi_index(tuple(labels["factors"].T), grid.SIZES), labels["melody"])
        assert np.array_equal(grid.frame_notes(grid.notes_of(labels["melody"]), 251, 256, 16000), labels["notes"])
        rests = features.max(axis=2)[labels["notes"] == 0].mean()
        assert rests < features.max(axis=2)[labels["notes"] > 0].mean() - 3
        seen.extend(labels["melody"])
    assert len(set(seen)) == 40
    assert prepared.label_names["instrument"] == ["violin", "trumpet"]
    assert prepared.manifest["synth"]["name"] == "additive"


def test_a_floor_makes_other_data_in_which_nothing_lies_below_it(prepared, tmp_path):
    floored = prepare_melodies(additive(tmp_path, floor_db=70.0))
    assert floored.front_end == {**prepared.front_end, "floor_db": 70.0} and "floor_db" not in prepared.front_end
    power = np.exp(prepared.features("test").astype("float64")) - 2.2e-16
    expected = np.log(power + 1e-7 * power.max((1, 2), keepdims=True))
    np.testing.assert_allclose(floored.features("test"), expected, atol=1e-4)


def test_a_second_run_finds_the_first_and_another_setting_does_not(prepared, tmp_path, caplog):
    caplog.set_level(logging.INFO, logger="tsdsae_keras")
    folder = prepare_melodies(additive(prepared.folder.parent)).folder
    assert folder == prepared.folder and len(caplog.messages) == 1 and "already prepared" in caplog.messages[0]
    other = prepare_melodies(additive(tmp_path, 6, data_seed=1, workers=1)).folder
    assert other.name != folder.name


def test_a_killed_run_resumes_and_ends_in_the_same_bytes(tmp_path):
    command = [sys.executable, "-c", PREPARE]
    broken = subprocess.Popen([*command, str(tmp_path / "broken"), str(MANY)])
    kept = _wait_for_shards(tmp_path / "broken", broken)
    broken.send_signal(signal.SIGKILL)
    broken.wait()
    partial = next((tmp_path / "broken").glob("*.partial"))
    first = next(partial.glob("train-00000.features.npy")).stat().st_mtime_ns
    for cache in ("broken", "whole"):
        subprocess.run([*command, str(tmp_path / cache), str(MANY)], check=True, capture_output=True)
    broken, whole = (next((tmp_path / cache).glob("dmelodies-*")) for cache in ("broken", "whole"))
    files = {path.name: path.read_bytes() for path in whole.iterdir()}
    assert {path.name: path.read_bytes() for path in broken.iterdir()} == files
    assert 0 < kept < len(files) - 1
    assert (broken / "train-00000.features.npy").stat().st_mtime_ns == first


def _wait_for_shards(cache, process):
    for _ in range(6000):
        for progress in cache.glob("*.partial/progress.json"):
            files = len(json.loads(progress.read_bytes())["files"])
            if files >= 10:
                return files
        assert process.poll() is None, "the run ended before it could be killed"
        time.sleep(0.01)
    raise AssertionError("no shard was written")


def test_a_foreign_folder_in_the_way_is_left_alone(prepared, tmp_path):
    foreign = tmp_path / prepared.folder.name
    foreign.mkdir()
    (foreign / "letter.txt").write_text("mine")
    with pytest.raises(InputError, match="not prepared data"):
        prepare_melodies(additive(tmp_path))
    assert [path.name for path in foreign.iterdir()] == ["letter.txt"]
    foreign.rename(foreign.with_name(foreign.name + ".partial"))
    with pytest.raises(InputError, match="not from an interrupted run"):
        prepare_melodies(additive(tmp_path))


@pytest.mark.parametrize(
    ("settings", "word"),
    [
        ({"melodies": 7057}, "allow 6 to 7056"),
        ({"melodies": 5}, "allow 6 to 7056"),
        ({"programs": (40, 40)}, "twice"),
        ({"programs": (128,)}, "0 to 127"),
        ({"octaves": (3,)}, "4, 5, 6"),
    ],
)
def test_refusals(settings, word):
    with pytest.raises(InputError, match=word):
        draw_examples(MelodySettings(**settings))


def test_a_cache_that_is_a_file_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="another place"):
        prepare_melodies(additive(tmp_path / "file", 6))
