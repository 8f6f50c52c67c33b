"""Sounds and videos of one's own as sequences of frames."""

import numpy as np
import pytest
from PIL import Image

from tsdsae_keras.data.audio.sound_files import write_audio
from tsdsae_keras.data.sets.cards.notes import NoteSettings
from tsdsae_keras.data.sets.cards.videos import VideoSettings
from tsdsae_keras.data.sets.own_frames import open_notes, open_videos
from tsdsae_keras.errors import InputError

pytestmark = pytest.mark.no_backend

RNG = np.random.default_rng(0)


def test_sounds_are_cut_into_sequences_and_split(tmp_path):
    for i in range(3):
        write_audio(tmp_path / f"{i}.wav", np.float32(0.1 * RNG.normal(size=16000)), 16000)
    data = open_notes(NoteSettings(folder=str(tmp_path), frames=3))
    assert sum(len(x) for x in data.x.values()) == 6 and data.frames("train").shape[1:] == (3, 513, 5)
    assert "same file" in data.warning
    assert data.identity == open_notes(NoteSettings(folder=str(tmp_path), frames=3)).identity
    write_audio(tmp_path / "3.wav", np.zeros(16000, "float32"), 16000)
    with pytest.raises(InputError, match=r"3\.wav: the sound is silent"):
        open_notes(NoteSettings(folder=str(tmp_path), frames=3))


def test_folders_of_numbered_frames_are_videos_and_stay_whole(tmp_path):
    for i in range(10):
        (tmp_path / f"{i:02}").mkdir()
        for t in range(4):
            Image.new("RGB", (64, 64), (20 * i, 40 * t, 0)).save(tmp_path / f"{i:02}" / f"{t}.png")
    data = open_videos(VideoSettings(folder=str(tmp_path), frames=2))
    assert data.warning is None and {split: len(x) for split, x in data.x.items()} == {
        "train": 16,
        "validation": 2,
        "test": 2,
    }
    owners = {split: set(x[:, 0, 0, 0, 0].tolist()) for split, x in data.x.items()}
    assert not owners["train"] & owners["test"] and len(owners["test"]) == 1
    assert (np.diff(data.x["test"][:, :, 0, 0, 1].astype(int), axis=1) == 40).all()


@pytest.mark.parametrize("folder", ["", "missing"])
def test_folders_that_cannot_be_used_are_refused(folder, tmp_path):
    with pytest.raises(InputError, match="--folder"):
        open_videos(VideoSettings(folder=folder and str(tmp_path / folder)))
    with pytest.raises(InputError, match="holds no sound files"):
        open_notes(NoteSettings(folder=str(tmp_path)))
