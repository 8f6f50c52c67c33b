"""Files that are not usable sound: each is listed with its reason, and the others are prepared."""

import csv
import logging
import os
import re

import numpy as np
import pytest
import soundfile

from tests.data.sets.test_folder import RATE, SMALL, noise
from tsdsae_keras.data.sets.recordings.folder import list_folder
from tsdsae_keras.data.sets.recordings.prepare import prepare_recordings
from tsdsae_keras.data.sets.recordings.segments import SoundSettings
from tsdsae_keras.data.sets.recordings.skipped import Skipped, summary
from tsdsae_keras.errors import InputError

pytestmark = pytest.mark.no_backend

ROOT = hasattr(os, "geteuid") and os.geteuid() == 0  # may read everything


def write(path, samples, rate=RATE, **options):
    path.parent.mkdir(exist_ok=True, parents=True)
    soundfile.write(path, samples, rate, **options)
    return path


def truncate(path, suffix):
    whole = write(path.with_suffix(suffix), noise(1, 60)).read_bytes()
    path.with_suffix(suffix).write_bytes(whole[: len(whole) // 2])


BAD = {
    "truncated.flac": (lambda path: truncate(path, ".flac"), "damaged after|cut off: it declares 60.00 s"),
    "truncated.ogg": (lambda path: truncate(path, ".ogg"), None),
    "zero.wav": (lambda path: path.write_bytes(b""), "is empty"),
    "text.wav": (lambda path: path.write_text("this is no sound\n" * 99), "not a sound file that can be read"),
    "infinite.wav": (lambda path: write(path, np.full(9000, np.inf), subtype="FLOAT"), "holds NaN or infinity"),
    "short.wav": (lambda path: write(path, noise(4, 0.05)), "lasts 0.05 s, shorter than a segment of 0.5 s"),
    "silent.wav": (lambda path: write(path, np.zeros(2 * RATE)), "silent: no sample is above -80 dB"),
    "constant.wav": (lambda path: write(path, np.full(3 * 44100, 0.5), 44100), r"a constant \(DC\), no sound"),
    "quiet.wav": (lambda path: write(path, noise(5, 1) * 0.005), "its level of -[67].* dB is below -50 dB"),
    "copy.wav": (lambda path: path.write_bytes((path.parent / "a0.wav").read_bytes()), "the same content as another"),
    "notes.txt": (lambda path: path.write_text("notes"), "'.txt' is not that of a sound file"),
    "README": (lambda path: path.write_text("notes"), "has no suffix"),
    "a.m4a": (lambda path: path.write_bytes(b"ftyp" * 99), ".m4a is not read here; convert it"),
    ".hidden.wav": (lambda path: write(path, noise(6, 1)), "a hidden file"),
    "loop.wav": (lambda path: path.symlink_to("loop.wav"), "a link that leads nowhere"),
    "gone.wav": (lambda path: path.symlink_to("nowhere.wav"), "a link that leads nowhere"),
    "circle": (lambda path: path.symlink_to("."), "a link to a folder, which is not followed"),
    "pipe.wav": (os.mkfifo, "not a plain file"),
    "folder.wav/": (lambda path: path.mkdir(), None),
}
GOOD = {
    "eight bits.wav": (RATE, {"subtype": "PCM_U8"}),
    "192 kHz.wav": (192000, {"subtype": "PCM_24"}),
    'it\'s "so", a, b.wav': (RATE, {}),
    "\N{VIOLIN} d\N{LATIN SMALL LETTER E WITH ACUTE}j\N{LATIN SMALL LETTER A WITH GRAVE} vu.flac": (RATE, {}),
    "UPPER.WAV": (RATE, {}),
    "deep/er/still/x.ogg": (22050, {}),
    "a0.wav": (RATE, {}),
    "a1.aiff": (RATE, {}),
    "line\nbreak.wav": (RATE, {}),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    root = tmp_path_factory.mktemp("mixed")
    for number, (name, (rate, options)) in enumerate(GOOD.items()):
        write(root / name, noise(20 + number, 1.3, rate), rate, **options)
    for name, (make, _) in BAD.items():
        make(root / name)
    return root


def read_reasons(data):
    with (data.folder / "skipped.csv").open(newline="", encoding="utf-8") as file:
        return {row["name"]: row["reason"] for row in csv.DictReader(file) if row["seconds"] in ("", "0.000")}


def test_every_bad_file_has_its_reason_and_the_good_ones_are_kept(folder, tmp_path, caplog):
    caplog.set_level(logging.INFO, logger="tsdsae_keras")
    recordings, left_out = list_folder(folder)
    data = prepare_recordings(recordings, left_out, SMALL, tmp_path / "data", workers=2)
    reasons = read_reasons(data)
    expected = {name: reason for name, (_, reason) in BAD.items() if reason}
    assert set(expected) <= set(reasons)
    for name, reason in expected.items():
        assert re.search(reason, reasons[name]), (name, reasons[name])
        assert str(folder) not in reasons[name] and "\n" not in reasons[name]
    with (data.folder / "recordings.csv").open(newline="", encoding="utf-8") as file:
        kept = {row["name"] for row in csv.DictReader(file) if row["sequences"] != "0"}
    assert set(GOOD) <= kept <= {*GOOD, "truncated.ogg"}
    assert {"left out: 2 files: a link that leads nowhere", "left out: 1 file: is empty"} <= set(caplog.messages)


def test_a_truncated_wav_is_a_shorter_one(tmp_path):
    for number in range(4):
        path = write(tmp_path / "in" / f"{number}.wav", noise(number, 2))
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])  # half, less the header: one segment and a rest
    data = prepare_recordings(*list_folder(tmp_path / "in"), SMALL, tmp_path / "data")
    assert sum(data.counts.values()) == 3 * 4 + 1


@pytest.mark.skipif(ROOT, reason="the superuser may read everything")
def test_what_may_not_be_read_is_listed(tmp_path):
    for number in range(4):
        write(tmp_path / "in" / f"{number}.wav", noise(number, 1))
    (tmp_path / "in" / "0.wav").chmod(0)
    (tmp_path / "in" / "closed").mkdir(mode=0)
    data = prepare_recordings(*list_folder(tmp_path / "in"), SMALL, tmp_path / "data")
    assert read_reasons(data) == {
        "0.wav": "cannot be read (Permission denied)",
        "closed": "cannot be listed (Permission denied)",
    }


def test_a_file_that_cannot_be_opened_is_listed(tmp_path, monkeypatch):
    for number in range(4):
        write(tmp_path / "in" / f"{number}.wav", noise(number, 1))
    from tsdsae_keras.data.sets.recordings import inputs

    real = inputs.sha256_of

    def refuse(path):
        if path.name == "0.wav":
            raise PermissionError(13, "Permission denied")
        return real(path)

    monkeypatch.setattr(inputs, "sha256_of", refuse)
    data = prepare_recordings(*list_folder(tmp_path / "in"), SMALL, tmp_path / "data")
    assert read_reasons(data) == {"0.wav": "cannot be read (Permission denied)"}


def test_nothing_usable_is_an_error_with_reasons(tmp_path):
    (tmp_path / "in").mkdir()
    with pytest.raises(InputError, match="nothing can be used: there is no file in it"):
        prepare_recordings(*list_folder(tmp_path / "in"), SMALL, tmp_path / "data")
    (tmp_path / "in" / "a.wav").write_bytes(b"")
    write(tmp_path / "in" / "b.wav", np.zeros(RATE))
    with pytest.raises(InputError) as error:
        prepare_recordings(*list_folder(tmp_path / "in"), SMALL, tmp_path / "data")
    assert "1 x is empty (a.wav)" in str(error.value) and "silent" in str(error.value)
    with pytest.raises(InputError, match="is not a folder"):
        list_folder(tmp_path / "in" / "a.wav")


def test_unequal_pitch_confidence_is_listed(tmp_path):
    for number in range(4):
        write(tmp_path / "in" / f"{number}.wav", noise(number, 1.1))
    settings = SoundSettings(segment=0.5, min_pitch_confidence=0.5, front_end=SMALL.front_end)
    data = prepare_recordings(*list_folder(tmp_path / "in"), settings, tmp_path / "data", confidence=surer_later)
    assert sum(data.counts.values()) == 4 and set(data.labels("train")["start"]) == {RATE // 2}
    assert read_reasons(data) == {f"{n}.wav": "its pitch confidence of 0.25 is below 0.5" for n in range(4)}


def surer_later(samples, rate, recording, start):
    return 0.25 if start == 0 else 0.75


def test_the_summary_counts_by_kind():
    skipped = [Skipped(str(n), float(n), f"its level of -{60 + n}.5 dB is below -50 dB") for n in range(5)]
    lines = summary([*skipped, Skipped("a", None, "is empty; give a sound file")])
    assert lines == ["left out: 5 segments: its level of ... dB is below ... dB", "left out: 1 file: is empty"]
