"""A small synthetic copy of both layouts of URMP on disk: invented sound under its names. It is not URMP."""

import json

import numpy as np
import pytest
import soundfile

from tsdsae_keras.data.audio.pitch_confidence import confidence, voiced_share
from tsdsae_keras.data.prepared.splits import split_by_group
from tsdsae_keras.data.prepared.store import PreparedData
from tsdsae_keras.data.sets.recordings.prepare import prepare_recordings
from tsdsae_keras.data.sets.recordings.segments import SoundSettings
from tsdsae_keras.data.sets.recordings.sound_file import SoundFile
from tsdsae_keras.data.sets.recordings.urmp import WARNING, list_urmp
from tsdsae_keras.errors import InputError

pytestmark = pytest.mark.no_backend

RATE = 48000
PIECES = ["01_Alpha_vn_vc", "02_Beta_tpt_vn", "03_Gamma_vn_tpt", "04_Gamma_vn_tpt_sax"]
PIECES += ["05_Delta_tpt_tpt", "06_Eps_vn_vn"]


def tone(rate, seconds, hz):
    return 0.3 * np.sin(2 * np.pi * hz * np.arange(int(rate * seconds)) / rate)


def write_original(root, seconds=2.3):
    """Pieces whose left channel is a tone and whose right one its opposite, so that their mean would be silent."""
    for number, piece in enumerate(PIECES):
        digits, title, *codes = piece.split("_")
        (root / piece).mkdir(parents=True)
        for k, code in enumerate(codes, start=1):
            left = tone(RATE, seconds, 220 + 40 * number + 15 * k)
            stem = f"{k}_{code}_{digits}_{title}"
            stereo = np.stack([left, -left], axis=1)
            soundfile.write(root / piece / f"AuSep_{stem}.wav", stereo, RATE, subtype="PCM_24")
            times = 0.023 + 0.01 * np.arange(int((seconds - 0.046) / 0.01) + 1)
            lines = [f"{time:.3f}\t{220.0 if time < 1 else 0.0:.3f}" for time in times]
            (root / piece / f"F0s_{stem}.txt").write_text("\n".join(lines) + "\n")
            (root / piece / f"Notes_{stem}.txt").write_text(f"0.023\t220.0\t{seconds}\n")
        soundfile.write(root / piece / f"AuMix_{piece}.wav", np.zeros((480, 2)), RATE, subtype="PCM_24")


def write_published(root):
    for code, hz in (("vn", 300), ("tpt", 400)):
        for split, count in (("train", 8), ("val", 2), ("test", 2)):
            for kind in ("audio", "control"):
                (root / code / split / kind).mkdir(parents=True)
            for i in range(count):
                stem = f"AuSep_1_{code}_{i % 4 + 1:02d}_Piece{i % 4}_{i}"
                samples = tone(16000, 1.0, hz + 7 * i + len(split)).astype(np.float32)
                np.save(root / code / split / "audio" / f"audio_{stem}.npy", samples)
                np.save(root / code / split / "control" / f"control_{stem}.npy", samples[:10])


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    root = tmp_path_factory.mktemp("urmp")
    write_original(root / "Dataset")
    (root / "Dataset" / "Supplementary_Files").mkdir()
    soundfile.write(root / "Dataset" / "Supplementary_Files" / "AuSep_1_vn_99_No.wav", np.zeros(48), RATE)
    (root / "Dataset" / PIECES[0] / "._AuSep_1_vn_01_Alpha.wav").write_bytes(b"left by another system")
    return root


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    root = tmp_path_factory.mktemp("published")
    write_published(root)
    return root


def test_parts_of_the_original(original):
    recordings, left_out = list_urmp(original)
    by_name = {each.name: each for each in recordings}
    assert len(by_name) == 11 and [*by_name] == sorted(by_name)
    first = by_name["Dataset/02_Beta_tpt_vn/AuSep_2_vn_02_Beta.wav"]  # whose instrument ends the folder's name
    assert first.labels == {"instrument": "violin"} and first.channel == 0 and first.split is None
    assert first.pitch.name == "F0s_2_vn_02_Beta.txt" and first.loudness_group == "vn"
    reasons = dict(left_out)
    assert "not asked for" in reasons["Dataset/01_Alpha_vn_vc/AuSep_2_vc_01_Alpha.wav"]
    assert "mixture" in reasons["Dataset/05_Delta_tpt_tpt/AuMix_05_Delta_tpt_tpt.wav"]
    assert "supplement" in reasons["Dataset/Supplementary_Files"] and len(left_out) == 2 + len(PIECES) + 1
    below, _ = list_urmp(original / "Dataset", ("vn", "tpt", "sax", "vc"))
    assert len(below) == 13 and below[0].name == "01_Alpha_vn_vc/AuSep_1_vn_01_Alpha.wav"


def test_arrangements_of_one_title_go_together(original):
    recordings, _ = list_urmp(original)
    for seed in range(4):
        split = split_by_group(recordings, seed)
        assert len({split[each.name] for each in recordings if "Gamma" in each.name}) == 1
        trained = {each.labels["instrument"] for each in recordings if split[each.name] == "train"}
        assert trained == {"violin", "trumpet"}


def test_the_original_from_files_to_sequences(original, tmp_path):
    recordings, left_out = list_urmp(original)
    settings = SoundSettings(segment=1.0, min_pitch_confidence=0.85, normalise_by="group")
    folder = prepare_recordings(recordings, left_out, settings, tmp_path / "data", source="urmp").folder
    data = PreparedData(folder)
    # Of two whole seconds the first is voiced in the F0 file; of the eleven parts none is silent, as the left is read.
    assert sum(data.counts.values()) == 11
    assert data.label_names["instrument"] == ["trumpet", "violin"]
    for split in data.counts:
        assert (data.labels(split)["start"] == 0).all() and data.features(split).max() > 0
    groups = [set(data.labels(split)["group"].tolist()) for split in data.counts]
    assert sum(map(len, groups)) == len(set.union(*groups)) == 5
    skipped = (folder / "skipped.csv").read_text()
    assert skipped.count("pitch confidence of 0.0") == 11 and "mixture" in skipped and "Supplementary" in skipped


def test_the_published_form(published):
    recordings, left_out = list_urmp(published, split="published")
    assert not left_out and len(recordings) == 24 and len({each.group for each in recordings}) == 24
    split = split_by_group(recordings, 0)
    assert all(split[each.name] == each.split for each in recordings)
    assert [each.split for each in recordings if "/val/" in each.name] == ["validation"] * 4
    by_recording, _ = list_urmp(published)
    assert {each.group for each in by_recording} == {f"Piece{i}" for i in range(4)}
    split = split_by_group(by_recording, 0)
    assert "train" in {name.split("/")[1] for name in split if split[name] == "test"}  # the folders do not decide


def test_the_published_form_from_files_to_sequences_says_that_it_leaks(published, tmp_path):
    recordings, left_out = list_urmp(published, split="published")
    options = {"by_segment": True, "warning": WARNING, "source": "urmp"}
    folder = prepare_recordings(recordings, left_out, SoundSettings(segment=1.0), tmp_path / "data", **options).folder
    assert PreparedData(folder).counts == {"train": 16, "validation": 4, "test": 4}
    assert json.loads((folder / "manifest.json").read_text())["warning"] == WARNING


def test_where_both_forms_are_the_split_decides(original, tmp_path):
    write_original(tmp_path, seconds=0.1)
    write_published(tmp_path)
    assert {each.path.suffix for each in list_urmp(tmp_path)[0]} == {".wav"}
    assert {each.path.suffix for each in list_urmp(tmp_path, split="published")[0]} == {".npy"}
    # The original has no published folders: its segments are split by who prepares them.
    assert {each.split for each in list_urmp(original, split="published")[0]} == {None}


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"instruments": ("violin",)}, "'violin' is not an instrument of URMP: choose from vn"),
        ({"instruments": ()}, "no instrument is named"),
        ({"split": "random"}, "'random'; choose recording or published"),
        ({"instruments": "tba"}, "no recording of tba; of 19 files: 6: a mixture"),
    ],
)
def test_refusals(original, options, text):
    with pytest.raises(InputError, match=text) as caught:
        list_urmp(original, **options)
    assert "\n" not in str(caught.value)


def test_no_such_folder_and_an_empty_one(tmp_path):
    with pytest.raises(InputError, match="is not a folder"):
        list_urmp(tmp_path / "none")
    with pytest.raises(InputError, match="has no recording of vn, tpt: give the folder"):
        list_urmp(tmp_path)
    (tmp_path / "AuSep_x.wav").write_bytes(b"")
    with pytest.raises(InputError, match="1: its name is not of the form"):
        list_urmp(tmp_path)


def f0_file(path, voiced, hop=0.01):
    path.write_text("".join(f"{0.023 + hop * i:.3f} {220.0 * on}\n" for i, on in enumerate(voiced)))
    return path


def test_voiced_share_is_that_of_the_segment(tmp_path):
    path = f0_file(tmp_path / "a.txt", [1] * 200 + [0] * 200 + [1] * 100)
    assert voiced_share(path, 0.0, 2.0) == 1.0
    assert voiced_share(path, 2.1, 3.9) == 0.0
    assert voiced_share(path, 1.023, 3.023) == pytest.approx(0.5, abs=0.01)
    assert voiced_share(path, 4.023, 6.023) == pytest.approx(0.5, abs=0.03)  # half of it the file does not know
    assert voiced_share(path, 50.0, 52.0) == 0.0
    path.write_text("0.0 0\n0.01 0\n0.02 0\n")  # a changed file is read again
    assert voiced_share(path, 0.0, 2.0) == 0.0


@pytest.mark.parametrize("content", ["", "a b\n", "1.0\n2.0\n", "0.1 1\n0.1 2\n", "0.1 1\n0.2 nan\n"])
def test_f0_files_that_are_none(tmp_path, content):
    (tmp_path / "a.txt").write_text(content)
    with pytest.raises(InputError, match=r"F0 file .*a\.txt"):
        voiced_share(tmp_path / "a.txt", 0.0, 1.0)
    with pytest.raises(InputError, match="cannot be read"):
        voiced_share(tmp_path / "none.txt", 0.0, 1.0)


class Tracker:
    """Sure of the first half of what it hears."""

    def follow(self, samples, rate):
        assert rate == 16000
        return np.ones(len(samples)), (np.arange(len(samples)) < len(samples) / 2) * 0.8


def test_who_is_asked_for_confidence(tmp_path):
    path = f0_file(tmp_path / "a.txt", [1, 0] * 100)
    told, alone = SoundFile("a", path, pitch=path), SoundFile("a", path)
    x = tone(24000, 1.0, 440).astype(np.float32)
    noise = np.random.default_rng(0).normal(0, 0.1, 8000).astype(np.float32)
    assert confidence(x, 24000, told, 0, Tracker()) == pytest.approx(0.4)
    assert confidence(x, 24000, told, 0) == pytest.approx(0.5, abs=0.01)
    assert confidence(x[:12000], 24000, alone, 0) > 0.9 > 0.1 > confidence(noise, 16000, alone, 0)
    assert confidence(np.zeros(16000, np.float32), 16000, told, 0, Tracker()) == 0.0
    assert 0 <= confidence(x[:100], 24000, alone, 0) <= 1
