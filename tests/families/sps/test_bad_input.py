"""What a user may get wrong: one line each, which names the thing and the remedy, and nothing is written."""

import keras
import numpy as np
import pytest

from tests.data.audio.test_polyphony import tone
from tsdsae_keras import cli
from tsdsae_keras.data.audio.sound_files import write_audio
from tsdsae_keras.families.sps.model import SPS

pytestmark = pytest.mark.no_backend

SOUNDS = {
    "chord": (
        sum(tone(60 + step) for step in (0, 4, 7)),
        r"chord.wav is polyphonic: 100% of it holds several notes at once",
    ),
    "silent": (np.zeros(16000), "silent.wav: the sound is silent"),
    "short": (tone(60, 0.1), "short.wav: samples have shape (1600,); give one channel of more than 0.128 s"),
}
COMMANDS = {
    "pitch": ["--out", "track.csv"],
    "transpose": ["--by", "2", "--out", "up.wav"],
    "predict": ["--frames", "9", "--out", "imagined.wav"],
    "embed": ["--out", "codes.npz"],
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A small model of music, and sounds that it cannot use."""
    folder = tmp_path_factory.mktemp("bad")
    keras.utils.set_random_seed(0)
    SPS("music", channels=(2, 2, 2, 2), decoder_units=(4,), prior_units=4, seed=0).save(folder / "model.keras")
    for name, (samples, _) in SOUNDS.items():
        write_audio(folder / f"{name}.wav", np.float32(samples), 16000)
        (folder / name).mkdir()
        write_audio(folder / name / f"{name}.wav", np.float32(samples), 16000)
    return folder


def refusal(capsys, *arguments):
    """The line that a command ends with."""
    assert cli.main([str(each) for each in arguments]) == 2
    said = capsys.readouterr().err
    assert said.startswith("error: ") and said.count("\n") == 1, said
    return said


@pytest.mark.parametrize("sound", SOUNDS)
@pytest.mark.parametrize("command", COMMANDS)
def test_sounds_that_hold_no_single_voice_are_refused(folder, command, sound, capsys, monkeypatch):
    monkeypatch.chdir(folder)
    before = sorted(folder.iterdir())
    assert SOUNDS[sound][1] in refusal(capsys, command, "model.keras", f"{sound}.wav", *COMMANDS[command])
    assert sorted(folder.iterdir()) == before


@pytest.mark.parametrize("sound", SOUNDS)
def test_no_run_is_begun_on_them(folder, sound, capsys, tmp_path):
    options = ["--model", "sps", "--data", "notes", "--folder", folder / sound, "--frames", "4"]
    assert SOUNDS[sound][1] in refusal(capsys, "train", *options, "--out", tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_file_that_can_be_used_is_embedded_without_those_that_cannot(folder, tmp_path, capsys):
    write_audio(tmp_path / "good.wav", np.float32(tone(60)), 16000)
    files = [folder / "chord.wav", tmp_path / "good.wav", folder / "silent.wav"]
    arguments = ["embed", folder / "model.keras", *files, "--out", tmp_path / "codes.npz"]
    assert cli.main([str(each) for each in arguments]) == 1
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 2 and all(line.startswith("left out: ") for line in said)
    with np.load(tmp_path / "codes.npz") as codes:
        assert list(codes["files"]) == [str(tmp_path / "good.wav")]


BALL = ["--data", "ball", "--trajectories", "4", "--test-trajectories", "4", "--preset", "paper"]
OPTIONS = {
    "sequences as long as base_len": (["--frames", "5"], "sequences have 5 frames, of which the prior sees 5"),
    "a window as long as base_len": (["--window", "5"], "sequences have 5 frames, of which the prior sees 5"),
    "a longer base_len": (["--base-len", "20"], "sequences have 20 frames, of which the prior sees 20"),
    "a window beyond the sequences": (["--window", "21"], "--window is 21, and sequences have 20 frames; lower it"),
    "an unknown group": (["--group", "so9"], "group is 'so9'; it must be r1 or r2-so2"),
    "a group that acts on other latents": (["--latents", "2", "--dynamic", "2"], "acts on latent 2, and codes have 2"),
    "a symmetry weight without copies": (["--copies", "0", "--symmetry-weight", "2"], "without a copy to weigh"),
    "copies without symmetry": (
        ["--model", "sps-vae-nosymmetry", "--copies", "1"],
        "has no symmetry; take --model sps",
    ),
    "more dynamic latents": (["--latents", "2", "--dynamic", "3"], "--dynamic is 3; it must be at most --latents, 2"),
    "channels of another number": (["--channels", "4", "4"], "it must be 3 widths"),
}


@pytest.mark.parametrize("case", OPTIONS)
def test_options_that_do_not_fit_are_refused_in_one_line(case, capsys, tmp_path):
    options, reason = OPTIONS[case]
    assert reason in refusal(capsys, "train", "--model", "sps", *BALL, *options, "--out", tmp_path / "run")


def test_beginnings_and_lengths_that_a_file_lacks_are_refused(folder, tmp_path, capsys):
    write_audio(tmp_path / "two.wav", np.float32(tone(60, 0.4)), 16000)
    for options, reason in (
        (["--beginning", "9"], "--beginning is 9"),
        (["--beginning", "1", "--frames", "1"], "--frames is 1"),
        ([], "--beginning is 3"),
    ):
        command = ["predict", folder / "model.keras", tmp_path / "two.wav", "--out", tmp_path / "out.wav", *options]
        assert reason in refusal(capsys, *command)
