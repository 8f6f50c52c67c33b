"""A small synthetic copy of NSynth's folders: invented sound under its names. It is not NSynth."""

import json
import shutil

import numpy as np
import pytest
import soundfile

from tsdsae_keras.data.prepared.splits import split_by_group
from tsdsae_keras.data.prepared.store import PreparedData
from tsdsae_keras.data.sets.recordings.nsynth import WARNING, list_nsynth
from tsdsae_keras.data.sets.recordings.prepare import prepare_recordings
from tsdsae_keras.data.sets.recordings.segments import SoundSettings
from tsdsae_keras.errors import InputError

pytestmark = pytest.mark.no_backend

RATE = 16000
# folder: instruments (family, source, number)
FOLDERS = {
    "train": [(family, "acoustic", i) for family in ("brass", "string") for i in range(4)] + [("bass", "synthetic", 7)],
    "valid": [("brass", "acoustic", 90), ("string", "acoustic", 91)],
    "test": [("brass", "acoustic", 90), ("string", "acoustic", 91)],
}
PITCHES = {"train": (60, 64), "valid": (60,), "test": (64,)}


def write_folder(folder, instruments, pitches):
    (folder / "audio").mkdir(parents=True)
    notes = {}
    for family, source, number in instruments:
        name = f"{family}_{source}_{number:03d}"
        for pitch in pitches:
            note = f"{name}-{pitch:03d}-100"
            notes[note] = {
                **{"note": len(notes), "note_str": note, "instrument": number, "instrument_str": name},
                **{"instrument_family": 1, "instrument_family_str": family, "pitch": pitch, "velocity": 100},
                **{"instrument_source": 0, "instrument_source_str": source, "sample_rate": RATE},
                **{"qualities": [0] * 10, "qualities_str": []},
            }
            hz = 440 * 2 ** ((pitch - 69) / 12)
            samples = 0.2 * np.sin(2 * np.pi * hz * np.arange(4 * RATE) / RATE + number + len(family) / 10)
            soundfile.write(folder / "audio" / f"{note}.wav", samples, RATE)
    (folder / "examples.json").write_text(json.dumps(notes, indent=1))
    return notes


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    root = tmp_path_factory.mktemp("nsynth")
    for split, instruments in FOLDERS.items():
        write_folder(root / f"nsynth-{split}", instruments, PITCHES[split])
    return root


def test_notes_with_what_is_known_of_them(root):
    recordings, left_out = list_nsynth(root)
    assert not left_out and len(recordings) == 22
    by_name = {each.name: each for each in recordings}
    note = by_name["nsynth-train/audio/string_acoustic_002-064-100.wav"]
    assert note.labels == {"instrument": "string", "source": "acoustic", "pitch": "64", "velocity": "100"}
    assert note.group == note.loudness_group == "string_acoustic_002" and note.split is None and note.path.is_file()


def test_no_instrument_in_two_splits(root):
    recordings, _ = list_nsynth(root, families=("brass", "string"))
    split = split_by_group(recordings, 0)
    where = {}
    for each in recordings:
        where.setdefault(each.group, set()).add(split[each.name])
    assert len(where) == 10 and all(len(splits) == 1 for splits in where.values())


def test_the_published_split_shares_instruments_between_validation_and_test_alone(root):
    recordings, _ = list_nsynth(root, split="published")
    split = split_by_group(recordings, 0)
    assert all(f"nsynth-{split[each.name][:4]}" in each.name for each in recordings)
    instruments = {name: {each.loudness_group for each in recordings if each.split == name} for name in split.values()}
    assert instruments["validation"] == instruments["test"] and not instruments["test"] & instruments["train"]
    assert "validation and test" in WARNING


def test_from_files_to_sequences(root, tmp_path):
    recordings, left_out = list_nsynth(root, families=("brass", "string"))
    folder = prepare_recordings(recordings, left_out, SoundSettings(), tmp_path / "data").folder
    data = PreparedData(folder)
    assert sum(data.counts.values()) == 20 and data.frames == 251
    assert data.label_names["instrument"] == ["brass", "string"]
    assert data.label_names["levels"]["pitch"] == ["60", "64"]
    assert "2 notes of family bass" in (folder / "skipped.csv").read_text()


def test_families_and_sources_are_counted_where_left_out(root):
    recordings, left_out = list_nsynth(root, sources="acoustic", families=["string"])
    assert {each.labels["instrument"] for each in recordings} == {"string"}
    assert ("nsynth-train/examples.json", "8 notes of family brass") in left_out and len(left_out) == 4


def test_what_is_not_there_or_not_listed_is_said(root, tmp_path):
    shutil.copytree(root / "nsynth-test", tmp_path / "a")
    notes = json.loads((tmp_path / "a" / "examples.json").read_text())
    (tmp_path / "a" / "audio" / "string_acoustic_091-064-100.wav").unlink()
    (tmp_path / "a" / "audio" / "stranger.wav").write_bytes(b"")
    notes |= {"x": 3, "y": {"instrument_family_str": "reed", "pitch": 3.5}}
    notes["../audio/stranger"] = notes[next(iter(notes))]
    (tmp_path / "a" / "examples.json").write_text(json.dumps(notes))
    recordings, left_out = list_nsynth(tmp_path / "a")
    assert [each.name for each in recordings] == ["audio/brass_acoustic_090-064-100.wav"]
    reasons = dict(left_out)
    assert "no such file" in reasons["audio/string_acoustic_091-064-100.wav"]
    assert "no such file" in reasons["audio/../audio/stranger.wav"]
    assert "not listed" in reasons["audio/stranger.wav"]
    assert "not an object" in reasons["audio/x.wav"] and "lacks instrument_source_str" in reasons["audio/y.wav"]
    with pytest.raises(InputError, match="does not say its split"):
        list_nsynth(tmp_path / "a", split="published")


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"families": ("violin",)}, "family 'violin' is not in NSynth: choose bass, brass"),
        ({"sources": ()}, r"source \(\) is not in NSynth"),
        ({"split": "note"}, "'note'; choose instrument or published"),
        ({"families": "flute"}, "no note to take .*1 notes of family brass"),
    ],
)
def test_refusals(root, options, text):
    with pytest.raises(InputError, match=text):
        list_nsynth(root, **options)


@pytest.mark.parametrize("content", ["", "[1]", "{", '{"a":'])
def test_a_list_that_is_none(tmp_path, content):
    (tmp_path / "audio").mkdir()
    (tmp_path / "examples.json").write_text(content)
    with pytest.raises(InputError, match=r"examples\.json"):
        list_nsynth(tmp_path)
    with pytest.raises(InputError, match=r"holds no examples\.json"):
        list_nsynth(tmp_path / "audio")
