"""Data of other libraries. Where mirdata is installed its own classes are used, else objects with their attributes."""

import csv
import json
import types

import numpy as np
import pytest
import soundfile

from tsdsae_keras.data.prepared.splits import split_by_group
from tsdsae_keras.data.prepared.store import PreparedData
from tsdsae_keras.data.sets.recordings.adapters import from_mirdata, from_tfds
from tsdsae_keras.data.sets.recordings.prepare import prepare_recordings
from tsdsae_keras.data.sets.recordings.segments import SoundSettings
from tsdsae_keras.errors import InputError

pytestmark = pytest.mark.no_backend

RATE = 16000


def sound(number, seconds=1.0):
    return (0.4 * np.sin(2 * np.pi * (200 + 13 * number) * np.arange(int(seconds * RATE)) / RATE)).astype(np.float32)


class Track:
    """As mirdata's tracks: attributes that are paths or texts."""

    def __init__(self, number, path, instrument, player, split):
        self.track_id, self.audio_path = f"t{number}", path
        self.instrument, self.player, self.split = instrument, player, split


class Dataset:
    def __init__(self, home, tracks):
        self.data_home, self._tracks = str(home), tracks

    def load_tracks(self):
        return {track.track_id: track for track in self._tracks}


@pytest.fixture
def tracks(tmp_path):
    made = []
    for number in range(12):
        path = tmp_path / "home" / "audio" / f"{number:02d}.wav"
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, sound(number), RATE)
        made.append(Track(number, str(path), ("flute", "oboe")[number % 2], f"p{number // 2}", None))
    return made


def test_tracks_become_recordings_and_sequences(tmp_path, tracks):
    dataset = Dataset(tmp_path / "home", tracks)
    recordings, left_out = from_mirdata(dataset, labels={"instrument": "instrument"}, group="player")
    assert not left_out and [each.name for each in recordings][:2] == ["audio/00.wav", "audio/01.wav"]
    assert recordings[3].labels == {"instrument": "oboe"} and recordings[3].group == "p1"
    folder = prepare_recordings(recordings, left_out, SoundSettings(segment=1.0), tmp_path / "out").folder
    data = PreparedData(folder)
    assert sum(data.counts.values()) == 12 and data.label_names["instrument"] == ["flute", "oboe"]
    groups = [set(data.labels(split)["group"].tolist()) for split in data.counts]
    assert sum(map(len, groups)) == len(set.union(*groups)) == 6


def test_what_a_track_may_lack(tmp_path, tracks):
    tracks[0].audio_path, tracks[1].audio_path = None, str(tmp_path / "home" / "gone.wav")
    tracks[2].audio_path, tracks[4].instrument = tracks[3].audio_path, None
    tracks[5].audio_path = str(tmp_path / "elsewhere.wav")
    soundfile.write(tracks[5].audio_path, sound(99), RATE)
    dataset = Dataset(tmp_path / "home", tracks)
    recordings, left_out = from_mirdata(dataset, labels={"instrument": lambda track: track.instrument})
    assert [reason.split(":")[0] for _, reason in left_out] == [
        "another track has the same sound",
        "there is no such file",
        "mirdata gives no path of its sound",
    ]
    by_name = {each.name: each for each in recordings}
    assert by_name["audio/04.wav"].labels == {} and "t5" in by_name
    assert all(each.group == each.name for each in recordings)


def test_the_data_s_own_splits(tracks):
    for number, track in enumerate(tracks):
        track.split = ("training", "valid", "fold3")[min(number // 5, 2)]
    splits = {"training": None, "valid": "validation", "fold3": "test"}
    recordings, _ = from_mirdata(dict(enumerate(tracks)), split="split", splits=splits)
    assert set(split_by_group(recordings, 0).values()) == {"train", "validation", "test"}
    with pytest.raises(InputError, match=r"split 'fold3'; say what it is: splits=\{'fold3'"):
        from_mirdata(dict(enumerate(tracks)), split="split")


def test_mirdata_refusals(tracks):
    with pytest.raises(InputError, match=r"no 'voice'; it has .*instrument, player"):
        from_mirdata({1: tracks[0]}, group="voice")
    with pytest.raises(InputError, match="has no group"):
        from_mirdata({1: tracks[0]}, group="split")
    tracks[0].audio_path = None
    for given in ({}, {1: tracks[0]}):
        with pytest.raises(InputError, match=r"run dataset\.download"):
            from_mirdata(given)


@pytest.mark.slow  # mirdata takes long to import
def test_with_mirdata_itself(tmp_path):
    """TinySOL's own loader on an invented folder of its layout."""
    pytest.importorskip("mirdata")
    from mirdata import core
    from mirdata.datasets import tinysol

    home, index, rows = tmp_path / "tinysol", {"version": "x", "tracks": {}}, []
    for number in range(8):
        family, name = (("Brass", "Bass Tuba"), ("Winds", "Oboe"))[number % 2]
        path = f"audio/{family}/s{number}.wav"
        (home / path).parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(home / path, sound(number), RATE)
        index["tracks"][f"s{number}"] = {"audio": [path, None]}
        about = [path, number % 5, family, name[:2], name, "ord", "ordinario", "A4", 69, "mf", 2, number // 2, "", ""]
        rows.append(about)
    (home / "annotation").mkdir()
    (home / "index.json").write_text(json.dumps(index))
    indexes = {"default": "x", "test": "x", "x": core.Index(filename=str(home / "index.json"))}
    dataset = tinysol.Dataset.__new__(tinysol.Dataset)
    core.Dataset.__init__(dataset, str(home), name="tinysol", track_class=tinysol.Track, indexes=indexes)
    options = {"labels": {"instrument": "instrument_full", "pitch": "pitch_id"}, "group": "instance_id"}
    with pytest.raises(InputError, match=r"Metadata not found.*run dataset\.download"):
        from_mirdata(dataset, **options)
    dataset = tinysol.Dataset.__new__(tinysol.Dataset)
    core.Dataset.__init__(dataset, str(home), name="tinysol", track_class=tinysol.Track, indexes=indexes)
    with (home / "annotation" / "TinySOL_metadata.csv").open("w", newline="") as file:
        csv.writer(file).writerows([["header"], *rows])
    recordings, left_out = from_mirdata(dataset, **options)
    assert not left_out and recordings[0].name == "audio/Brass/s0.wav"
    assert recordings[0].labels == {"instrument": "Bass Tuba", "pitch": "69"} and recordings[0].group == "0"
    assert set(split_by_group(recordings, 0).values()) == {"train", "validation", "test"}


class Label:
    """As tfds.features.ClassLabel."""

    def int2str(self, value):
        return ("flute", "oboe")[value]


class Features:
    """As tfds.features.FeaturesDict, which is not a dictionary."""

    def __init__(self, **features):
        self._features = features

    def __getitem__(self, name):
        return self._features[name]


INFO = types.SimpleNamespace(
    features=Features(
        audio=types.SimpleNamespace(sample_rate=RATE), id=object(), instrument=Features(family=Label(), label=object())
    )
)


def examples(numbers, audio=sound):
    for n in numbers:
        instrument = {"family": np.int64(n % 2), "label": np.int64(n // 2)}
        yield {"id": f"note {n}".encode(), "audio": audio(n), "instrument": instrument}


OPTIONS = {"info": INFO, "name": "id", "labels": {"instrument": "instrument/family"}, "group": "instrument/label"}


def test_examples_become_files_recordings_and_sequences(tmp_path):
    recordings, left_out = from_tfds(examples(range(12)), tmp_path / "sounds", **OPTIONS)
    assert not left_out and recordings[0].name == "note_0.wav" and recordings[0].group == "0"
    assert recordings[1].labels == {"instrument": "oboe"} and recordings[1].split is None
    samples, rate = soundfile.read(recordings[0].path, dtype="float32")
    assert rate == RATE and np.array_equal(samples, sound(0))
    folder = prepare_recordings(recordings, left_out, SoundSettings(segment=1.0), tmp_path / "out").folder
    assert sum(PreparedData(folder).counts.values()) == 12


def test_files_are_the_same_however_often_they_are_written(tmp_path):
    def hash_sounds(numbers):
        recordings = from_tfds(examples(numbers), tmp_path, **OPTIONS)[0]
        return [(each.path.read_bytes(), each.path.stat().st_mtime_ns) for each in recordings]

    assert hash_sounds(range(3)) == hash_sounds([2, 0, 1])
    again, _ = from_tfds(examples(range(3), audio=lambda n: sound(n) / 2), tmp_path, **OPTIONS)
    assert soundfile.read(again[1].path)[0].max() == pytest.approx(0.2, abs=1e-3)


def test_splits_as_tfds_gives_them(tmp_path):
    parts = {"train": examples(range(4)), "valid": examples(range(4, 6)), "test": examples(range(6, 8))}
    recordings, _ = from_tfds(parts, tmp_path, **OPTIONS)
    assert [each.name for each in recordings if each.split == "validation"] == ["valid/note_4.wav", "valid/note_5.wav"]
    assert split_by_group(recordings, 0) == {each.name: each.split for each in recordings}


def test_integers_channels_and_numbers_for_names(tmp_path):
    stereo = np.array([[16384, -32768]] * RATE, np.int64)
    recordings, _ = from_tfds([{"sound": stereo}], tmp_path, sample_rate=RATE, audio="sound")
    assert recordings[0].name == recordings[0].group == "00000000.wav" and recordings[0].labels == {}
    assert soundfile.read(recordings[0].path)[0][0].tolist() == [0.5, -1.0]


def test_a_tf_data_set(tmp_path):
    tf = pytest.importorskip("tensorflow")
    dataset = tf.data.Dataset.from_tensor_slices({"audio": np.stack([sound(0), sound(1)]), "id": ["a", "b"]})
    recordings, _ = from_tfds(dataset, tmp_path, sample_rate=RATE, name="id")
    assert [each.name for each in recordings] == ["a.wav", "b.wav"]


def test_sounds_that_are_none_are_left_out(tmp_path):
    bad = [np.zeros(0), np.zeros((2, 2, 2)), np.array([0.0, np.nan]), np.array([1e9]), np.array([True])]
    rows = [{"audio": each} for each in (*bad, sound(1))]
    recordings, left_out = from_tfds(rows, tmp_path, sample_rate=RATE)
    assert [each.name for each in recordings] == ["00000005.wav"] and len(left_out) == 5
    assert [each.name for each in tmp_path.iterdir()] == ["00000005.wav"]
    with pytest.raises(InputError, match=r"no sound that can be used .*00000000\.wav: its sound has shape"):
        from_tfds(rows[:5], tmp_path, sample_rate=RATE)


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"sample_rate": None}, "sample_rate is None"),
        ({"audio": "wave"}, "no feature 'wave': at 'wave' there are id, audio, instrument"),
        ({"labels": {"instrument": "instrument/kind"}}, "at 'kind' there are family, label"),
        ({"name": lambda example: "same"}, "two examples are named 'same'"),
    ],
)
def test_tfds_refusals(tmp_path, options, text):
    with pytest.raises(InputError, match=text):
        from_tfds(examples(range(2)), tmp_path, **{"sample_rate": RATE} | options)
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(InputError, match="cannot be written"):
        from_tfds(examples(range(2)), tmp_path / "file", sample_rate=RATE)
    with pytest.raises(InputError, match="split 'fold0'"):
        from_tfds({"fold0": examples(range(2))}, tmp_path, sample_rate=RATE)
