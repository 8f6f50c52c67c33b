"""The pool: what gets in, what stays out, and that nothing a task tests on is learned from."""

import numpy as np
import pytest
import soundfile

from tsdsae_keras.data.audio.clips import RATE
from tsdsae_keras.data.audio.synthetic import KINDS, synthesise
from tsdsae_keras.data.sets import pool_sources
from tsdsae_keras.data.sets.cards.pool import SOURCES, PoolSettings
from tsdsae_keras.data.sets.pool import FRONT_END, SYNTHETIC, check_unseen, open_pool
from tsdsae_keras.data.tasks import open_task
from tsdsae_keras.errors import InputError

pytestmark = pytest.mark.no_backend


def settings(tmp_path, **changes):
    usual = {"cache": str(tmp_path / "cache"), "sources": ("folder",), "folder": str(tmp_path / "sounds"), "sounds": 8}
    usual["keep_out"] = ("synth6",)  # what is installed here decides nothing
    return PoolSettings(**usual | changes)


def write(path, samples, rate=RATE):
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, samples, rate, subtype="FLOAT" if path.suffix == ".wav" else None)


def sound(seed, kind="tone"):
    return synthesise(kind, np.random.default_rng(seed))


@pytest.fixture
def folder(tmp_path):
    for seed in range(8):
        write(tmp_path / "sounds" / f"{seed}.wav", sound(seed))
    return tmp_path


def test_the_built_in_pool_says_that_it_is_synthesised(tmp_path):
    data = open_pool(settings(tmp_path, sources=("synth",), folder=None, sounds=12))
    assert sum(data.counts.values()) == 12 and data.warning == SYNTHETIC
    again = open_pool(settings(tmp_path, sources=("synth",), folder=None, sounds=12))
    assert again.identity == data.identity and again.folder == data.folder


def test_a_folder_becomes_frames_without_copies_or_silence(folder, caplog):
    caplog.set_level("INFO")
    write(folder / "sounds" / "copy.wav", 0.3 * sound(2))  # the same at another level
    write(folder / "sounds" / "silent.wav", np.zeros(RATE, "float32"))
    (folder / "sounds" / "broken.wav").write_bytes(b"RIFF, and no more")
    data = open_pool(settings(folder))
    assert sum(data.counts.values()) == 8 and data.warning is None
    assert "the same as another" in caplog.text and "silent" in caplog.text and "cannot be read" in caplog.text
    assert data.manifest["licence"] == {"folder": "your own"}
    lengths = np.concatenate([data.lengths(split) for split in data.counts])
    expected = sorted(max(96, 1 + len(sound(seed)) // FRONT_END.hop_length) for seed in range(8))
    assert sorted(lengths.tolist()) == expected


def test_frames_are_those_of_the_front_end_whatever_the_level(folder):
    data = open_pool(settings(folder))
    frames = FRONT_END.log_mel(np.pad(sound(0), (0, max(0, 15200 - len(sound(0))))))
    rows = np.concatenate([data.sequences(split)[:][:, :96] for split in data.counts])
    closest = np.abs(rows[:, : len(frames)] - frames[:96]).max(axis=(1, 2)).min()
    assert closest < 1e-3


def test_long_sounds_are_cut_and_their_pieces_stay_in_one_split(folder):
    write(folder / "sounds" / "long.wav", np.tile(sound(20), 60)[: 40 * RATE])
    data = open_pool(settings(folder))
    assert sum(data.counts.values()) == 8 + 3
    train, held = (set(data.label(split, "hash").tolist()) for split in ("train", "validation"))
    assert not train & held


def test_tested_sounds_stay_out_in_any_container_and_at_any_level(folder, caplog):
    caplog.set_level("INFO")
    tested = open_task("synth6").test_clips()[0]
    write(folder / "sounds" / "tested.wav", 0.5 * tested.read())
    data = open_pool(settings(folder, keep_out=("synth6",)))
    assert sum(data.counts.values()) == 8 and "tested on by synth6" in caplog.text
    check_unseen(data, open_task("synth6"))


def test_a_pool_that_holds_tested_sounds_is_refused(folder):
    write(folder / "sounds" / "tested.wav", open_task("synth6").test_clips()[3].read())
    data = open_pool(settings(folder, keep_out=(str(own_task(folder)),)))
    with pytest.raises(InputError, match="synth6 tests on") as error:
        check_unseen(data, open_task("synth6"))
    assert "\n" not in str(error.value)


def own_task(folder):
    for kind in KINDS[:2]:
        for seed in range(20):
            write(folder / "task" / kind / f"{seed}.wav", sound(100 + seed, kind))
    return folder / "task"


def test_another_folder_is_another_pool(folder):
    first = open_pool(settings(folder))
    write(folder / "sounds" / "new.wav", sound(50))
    assert open_pool(settings(folder)).identity != first.identity


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"folder": "missing"}, "is not a folder"),
        ({"sources": ("hydrogen",), "folder": None}, "apt-get install hydrogen-drumkits"),
    ],
)
def test_what_is_missing_is_named_with_its_remedy(tmp_path, changes, named, monkeypatch):
    monkeypatch.setattr("tsdsae_keras.data.tasks.packages.KITS", tmp_path / "nothing")
    with pytest.raises(InputError, match=named):
        open_pool(settings(tmp_path, **changes))


def test_a_folder_without_sound_or_with_too_little_is_refused(tmp_path):
    (tmp_path / "sounds").mkdir()
    with pytest.raises(InputError, match="holds no sound file"):
        open_pool(settings(tmp_path))
    for seed in range(3):
        write(tmp_path / "sounds" / f"{seed}.wav", sound(seed))
    with pytest.raises(InputError, match="at least 4"):
        open_pool(settings(tmp_path))


def test_every_source_has_a_licence_and_a_package():
    assert set(SOURCES) == {"synth", *pool_sources.RECORDED}
    assert all(source.licence and source.package for source in pool_sources.RECORDED.values())


def test_files_of_packages_are_named_below_their_root(tmp_path):
    write(tmp_path / "a" / "b.wav", sound(0))
    clips = pool_sources.list_files(tmp_path, "some-package", "source")
    assert [clip.name for clip in clips] == ["source/a/b.wav"]
    np.testing.assert_allclose(clips[0].read(), sound(0), atol=1e-6)
