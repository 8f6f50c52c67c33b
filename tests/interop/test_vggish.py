"""VGGish from files of both kinds, written here with narrow layers: the same numbers as a forward pass by NumPy alone,
and a front end that equals TensorFlow's.

The published weights are not part of this: that they are read rests on names and layouts only.
"""

import numpy as np
import pytest

from tests.interop.torch_files import WRITERS, write_bytes
from tsdsae_keras.errors import InputError
from tsdsae_keras.interop.vggish import BANDS, FRAMES, LAYERS, LEAST, VggishEmbedding, read_vggish, vggish_patches

TORCH = ("features.0", "features.3", "features.6", "features.8", "features.11", "features.13")
TORCH_DENSE = ("embeddings.0", "embeddings.2", "embeddings.4")
SLIM = ("conv1", "conv2", "conv3/conv3_1", "conv3/conv3_2", "conv4/conv4_1", "conv4/conv4_2")
SLIM_DENSE = ("fc1/fc1_1", "fc1/fc1_2", "fc2")
WIDTHS = (3, 4, 5, 4, 6, 5, 9, 8, 7)  # published: 64, 128, 256, 256, 512, 512, 4096, 4096, 128


def torch_state(seed=0):
    """Random weights by torchvggish's names."""
    rng, state, inputs = np.random.default_rng(seed), {}, 1
    for name, outputs in zip(TORCH + TORCH_DENSE, WIDTHS, strict=True):
        taken = 6 * 4 * inputs if name == TORCH_DENSE[0] else inputs
        shape = (outputs, taken, 3, 3) if name in TORCH else (outputs, taken)
        scale = np.sqrt(2 / np.prod(shape[1:]))
        state[f"{name}.weight"] = (rng.normal(size=shape) * scale).astype("float32")
        state[f"{name}.bias"] = rng.normal(size=outputs).astype("float32")
        inputs = outputs
    return state


def slim_arrays(state):
    """The same by TF-slim's names and layouts."""
    arrays = {}
    for name, other in zip(SLIM + SLIM_DENSE, TORCH + TORCH_DENSE, strict=True):
        kernel = state[f"{other}.weight"]
        arrays[f"vggish/{name}/weights"] = np.moveaxis(kernel, (0, 1), (-1, -2)) if kernel.ndim == 4 else kernel.T
        arrays[f"vggish/{name}/biases"] = state[f"{other}.bias"]
    return arrays


def write_slim(path, arrays, version=1):
    """A checkpoint as TF-slim saves it, in TensorFlow's first or second format."""
    import tensorflow as tf

    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        variables = {name: tf.compat.v1.get_variable(name, initializer=array) for name, array in arrays.items()}
        session.run(tf.compat.v1.global_variables_initializer())
        saver = tf.compat.v1.train.Saver(variables, write_version=version)
        saver.save(session, str(path), write_meta_graph=False, write_state=False)
    return path


def forward(state, patches):
    """Embeddings by NumPy, channels first as in torch; patches (n, 96, 64)."""
    x = patches[:, None].astype("float64")
    for name in TORCH:
        padded = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)))
        fields = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), axis=(2, 3))
        x = np.einsum("nchwij,ocij->nohw", fields, state[f"{name}.weight"], optimize=True)
        x = np.maximum(x + state[f"{name}.bias"][:, None, None], 0)
        if name not in ("features.6", "features.11"):
            x = np.maximum(
                np.maximum(x[..., ::2, ::2], x[..., 1::2, ::2]), np.maximum(x[..., ::2, 1::2], x[..., 1::2, 1::2])
            )
    x = np.moveaxis(x, 1, -1).reshape(len(x), -1)
    for name in TORCH_DENSE:
        x = x @ state[f"{name}.weight"].T + state[f"{name}.bias"]
        x = x if name == TORCH_DENSE[-1] else np.maximum(x, 0)
    return x


STATE = torch_state()


@pytest.fixture(scope="module")
def embed(tmp_path_factory):
    return VggishEmbedding(write_bytes(tmp_path_factory.mktemp("weights") / "vggish.pth", STATE))


def sounds(clips, samples, seed=0):
    return np.random.default_rng(seed).uniform(-0.5, 0.5, (clips, samples)).astype("float32")


def test_embeddings_equal_a_forward_pass_by_numpy(embed):
    assert embed.name == "vggish" and embed.dimension == WIDTHS[-1]
    samples = sounds(2, 2 * LEAST + 5000) * np.linspace(0, 1, 2 * LEAST + 5000, dtype="float32")
    expected = np.concatenate([forward(STATE, vggish_patches(clip)) for clip in samples])
    found = embed(samples, 16000)
    assert found.shape == (4, 7) and found.dtype == np.float32
    assert found.min() < 0 < np.ptp(found, axis=0).min()  # no ReLU at the end, and the patches differ
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(embed(samples[1], 16000), found[2:], rtol=1e-5, atol=1e-5)


def test_many_patches_are_embedded_in_order(embed):
    samples = sounds(1, LEAST + 34 * FRAMES * 160)[0]
    found = embed(samples, 16000)
    assert len(found) == 35
    np.testing.assert_allclose(found[33], embed(samples[33 * FRAMES * 160 :], 16000)[0], rtol=1e-4, atol=1e-4)


@pytest.mark.no_backend
@pytest.mark.parametrize("write", WRITERS)
def test_a_torch_file_is_read_exactly(tmp_path, write):
    surplus = {"pproc.pca_means": np.zeros((7, 1), "float32")}
    check_read(write(tmp_path / "vggish.pth", STATE | surplus))


@pytest.mark.no_backend
@pytest.mark.parametrize("version", [1, 2])
def test_a_slim_checkpoint_is_read_exactly(tmp_path, version):
    arrays = slim_arrays(STATE) | {"other/logits": np.ones(2, "float32")}
    path = write_slim(tmp_path / "vggish_model.ckpt", arrays, version)
    assert path.is_file() == (version == 1)
    check_read(path)
    if version == 2:
        check_read(f"{path}.index")


@pytest.mark.no_backend
def test_a_path_that_tensorflow_takes_for_a_pattern_is_refused(tmp_path):
    folder = tmp_path / "odd [1]* name"
    folder.mkdir()
    with pytest.raises(InputError, match="in its path, where TensorFlow finds no checkpoint; move it"):
        read_vggish(write_slim(folder / "one.ckpt", slim_arrays(STATE)))


def check_read(path):
    weights = read_vggish(path)
    assert list(weights) == list(LAYERS) == [*SLIM, *SLIM_DENSE]
    for name, array in slim_arrays(STATE).items():
        layer, _, kind = name.removeprefix("vggish/").rpartition("/")
        np.testing.assert_array_equal(weights[layer][kind == "biases"], array, err_msg=name)


@pytest.mark.no_backend
def test_the_front_end_equals_tensorflows():
    import tensorflow as tf

    samples = sounds(1, 32000)[0] * np.geomspace(1e-4, 1, 32000, dtype="float32")
    spectrum = tf.abs(tf.signal.stft(samples, 400, 160, 512))
    bands = tf.signal.linear_to_mel_weight_matrix(64, 257, 16000, 125.0, 7500.0)
    expected = np.log(spectrum.numpy() @ bands.numpy() + 0.01)[:192].reshape(2, 96, 64)
    np.testing.assert_allclose(vggish_patches(samples), expected, atol=1e-4)


@pytest.mark.parametrize("frequency", [220.0, 1000.0, 6000.0])
def test_a_tone_peaks_in_its_band(frequency):
    mel = np.linspace(*(2595 * np.log10(1 + np.array([125.0, 7500.0]) / 700)), BANDS + 2)[1:-1]
    nearest = np.abs(mel - 2595 * np.log10(1 + frequency / 700)).argmin()
    tone = 0.5 * np.sin(2 * np.pi * frequency / 16000 * np.arange(LEAST))
    assert abs(vggish_patches(tone)[0].mean(axis=0).argmax() - nearest) <= 1


@pytest.mark.no_backend
def test_patches_follow_one_another_without_overlap():
    samples = sounds(1, 64000)[0]
    patches = vggish_patches(samples)
    assert patches.shape == (4, FRAMES, BANDS)
    np.testing.assert_array_equal(patches[2], vggish_patches(samples[2 * 15360 : 2 * 15360 + LEAST])[0])


def test_silence_and_short_clips_make_one_patch(embed):
    np.testing.assert_allclose(vggish_patches(np.zeros(LEAST)), np.log(0.01), rtol=1e-6)
    short = sounds(1, 9000)[0]
    np.testing.assert_array_equal(embed(short, 16000), embed(np.pad(short, (0, LEAST - 9000)), 16000))
    assert len(embed(sounds(1, LEAST + FRAMES * 160 - 1)[0], 16000)) == 1


def test_other_rates_are_resampled(embed):
    def tone(rate):
        return (0.5 * np.sin(2 * np.pi * 440 / rate * np.arange(2 * rate))).astype("float32")

    at_rate, other = embed(tone(16000), 16000), embed(np.sin(9 * tone(16000)), 16000)
    resampled = embed(tone(44100), 44100)
    assert resampled.shape == at_rate.shape
    assert np.abs(resampled - at_rate).max() < 0.02 * np.abs(other - at_rate).max()


def without(*names):
    return {name: value for name, value in STATE.items() if name not in names}


def bad_files(folder):
    """{what a message must say: file}."""
    slim = slim_arrays(STATE)
    write_bytes(folder / "lacks.pth", without("features.3.bias", "embeddings.4.weight"))
    write_bytes(folder / "narrow.pth", STATE | {"features.6.weight": np.zeros((5, 3, 3, 3), "float32")})
    write_bytes(folder / "five.pth", STATE | {"features.0.weight": np.zeros((3, 1, 5, 5), "float32")})
    write_bytes(folder / "flat.pth", STATE | {"embeddings.0.weight": np.zeros((9, 5), "float32")})
    write_bytes(folder / "integer.pth", STATE | {"features.0.bias": np.zeros(3, "int64")})
    write_bytes(folder / "nan.pth", STATE | {"embeddings.4.bias": np.full(7, np.nan, "float32")})
    write_slim(folder / "lacks.ckpt", {name: array for name, array in slim.items() if "conv4_1" not in name})
    write_slim(folder / "two.ckpt", slim, version=2)
    data = folder / "two.ckpt.data-00000-of-00001"
    data.write_bytes(data.read_bytes()[:-9])
    return {
        "missing.ckpt": "is not there; give vggish_model.ckpt",
        ".": "is a folder",
        "lacks.pth": "lacks features.3.bias, embeddings.4.weight; give vggish_model.ckpt",
        "lacks.ckpt": "lacks vggish/conv4/conv4_1/weights, vggish/conv4/conv4_1/biases;",
        "narrow.pth": r"conv3/conv3_1 has kernel (3, 3, 3, 5) and bias (5,)",
        "five.pth": "conv1 has kernel (5, 5, 1, 3)",
        "flat.pth": "after 120 values they should be (120, 9) and (9,)",
        "integer.pth": "conv1 holds values that are not finite",
        "nan.pth": "fc2 holds values that are not finite",
        "two.ckpt": "is a damaged TensorFlow checkpoint",
    }


@pytest.mark.no_backend
def test_a_bad_file_is_one_line(tmp_path):
    for name, text in bad_files(tmp_path).items():
        with pytest.raises(InputError) as caught:
            VggishEmbedding(tmp_path / name)
        assert text in str(caught.value) and str(tmp_path / name) in str(caught.value), name
        assert "\n" not in str(caught.value) and "Lightning" not in str(caught.value)


@pytest.mark.no_backend
def test_a_checkpoint_larger_than_any_vggish_is_refused(tmp_path, monkeypatch):
    path = write_slim(tmp_path / "vggish_model.ckpt", slim_arrays(STATE))
    monkeypatch.setattr("tsdsae_keras.interop.vggish.MOST_NUMBERS", sum(array.size for array in STATE.values()) - 1)
    with pytest.raises(InputError, match="its layers have more than"):
        read_vggish(path)


@pytest.mark.parametrize(
    ("samples", "rate", "text"),
    [
        (np.zeros((1, 2, 9)), 16000, r"shape \(1, 2, 9\)"),
        (np.zeros(0), 16000, r"shape \(0,\)"),
        (np.zeros(9, "int16"), 16000, "samples are int16"),
        (np.full(9, np.nan), 16000, "nan or infinity"),
        (np.zeros(9), 0, "sample_rate is 0"),
    ],
)
def test_what_is_no_sound_is_one_line(embed, samples, rate, text):
    with pytest.raises(InputError, match=text):
        embed(samples, rate)
