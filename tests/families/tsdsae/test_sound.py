"""The commands on sound files, through the door: what they write, and what they say of files that will not do."""

import keras
import numpy as np
import pytest
import soundfile

from tests.cases import small
from tests.sounds import read_audio
from tsdsae_keras import cli
from tsdsae_keras.base.loading import load_model
from tsdsae_keras.data.audio.logmel import FrontEnd
from tsdsae_keras.data.audio.vocoders import KerasVocoder
from tsdsae_keras.data.audio.windows import Plan
from tsdsae_keras.errors import InputError
from tsdsae_keras.families.tsdsae.sound import codec as recordings
from tsdsae_keras.families.tsdsae.sound import commands as sound
from tsdsae_keras.families.tsdsae.sound import sound_model

FRONT_END = FrontEnd()
HOP = FRONT_END.hop_length


def notes(seconds, rate, pitch=440.0, bright=1.0):
    """A note every quarter of a second, rising."""
    time = np.arange(int(seconds * rate)) / rate
    base = pitch * 2 ** (np.floor(4 * time) / 12)
    return 0.1 * sum(np.sin(2 * np.pi * n * base * (time % 0.25)) / n**bright for n in range(1, 6))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Sound files, good and bad, and a model: untrained, but standardised on them, so that it stays near sounds."""
    folder = tmp_path_factory.mktemp("sounds")
    stereo = np.stack([notes(1.3, 96000), notes(1.3, 96000)], axis=1)
    soundfile.write(folder / "a.flac", stereo, 96000)
    soundfile.write(folder / "b.wav", notes(1, 44100, 300, bright=0.2), 44100)
    soundfile.write(folder / "c.wav", notes(0.7, 16000, 600, bright=3), 16000)
    soundfile.write(folder / "silent.wav", np.zeros(20000), 16000)
    soundfile.write(folder / "short.wav", notes(0.1, 16000), 16000)
    (folder / "text.wav").write_text("this is no sound")
    kinds = {"model": {}, "full": {"local_encoder": "full"}, "floor": {"front_end": FrontEnd(floor_db=30).to_dict()}}
    for name, config in kinds.items():
        model = small(**{"features": 80, "front_end": FRONT_END.to_dict(), **config})
        model.adapt(log_mel(folder / "b.wav")[None])
        model.save(folder / f"{name}.keras")
    small("dsae", features=80).save(folder / "nameless.keras")
    return folder


@pytest.fixture(scope="module")
def model(folder):
    return load_model(folder / "model.keras")


@pytest.fixture(autouse=True)
def inside(folder, monkeypatch):
    monkeypatch.chdir(folder)


def log_mel(path):
    return FRONT_END.log_mel(read_audio(path, FRONT_END.sample_rate))


def run(*arguments):
    return cli.main([*map(str, arguments), "--backend", keras.backend.backend()])


def noise_vocoder(frames, front_end, seed):
    """Noise at the level of the loudest band: quick, and other phases in every window."""
    level = np.repeat(np.exp(frames[:-1].max(axis=1) / 2), front_end.hop_length)
    return 1e-3 * level * np.random.default_rng(seed).normal(size=len(level))


def test_a_swap_is_as_long_as_its_melody_and_sounds_as_the_model_says(folder, model, capsys):
    donors = ("b.wav", "c.wav")
    assert run("swap", "model.keras", "--melody", "a.flac", "--timbre", *donors, "--out", "out.wav") == 0
    assert "out.wav (1.30 s, 16000 Hz" in capsys.readouterr().out
    written, rate = soundfile.read("out.wav")
    assert rate == 16000 and len(written) == 20_800 and 0 < np.abs(written).max() < 1
    v = np.mean([model.encode(log_mel(path)[None])["v_mean"] for path in donors], axis=0)
    expected = model.decode(model.encode(log_mel("a.flac")[None])["z_mean"], v)[0]
    loud = expected > expected.max() - 6
    found = FRONT_END.log_mel(written)
    assert np.abs(found - expected - np.median((found - expected)[loud]))[loud].mean() < 1


def test_a_morph_goes_from_the_reconstruction_to_the_swap(folder):
    assert run("morph", "model.keras", "a.flac", "b.wav", "--steps", 3, "--out", "morph") == 0
    assert run("reconstruct", "model.keras", "a.flac", "--out", "first.wav") == 0
    assert run("swap", "model.keras", "--melody", "a.flac", "--timbre", "b.wav", "--out", "last.wav") == 0
    assert sorted(path.name for path in (folder / "morph").iterdir()) == ["1.wav", "2.wav", "3.wav"]
    for step, same in (("1", "first.wav"), ("3", "last.wav")):
        np.testing.assert_allclose(soundfile.read(f"morph/{step}.wav")[0], soundfile.read(same)[0], atol=1e-3)
    assert run("morph", "model.keras", "a.flac", "b.wav", "--out", "morph") == 2


def test_generated_sounds_depend_on_the_seed(folder):
    for out, seed in (("one", 1), ("again", 1), ("other", 2)):
        assert run("generate", "model.keras", "--n", 2, "--seconds", 0.5, "--seed", seed, "--out", out) == 0
    one, again, other = ([soundfile.read(f"{out}/{n}.wav")[0] for n in "12"] for out in ("one", "again", "other"))
    assert {len(each) for each in one} == {8000}
    np.testing.assert_array_equal(one, again)
    assert not np.array_equal(one, other) and not np.array_equal(*one)


def test_embedded_codes_are_those_of_the_model_and_bad_files_are_left_out(folder, model, capsys):
    bad = ("silent.wav", "short.wav", "text.wav", "nothing.wav")
    assert run("embed", "model.keras", "a.flac", *bad, "b.wav", "--out", "codes.npz") == 1
    lines = capsys.readouterr().err.splitlines()
    assert [line.split()[2] for line in lines] == list(bad) and all(line.startswith("left out: ") for line in lines)
    codes = np.load("codes.npz", allow_pickle=False)
    assert codes["names"].tolist() == ["a.flac", "b.wav"] and codes["frame_rate"] == 62.5
    for i, name in enumerate(codes["names"]):
        whole = model.encode(log_mel(name)[None])
        z = codes["z_mean"][codes["offsets"][i] : codes["offsets"][i + 1]]
        np.testing.assert_allclose(z, whole["z_mean"][0], atol=1e-5)
        for v in ("v_mean", "v_log_var"):
            np.testing.assert_allclose(codes[v][i], whole[v][0], atol=1e-5)
    assert codes["offsets"][-1] == len(codes["z_mean"])


@pytest.mark.parametrize("name", ("model", "full", "floor"))
def test_codes_of_windows_are_those_of_the_whole(folder, monkeypatch, name):
    soundfile.write("long.wav", notes(5, 16000, 200), 16000)
    made = sound_model.SoundModel(f"{name}.keras")
    whole = sound.codes_of(made, "long.wav")
    monkeypatch.setattr(recordings, "Plan", lambda frames: Plan(frames, core=150))
    parts = sound.codes_of(made, "long.wav")
    for code in ("v_mean", "v_log_var"):
        np.testing.assert_allclose(parts[code], whole[code], atol=1e-5)
    # A recurrent encoder hears a window by itself, with 36 frames around it.
    difference = np.abs(parts["z_mean"] - whole["z_mean"])
    assert difference.max() < 1e-5 if name != "full" else difference.mean() < 0.02 * whole["z_mean"].std()


def test_a_long_file_is_written_whole(folder, monkeypatch):
    soundfile.write("longer.wav", notes(8, 16000, 200), 16000)
    monkeypatch.setattr(recordings, "Plan", lambda frames: Plan(frames, core=150))
    assert sound.reconstruct("model.keras", "longer.wav", "longer.flac", vocoder=noise_vocoder) == 0
    written, _ = soundfile.read("longer.flac")
    level = np.sqrt(np.square(written[:127_500].reshape(-1, 500)).mean(axis=1))
    assert len(written) == 128_000 and level.min() > 0.3 * level.mean()


@pytest.mark.parametrize("bad", ("silent.wav", "short.wav", "text.wav"))
def test_a_melody_that_will_not_do_ends_the_command_and_writes_nothing(folder, bad, capsys):
    (folder / "kept.wav").write_bytes(b"as it was")
    before = sorted(path.name for path in folder.iterdir())
    assert run("swap", "model.keras", "--melody", bad, "--timbre", "b.wav", "--out", "kept.wav") == 2
    assert run("swap", "model.keras", "--melody", "b.wav", "--timbre", bad, "--out", "kept.wav") == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 2 and all(line.startswith("error: ") and bad in line for line in lines)
    assert (folder / "kept.wav").read_bytes() == b"as it was"
    assert sorted(path.name for path in folder.iterdir()) == before


@pytest.mark.parametrize(
    ("arguments", "text"),
    (
        (("reconstruct", "model.keras", "b.wav", "--out", "b.wav"), "one of the files to read"),
        (("reconstruct", "model.keras", "b.wav", "--out", "x.mp3"), "ends in .wav, .flac or .ogg"),
        (("reconstruct", "model.keras", "b.wav", "--out", "no/x.wav"), "mkdir -p no"),
        (("reconstruct", "nameless.keras", "b.wav", "--out", "x.wav"), "give --paper-front-end"),
        (("reconstruct", "model.keras", "b.wav", "--out", "x.wav", "--vocoder", "text.wav"), "not a .keras file"),
        (("morph", "model.keras", "a.flac", "b.wav", "--steps", "1", "--out", "m"), "--steps is 1"),
        (("generate", "model.keras", "--seconds", "nan", "--out", "g"), "sounds of nan s"),
        (("generate", "model.keras", "--seconds", "0.1", "--out", "g"), "at least 0.144"),
        (("generate", "model.keras", "--seed", "-1", "--out", "g"), "--seed is -1"),
        (("embed", "model.keras", "b.wav", "--out", "codes.csv"), "must end in .npz"),
    ),
)
def test_refusals(arguments, text, capsys):
    assert run(*arguments) == 2
    assert text in capsys.readouterr().err


def test_a_vocoder_of_ones_own(folder, capsys):
    inputs = keras.Input((None, 80))
    level = keras.layers.Dense(HOP, kernel_initializer="zeros", bias_initializer="ones")(inputs)
    keras.Model(inputs, keras.layers.Reshape((-1, 1))(level)).save("ones.keras")
    options = ("--paper-front-end", "--vocoder", "ones.keras", "--out", "ones.wav")
    assert run("reconstruct", "nameless.keras", "b.wav", *options) == 0
    assert "scaled by 0.99" in capsys.readouterr().out
    written, _ = soundfile.read("ones.wav")
    np.testing.assert_allclose(written[: 62 * HOP], 0.99, atol=1e-4)
    assert len(written) == 16_000 and not written[62 * HOP :].any()
    keras.Model(inputs, level).save("frames.keras")
    with pytest.raises(InputError, match=r"gave \(1, 63, 256\) for 63 frames"):
        KerasVocoder("frames.keras")(log_mel("b.wav"), FRONT_END)


def test_a_vocoder_that_holds_code_is_refused(folder):
    inputs = keras.Input((None, 80))
    keras.Model(inputs, keras.layers.Lambda(lambda x: x)(inputs)).save("code.keras")
    with pytest.raises(InputError, match=r"code\.keras cannot be loaded"):
        KerasVocoder("code.keras")
