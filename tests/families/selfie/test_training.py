"""From the command line to scores: a run, its exact resume, embeddings of files, and probes of any model."""

import json
import shutil

import numpy as np
import pytest
import soundfile

from tsdsae_keras.backend import load_all
from tsdsae_keras.base.loading import load_model
from tsdsae_keras.cli import main
from tsdsae_keras.data.audio.clips import RATE
from tsdsae_keras.data.audio.statistics import STATISTICS, mel_statistics
from tsdsae_keras.data.audio.synthetic import synthesise
from tsdsae_keras.data.tasks import open_task
from tsdsae_keras.errors import InputError
from tsdsae_keras.settings import Settings
from tsdsae_keras.training.checkpoints import checkpoint_files
from tsdsae_keras.training.probing import Embedder, Statistics, TaskSounds, probe, probe_all
from tsdsae_keras.training.run import RunFolder
from tsdsae_keras.training.train import resume, train


def settings(folder, **changes):
    import keras

    backend = keras.backend.backend()
    load_all(backend)
    from tsdsae_keras.families.selfie.settings import SMALLEST

    usual = SMALLEST | {"epochs": 3, "memory": 20, "watch_every": 1, "cache": str(folder / "cache")}
    return Settings(model="selfie-style", backend=backend, out=str(folder / "run"), **usual | changes)


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    folder = tmp_path_factory.mktemp("selfie")
    return train(settings(folder)), folder


def test_a_run_is_scored_and_says_what_it_is(finished):
    run, _ = finished
    result = json.loads(run.evaluation.read_text())
    scores = result["tasks"]["synth6"]
    assert set(scores) == {"embedding", "untrained", *STATISTICS}
    assert all(each["interval"][0] <= each["value"] <= each["interval"][1] for each in scores.values())
    assert len(scores["untrained"]["seeds"]) == 3 and scores["embedding"]["n"] == 120
    assert "reconstruction" in result["note"] and 1 <= result["projections"]["effective_rank"] <= 8
    history = run.history.read_text().splitlines()
    assert len(history) == 4 and "watch_offset" in history[0] and "val_loss" in history[0]


def test_a_resumed_run_ends_in_the_same_bytes(finished, tmp_path):
    run, _ = finished
    again = RunFolder(tmp_path / "run")
    shutil.copytree(run.folder, again.folder)
    again.evaluation.unlink()
    checkpoint_files(again.checkpoints)[-1].unlink()  # as if it was killed in its last epoch
    resume(again, settings(finished[1]))
    for name in ("model", "history", "evaluation"):
        assert getattr(again, name).read_bytes() == getattr(run, name).read_bytes(), name


def test_the_embeddings_of_files(finished, tmp_path, capsys):
    run, _ = finished
    for number, kind in enumerate(("hit", "vowel")):
        soundfile.write(tmp_path / f"{number}.wav", synthesise(kind, np.random.default_rng(number)), RATE)
    soundfile.write(tmp_path / "silent.wav", np.zeros(RATE), RATE)
    files = [str(tmp_path / name) for name in ("0.wav", "1.wav", "silent.wav")]
    assert main(["embed", str(run.folder), *files, "--out", str(tmp_path / "codes.npz")]) == 1
    assert "silent" in capsys.readouterr().err
    found = np.load(tmp_path / "codes.npz")
    assert found["embedding"].shape == (2, 8 + 2 * 16) and found["names"].tolist() == files[:2]
    assert np.isfinite(found["embedding"]).all()


def test_probes_from_the_command_line(finished, tmp_path, capsys):
    run, folder = finished
    arguments = ["probe", str(run.folder), "synth6", "--cache", str(folder), "--out", str(tmp_path / "scores.json")]
    assert main(arguments) == 0
    shown = capsys.readouterr().out
    assert "synth6" in shown and "mel statistics" in shown
    scores = json.loads((tmp_path / "scores.json").read_text())["synth6"]
    expected = json.loads(run.evaluation.read_text())["tasks"]["synth6"]
    assert scores[str(run.folder)]["value"] == expected["embedding"]["value"]
    assert main(["probe", str(run.folder), "nothing"]) == 2
    assert main(["swap", str(run.folder), "--melody", "a", "--timbre", "b", "--out", "c.wav"]) == 2


def test_a_loaded_model_gives_the_embeddings_of_its_run(finished):
    embed = Embedder(load_model(finished[0].model))
    sounds = np.stack([synthesise("tone", np.random.default_rng(seed))[:4000] for seed in range(3)])
    np.testing.assert_allclose(embed(sounds)[1:2], embed(sounds[1:2]), rtol=1e-4, atol=1e-4)


@pytest.mark.no_backend
@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"batch_size": 1}, "--batch-size"),
        ({"w_inv": 0.0, "w_div": 0.0, "w_dec": 0.0}, "--w-inv"),
        ({"dim": 1}, "--dim"),
        ({"sources": ("radio",)}, "--sources"),
    ],
)
def test_bad_options_are_refused_in_one_line(tmp_path, changes, named):
    with pytest.raises(InputError, match=named) as error:
        settings(tmp_path, **changes)
    assert "\n" not in str(error.value)


@pytest.mark.no_backend
def test_a_probe_of_perfect_and_of_worthless_features():
    task = open_task("synth6")
    sounds = TaskSounds(task)
    label = {clip.name: np.eye(6)[sorted({c.label for c in task.clips}).index(clip.label)] for clip in task.clips}
    rows = iter([label[clip.name] for clip in task.clips])
    perfect = probe(lambda samples: np.stack([next(rows) for _ in samples]), sounds)
    assert perfect["value"] == 1.0 and perfect["worst"] == pytest.approx(1 / 6)
    rng = np.random.default_rng(0)
    nothing = probe(lambda samples: rng.normal(size=(len(samples), 5)), sounds)
    assert nothing["interval"][0] < 1 / 6 + 0.05 and nothing["value"] < 0.35


@pytest.mark.no_backend
def test_several_seeds_of_one_representation_are_one_row():
    sounds = TaskSounds(open_task("synth6"))
    rng = np.random.default_rng(0)
    draws = [lambda samples: rng.normal(size=(len(samples), 5)) for _ in range(3)]
    scores = probe_all({"mel": Statistics(mel_statistics), "noise": draws}, sounds)
    assert (
        scores["noise"]["value"] == pytest.approx(np.mean(scores["noise"]["seeds"]))
        and len(scores["noise"]["seeds"]) == 3
    )
    assert "seeds" not in scores["mel"] and scores["mel"]["value"] > scores["noise"]["value"]


@pytest.mark.no_backend
def test_silent_sounds_and_models_without_embedding_are_refused():
    task = open_task("synth6")
    object.__setattr__(task.clips[3], "read", lambda: np.zeros(RATE, "float32"))
    with pytest.raises(InputError, match="is silent"):
        TaskSounds(task)
    with pytest.raises(InputError, match="no embedding"):
        Embedder(object())
