"""What a user may get wrong: one line each, which names the thing and the remedy."""

import shutil

import numpy as np
import pytest
import soundfile

from tests.families.selfie.small import small
from tsdsae_keras import cli
from tsdsae_keras.data.audio.clips import RATE
from tsdsae_keras.data.audio.synthetic import synthesise
from tsdsae_keras.data.sets import open_data
from tsdsae_keras.data.sets.pool import FRONT_END
from tsdsae_keras.data.tasks import open_task
from tsdsae_keras.settings import Settings
from tsdsae_keras.training.run import RunFolder
from tsdsae_keras.training.train import record_of

pytestmark = pytest.mark.no_backend

TINY = ["--channels", "2", "--units", "8", "--projector-units", "8", "--dim", "8", "--epochs", "1", "--steps", "1"]


def sound(seed, kind="tone"):
    return synthesise(kind, np.random.default_rng(seed))


def write(path, samples):
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, samples, RATE, subtype="FLOAT")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A model, a folder of sounds, one that holds test sounds of a task, and labelled folders."""
    folder = tmp_path_factory.mktemp("bad")
    small(n_mels=64, front_end=FRONT_END.to_dict()).save(folder / "model.keras")
    for number in range(8):
        write(folder / "sounds" / f"{number}.wav", sound(number))
        write(folder / "leak" / f"{number}.wav", sound(number))
        for name in ("one", "silent"):
            write(folder / name / "hits" / f"{number}.wav", sound(50 + number))
        write(folder / "silent" / "rests" / f"{number}.wav", np.zeros(RATE, "float32"))
    write(folder / "leak" / "tested.wav", 0.3 * open_task("synth6").test_clips()[5].read())
    write(folder / "rest.wav", np.zeros(RATE, "float32"))
    write(folder / "empty.wav", np.zeros(0, "float32"))
    write(folder / "click.wav", sound(3)[:200])
    return folder


def train(folder, *options, sounds="sounds"):
    pool = ["--sources", "folder", "--folder", f"{folder}/{sounds}", "--cache", f"{folder}/cache"]
    rest = ["--keep-out", "synth6", "--out", f"{folder}/run", *options]
    return ["train", "--model", "selfie-style", "--data", "pool", *pool, *TINY, *rest]


def embed(folder, name):
    return ["embed", f"{folder}/model.keras", f"{folder}/{name}", "--out", f"{folder}/x.npz"]


CASES = {
    "every clip shorter than a window": (
        lambda f: train(f, "--window", "4000"),
        "--window is 4000 frames, and the longest clip of",
    ),
    "a batch of one": (lambda f: train(f, "--batch-size", "1"), "--batch-size is 1"),
    "no loss": (lambda f: train(f, "--w-inv", "0", "--w-div", "0", "--w-dec", "0"), "give one of them a weight"),
    "no sound": (lambda f: train(f, sounds="nothing"), "is not a folder"),
    "silent sounds alone": (lambda f: train(f, sounds="silent/rests"), "0 sounds can be used for the pool"),
    "one class": (lambda f: ["probe", f"{f}/model.keras", f"{f}/one"], "has 1 class (hits); give at least two"),
    "silent sounds of a task": (lambda f: ["probe", f"{f}/model.keras", f"{f}/silent"], "is silent; leave it out"),
    "an unknown task": (lambda f: ["probe", f"{f}/model.keras", "drum7"], "'drum7' is not a task"),
    "embedding silence": (lambda f: embed(f, "rest.wav"), "rest.wav is silent"),
    "embedding nothing": (lambda f: embed(f, "empty.wav"), "empty.wav"),
}


@pytest.mark.parametrize("case", CASES)
def test_what_cannot_be_used_is_refused_in_one_line(folder, case, capsys):
    arguments, reason = CASES[case]
    assert cli.main(arguments(folder)) == 2
    said = capsys.readouterr().err
    assert said.startswith("error: ") and said.count("\n") == 1 and reason in said, said
    assert not (folder / "run").exists() and not (folder / "x.npz").exists()


def test_short_sounds_are_padded_and_named(folder, capsys):
    out = folder / "codes.npz"
    assert cli.main(["embed", f"{folder}/model.keras", f"{folder}/click.wav", "--out", str(out)]) == 0
    assert "click.wav is shorter than a window of 0.95 s: padded by silence" in capsys.readouterr().out
    assert np.isfinite(np.load(out)["embedding"]).all()


def test_a_pool_that_holds_test_sounds_is_refused_when_its_model_is_scored(folder, capsys, tmp_path):
    """They are in it because another task was named to be kept out."""
    for kind in ("hit", "vowel"):
        for seed in range(20):
            write(tmp_path / "task" / kind / f"{seed}.wav", sound(200 + seed, kind))
    pool = {"sources": ("folder",), "folder": f"{folder}/leak", "keep_out": (f"{tmp_path}/task",)}
    settings = Settings(model="selfie-style", data="pool", cache=f"{tmp_path}/cache", **pool)
    run = RunFolder(tmp_path / "run")
    run.create(record_of(settings, open_data(settings)))
    shutil.copy(folder / "model.keras", run.model)
    run.evaluation.write_text("{}")  # as if it was finished
    for command in (["probe", str(run.folder), "synth6"], ["evaluate", str(run.folder), "--tasks", "synth6"]):
        assert cli.main(command) == 2
        said = capsys.readouterr().err
        assert "holds 1 sounds that synth6 tests on" in said and "--keep-out usual synth6" in said
        assert said.count("\n") == 1
