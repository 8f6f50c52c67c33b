"""From settings to scores, and the commands, on small models; what is known of codes is planted."""

import csv
import types

import keras
import numpy as np
import pytest
from PIL import Image, ImageSequence

from tsdsae_keras.data.audio.note_spectra import note_spectra, sound_of_notes
from tsdsae_keras.data.audio.sound_files import write_audio
from tsdsae_keras.data.sets.frame_sequences import FrameSequences
from tsdsae_keras.errors import InputError
from tsdsae_keras.families import find_family
from tsdsae_keras.families.sps.batches import SequenceBatches, batches
from tsdsae_keras.families.sps.building import build
from tsdsae_keras.families.sps.commands import sound, use
from tsdsae_keras.families.sps.commands.inputs import FRAME_MS, write_gif
from tsdsae_keras.families.sps.evaluation import music
from tsdsae_keras.families.sps.evaluation.music import embedding, synthesis, transposition
from tsdsae_keras.families.sps.evaluation.rows import table
from tsdsae_keras.families.sps.evaluation.scores import evaluate
from tsdsae_keras.families.sps.model import SPS
from tsdsae_keras.settings import Settings, with_preset

MAJOR = np.array([0, 2, 4, 5, 7, 9, 11, 12])
RNG = np.random.default_rng(0)


def tone(pitch, seconds=0.16):
    """A harmonic tone, (samples,)."""
    time = np.arange(round(16000 * seconds)) / 16000
    hz = 440 * 2 ** ((pitch - 69) / 12)
    return np.float32(0.05 * sum(np.sin(2 * np.pi * n * hz * time) / n for n in range(1, 6)))


def note(pitch):
    """A tone as a note, (513, 5)."""
    return note_spectra(tone(pitch))[0]


class Planted:
    """A model whose first latent is pitch: 66 + 3 z."""

    domain, dynamic = "music", 1

    def decode(self, z):
        return np.stack([note(66 + 3 * each) for each in z[:, 0]])

    def encode(self, x):
        peaks = [np.argmax(frame[:, 2]) * 16000 / 1024 for frame in x.reshape(-1, 513, 5)]
        z = (12 * np.log2(np.maximum(peaks, 1) / 440) + 69 - 66) / 3
        return {"mean": np.float32(z).reshape(*x.shape[:-2], 1)}


def video_data(n=6, time=8):
    x = {split: np.uint8(RNG.integers(0, 255, (n, time, 32, 32, 3))) for split in ("train", "validation", "test")}
    labels = {split: RNG.normal(size=(n, time, 3)) for split in x}
    return FrameSequences("video", x, labels, ("x", "y", "z"), "noise")


def settings(**options):
    return Settings(model="sps", **find_family("sps").smallest | options)


@pytest.mark.no_backend
def test_batches_depend_on_seed_epoch_and_step_alone():
    data = video_data()
    first, again = (SequenceBatches(data, "train", 4, 3, window=6, seed=5) for _ in range(2))
    assert len(first) == 3 and first[0]["x"].shape == (4, 6, 32, 32, 3)
    first[2], first.set_epoch(1)
    again.set_epoch(1)
    np.testing.assert_array_equal(first[1]["x"], again[1]["x"])
    first.set_epoch(2)
    assert not np.array_equal(first[1]["x"], again[1]["x"])
    whole = batches(data, settings(), "validation")
    np.testing.assert_array_equal(np.concatenate([whole[i]["x"] for i in range(len(whole))]), data.frames("validation"))
    with pytest.raises(InputError, match="--window is 9"):
        batches(data, settings(window=9), "train")


@pytest.mark.parametrize("model", ["sps", "sps-ae", "sps-vae-nosymmetry", "beta-vae-frames"])
def test_every_model_is_built_and_scored(model):
    options = settings()
    options = options.replace(model=model, copies=1 if model in ("sps", "sps-ae") else None)
    data = video_data()
    built = build(options, data)
    result = evaluate(built, data, seed=0)
    scores = result["scores"]
    assert (0.5 < scores["probe_mean"]["value"] < 5 and "imagined" in scores) or model == "beta-vae-frames"
    assert scores["recon"]["worst"] > 0 and scores["recon"]["best"] == 0
    assert table(result).count("\n") == len(scores) + 1
    assert (built.copies > 0) == (model in ("sps", "sps-ae")) and built.prior == (model != "beta-vae-frames")


@pytest.mark.no_backend
def test_presets_differ_by_data():
    music, ball = (with_preset({"model": "sps", "data": data}) for data in ("scales", "ball"))
    assert music.channels == (8, 8, 16, 16) and ball.channels == (8, 16, 32) and ball.log_var_bias < music.log_var_bias
    assert with_preset({"model": "sps", "preset": "paper"}).fractional is False


@pytest.mark.no_backend
@pytest.mark.parametrize("preset", ["quick", "fast", "paper"])
def test_data_of_ones_own_have_the_recipe_of_their_domain(preset):
    for own, rendered in (("notes", "scales"), ("videos", "ball")):
        first, second = (with_preset({"model": "sps", "preset": preset, "data": data}) for data in (own, rendered))
        for name in ("channels", "epochs", "batch_size", "window", "log_var_bias", "sampler"):
            assert getattr(first, name) == getattr(second, name), name


@pytest.mark.no_backend
@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"copies": 0, "symmetry_weight": 2.0}, "without a copy"),
        ({"model": "sps-vae-nosymmetry", "copies": 2}, "has no symmetry"),
        ({"latents": 2, "dynamic": 3}, "at most --latents"),
    ],
)
def test_options_that_contradict_each_other_are_refused(options, match):
    with pytest.raises(InputError, match=match):
        with_preset({"model": "sps", **options})


@pytest.mark.no_backend
def test_planted_pitch_has_the_best_scores(monkeypatch):
    monkeypatch.setattr(music, "GRID", 8)
    monkeypatch.setattr(music, "SHIFTS", np.array([-1.0, 0.0, 1.0]))
    starts = np.linspace(61, 70, 6)
    pitch = np.add.outer(starts, MAJOR).astype("float64")
    labels = {split: pitch[..., None] for split in ("train", "test")}
    data = FrameSequences("music", {}, labels, ("pitch",), "planted")
    codes = ((pitch - 66) / 3)[..., None]
    assert embedding(codes, data, "test")["value"] == pytest.approx(1)
    assert embedding(RNG.normal(size=codes.shape), data, "test", "all")["value"] < 0.3
    scores, points = synthesis(Planted(), codes)
    assert scores["synthesis"]["value"] > 0.999 and scores["synthesis_cents"]["value"] < 15
    assert points["slope"] == pytest.approx(3, abs=0.05)
    moved, octaves = transposition(Planted(), codes, data)
    assert moved["transposition_cents"]["value"] < 15
    low, high = moved["transposition_cents"]["interval"]
    assert low <= moved["transposition_cents"]["value"] <= high
    assert all(octave == pytest.approx(12, abs=0.3) for octave in octaves.values())


@pytest.mark.no_backend
def test_two_instruments_are_scored_apart():
    """Each is a line of its own; together they are none."""
    pitch = np.tile(np.add.outer(np.linspace(61, 70, 6), MAJOR), (2, 1))
    labels, groups = {"test": pitch[..., None]}, {"test": np.repeat([21, 40], 6)}
    codes = np.where(groups["test"] == 21, 1, -1)[:, None] * pitch
    data = FrameSequences("music", {}, labels, ("pitch",), "planted", groups)
    assert embedding(codes[..., None], data, "test", "all")["value"] == pytest.approx(1)


@pytest.fixture
def planted(monkeypatch):
    for module in (sound, use):
        monkeypatch.setattr(module, "open_sps", lambda model, domain=None: Planted())


@pytest.mark.no_backend
def test_the_pitch_of_a_file_is_written_as_a_track(planted, tmp_path):
    pitches = [60, 64, 67, 62]
    write_audio(tmp_path / "in.wav", np.concatenate([tone(p, 0.5) for p in pitches]), 16000)
    assert sound.pitch("model", tmp_path / "in.wav", tmp_path / "track.csv") == 0
    with (tmp_path / "track.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert (tmp_path / "track.png").read_bytes()[:4] == b"\x89PNG"
    for place, expected in enumerate(pitches):
        inside = [float(r["midi"]) for r in rows if 0.1 < float(r["seconds"]) - 0.5 * place < 0.4]
        # The planted encoder rounds to bins of 15.6 Hz.
        assert np.median(inside) == pytest.approx(expected, abs=0.8)
    with pytest.raises(InputError, match=r"end in \.csv"):
        sound.pitch("model", tmp_path / "in.wav", tmp_path / "track.txt")


@pytest.mark.no_backend
def test_a_sound_is_moved_by_semitones(planted, tmp_path):
    from tsdsae_keras.metrics.pitch_code import yin_pitch

    write_audio(tmp_path / "in.wav", tone(62, 1.5), 16000)
    moved = []
    monkey = types.SimpleNamespace(write=lambda notes, out: moved.append(notes))
    original, sound.write_sound = sound.write_sound, monkey.write
    try:
        for by in (0.0, 5.0):
            sound.transpose("model", tmp_path / "in.wav", by, tmp_path / "out.wav")
    finally:
        sound.write_sound = original
    before, after = (yin_pitch(sound_of_notes(notes[4:5])) for notes in moved)
    assert after - before == pytest.approx(5, abs=0.3)
    with pytest.raises(InputError, match="silent"):
        write_audio(tmp_path / "quiet.wav", np.full(8000, 1e-6, "float32"), 16000)
        sound.transpose("model", tmp_path / "quiet.wav", 1.0, tmp_path / "out.wav")


def test_videos_are_embedded_and_continued(tmp_path):
    keras.utils.set_random_seed(0)
    model = SPS("video", channels=(2, 2, 3), decoder_units=(4,), prior_units=4, seed=0)
    model.save(tmp_path / "model.keras")
    frames = RNG.random((7, 32, 32, 3)).astype("float32")
    write_gif(frames, tmp_path / "in.gif", enlarge=1)
    out = tmp_path / "codes.npz"
    assert use.embed(tmp_path / "model.keras", [tmp_path / "in.gif", tmp_path / "none.gif"], out) == 1
    with np.load(out) as codes:
        assert codes["mean_0"].shape == (7, 3) and list(codes["files"]) == [str(tmp_path / "in.gif")]
    use.predict(tmp_path / "model.keras", tmp_path / "in.gif", tmp_path / "out.gif", beginning=5, frames=9)
    with Image.open(tmp_path / "out.gif") as image:
        assert image.size == (256, 256)
        # Equal frames in a row are one of a GIF that is shown for longer.
        assert sum(frame.info["duration"] for frame in ImageSequence.Iterator(image)) == 9 * FRAME_MS
    for options, match in (({"beginning": 8}, "--beginning is 8"), ({"frames": 5}, "--frames is 5")):
        with pytest.raises(InputError, match=match):
            use.predict(tmp_path / "model.keras", tmp_path / "in.gif", tmp_path / "out.gif", **options)
