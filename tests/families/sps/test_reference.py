"""Held to the authors' PyTorch code: outputs, loss terms and the norms of all gradients."""

from pathlib import Path

import keras
import numpy as np
import pytest

from tests.gradients import terms_and_gradients
from tsdsae_keras.errors import InputError
from tsdsae_keras.families.sps.reference import from_reference, weights_of

REFERENCE = Path(__file__).parents[2] / "reference" / "sps"
FILES = ("music_small", "music_timbre_small", "video_small", "music_full_by_seed", "video_full_by_seed")
MODES = {
    "faithful": {"sampler": "faithful"},
    "correct": {"sampler": "correct"},
    "ae": {"sampler": "mean"},
    "k0": {"sampler": "faithful", "symmetry": False},
    "vae": {"sampler": "faithful", "prior": False},
    "norepeat": {"sampler": "faithful", "repeat_style": False},
    "against_prior": {"sampler": "faithful", "against_prior": True},
}
MUSIC_GAINS = {"encoder": 2.4, "fc11": 12.0, "fc12": 2.0, "rnn": 1.0, "fc2": 2.0, "fc3": 2.2, "decoder": 2.5}
VIDEO_GAINS = {"encoder": 2.4, "fc11": 3.0, "fc12": 1.0, "rnn": 1.0, "fc2": 2.0, "fc3": 2.2, "decoder": 4.0}


def load(name):
    """A reference file as a dict, with its state whole, and "domain", "x", "draws"."""
    with np.load(REFERENCE / f"{name}.npz") as file:
        data = {key: file[key] for key in file.files}
    data["domain"] = name.split("_")[0]
    stored = {key.removeprefix("state/"): value for key, value in data.items() if key.startswith("state/")}
    data["state"] = state_by_seed(data, stored) if "by_seed" in name else stored
    x = data["x"]
    data["x"] = np.float32(x[:, :, 0]) if data["domain"] == "music" else np.float32(x / 255)
    names = ("eps", "P_plain", "P_translation", "P_rotation", "translation", "angle", "timbre_step")
    data["draws"] = {key: data[key] for key in names if key in data}
    return data


def state_by_seed(data, stored):
    """The weights of a by-seed file, drawn by its recipe."""
    rs = np.random.RandomState(int(data["seed"]))
    gains = MUSIC_GAINS if data["domain"] == "music" else VIDEO_GAINS
    state = {}
    for name, shape in shapes_of(data).items():
        fan = np.prod(shape[2:], dtype=int) * (
            shape[0] if name.startswith("decoder") else shape[-1 if len(shape) < 3 else 1]
        )
        bound = 0.1 if len(shape) == 1 else gains[name.split(".")[0]] / np.sqrt(fan)
        state[name] = (rs.randint(-128, 129, size=shape) / 128.0 * bound).astype("float32")
    state |= stored
    for name, value in state.items():
        if f"statesum/{name}" in data:
            np.testing.assert_allclose([value.sum(), np.abs(value).sum()], data[f"statesum/{name}"], rtol=1e-4)
    return state


def shapes_of(data):
    """Torch shapes of the published model in the order of its state dict."""
    music, hidden = data["domain"] == "music", int(data["hidden"])
    if music:
        channels, sizes, dense, first = (
            [int(c) for c in data["channels"]],
            [(5, 5), (8, 1), (4, 1), (4, 1)],
            (16, 64, 256, 1024),
            1,
        )
        flat, d = 16 * channels[-1], 1
    else:
        width = int(data["width"])
        channels, sizes, dense, first = [width, 2 * width, 4 * width], [(4, 4)] * 3, (16, 32, 64), 3
        flat, d = 16 * channels[-1], 3
    shapes, last = {}, first
    for i, (n, size) in enumerate(zip(channels, sizes, strict=True)):
        shapes |= {f"encoder.{2 * i}.weight": (n, last, *size), f"encoder.{2 * i}.bias": (n,)}
        last = n
    for name in ("fc11", "fc12"):
        shapes |= {f"{name}.weight": (d, flat), f"{name}.bias": (d,)}
    shapes |= {"rnn.weight_ih_l0": (hidden, d), "rnn.weight_hh_l0": (hidden, hidden)}
    shapes |= {"rnn.bias_ih_l0": (hidden,), "rnn.bias_hh_l0": (hidden,)}
    shapes |= {"fc2.weight": (d, hidden), "fc2.bias": (d,)}
    last = d
    for i, n in enumerate((*dense, flat)):
        shapes |= {f"fc3.{2 * i}.weight": (n, last), f"fc3.{2 * i}.bias": (n,)}
        last = n
    last = channels[-1]
    for i, (n, size) in enumerate(zip((*channels[-2::-1], first), sizes[::-1], strict=True)):
        shapes |= {f"decoder.{2 * i}.weight": (last, n, *size), f"decoder.{2 * i}.bias": (n,)}
        last = n
    return shapes


def model_of(data, **mode):
    """The model of a reference file in one of the modes."""
    d, p = len(data["state"]["fc11.bias"]), len(data["state"]["fc2.bias"])
    return from_reference(
        "sps",
        data["state"],
        domain=data["domain"],
        latents=d,
        dynamic=p,
        copies=int(data["K"]),
        base_len=int(data["base_len"]),
        symm_prior=bool(data.get("srs", 0)),
        **mode,
    )


@pytest.mark.parametrize("name", FILES)
def test_terms_and_gradients_are_those_of_the_authors(name):
    data = load(name)
    modes = [mode for mode in MODES if f"{mode}/terms/loss" in data]
    assert {"faithful", "correct", "ae", "k0", "vae"} <= set(modes)
    for mode in modes:
        model = model_of(data, **MODES[mode])
        graded = f"{mode}/gradnorm/fc2.bias" in data
        if graded:
            values, gradients = terms_and_gradients(
                model, lambda model=model: model.loss_terms({"x": data["x"]}, draws=data["draws"])
            )
            check_gradients(model, gradients, data, mode)
        else:
            terms = model.loss_terms({"x": data["x"]}, draws=data["draws"])
            values = {key: float(keras.ops.convert_to_numpy(value)) for key, value in terms.items()}
        check_terms(values, data, mode)


def check_terms(values, data, mode):
    stored = {key.split("/")[-1]: float(value) for key, value in data.items() if key.startswith(f"{mode}/terms/")}
    assert set(stored) == set(values), mode
    for key, value in stored.items():
        np.testing.assert_allclose(values[key], value, rtol=1e-4, atol=1e-6, err_msg=f"{mode} {key}")


def check_gradients(model, gradients, data, mode):
    compared = 0
    for variable, sources, _ in weights_of(model):
        norm = np.linalg.norm(gradients[variable.path])
        for source in sources:
            np.testing.assert_allclose(norm, data[f"{mode}/gradnorm/{source}"], rtol=1e-3, err_msg=f"{mode} {source}")
            compared += 1
    assert compared >= 22


@pytest.mark.parametrize("name", FILES)
def test_codes_predictions_and_frames_are_those_of_the_authors(name):
    data = load(name)
    model = model_of(data, **MODES["faithful"])
    codes = model.encode(data["x"])
    np.testing.assert_allclose(codes["mean"], data["out/mean"], atol=1e-4)
    np.testing.assert_allclose(codes["log_var"], data["out/logvar"], atol=1e-4)
    with model.given_draws(data["draws"]):
        outputs = {key: keras.ops.convert_to_numpy(value) for key, value in model({"x": data["x"]}).items()}
    np.testing.assert_allclose(outputs["z"], data["faithful/out/z"], atol=1e-4)
    np.testing.assert_allclose(outputs["prior"], data["faithful/out/prior"], atol=1e-4)
    for kind in (each.name for each in model.kinds):
        np.testing.assert_allclose(outputs[kind], data[f"faithful/out/prior_{kind}_back"], atol=1e-4, err_msg=kind)
    for own, stored in (("recon", "recon"), ("prior", "prior"), ("translation", "translation")):
        frames = np.moveaxis(data[f"faithful/out/frames_{stored}"], 2, -1)
        frames = frames[..., 0] if data["domain"] == "music" else frames
        found = 1 / (1 + np.exp(-outputs[f"{own}_logits"][:1, :2]))
        np.testing.assert_allclose(found, frames, atol=1e-4, err_msg=own)
    rollout = model.rollout(data["x"], beginning=int(data["base_len"]))
    np.testing.assert_allclose(rollout, data["eval/rollout"], atol=1e-4)


def test_wrong_states_are_refused_by_name():
    state = load("video_small")["state"]
    with pytest.raises(InputError, match=r"unknown: fc9\.bias; missing: fc2\.weight"):
        wrong = {("fc9.bias" if key == "fc2.weight" else key): value for key, value in state.items()}
        from_reference("sps", wrong, domain="video")
    with pytest.raises(InputError, match=r"fc3\.0\.weight has shape"):
        from_reference("sps", state | {"fc3.0.weight": state["fc3.0.weight"][:, :1]}, domain="video")
