"""The plain PyTorch peers of physical symmetry and of SELFIE-style pre-training are the same models."""

import os

import numpy as np
import pytest

from benchmarks import step
from benchmarks.contestants import Race

BACKEND = os.environ["KERAS_BACKEND"]
CLOSE = {"rtol": 1e-4, "atol": 1e-5}

with_torch = pytest.mark.skipif(BACKEND != "torch", reason="the peer is PyTorch's")
once = pytest.mark.skipif(BACKEND != "tensorflow", reason="no backend runs in it")


@with_torch
@pytest.mark.parametrize("name", ["music_small", "music_full_by_seed"])
def test_the_peer_of_physical_symmetry_meets_the_reference(name):
    import torch

    from benchmarks.sps_peer import Peer
    from tests.families.sps.test_reference import load

    data = load(name)
    state = {key.removesuffix("_l0"): torch.from_numpy(value) for key, value in data["state"].items()}
    for key in ("encoder.0.weight", "decoder.6.weight"):
        state[key] = state[key].transpose(1, 3)  # the 5 columns are channels
    state = {key: value[..., 0] if value.ndim == 4 else value for key, value in state.items()}
    channels, units = ([len(state[f"{part}.{2 * i}.bias"]) for i in range(4)] for part in ("encoder", "fc3"))
    peer = Peer(channels, units, state["rnn.weight_hh"].shape[1], int(data["K"]))
    peer.load_state_dict(state | {"output_bias": state.pop("decoder.6.bias")})
    x, draws = torch.from_numpy(data["x"]).transpose(2, 3), data["draws"]
    fed = [torch.from_numpy(np.isin(np.arange(x.shape[1]), draws[f"P_{each}"])) for each in ("plain", "translation")]
    shift = torch.from_numpy(draws["translation"]).view(-1, 1, 1)
    terms = peer.terms(x, torch.from_numpy(draws["eps"]), *fed, shift)
    assert {f"faithful/terms/{each}" for each in (*terms, "loss")} == {
        key for key in data if key.startswith("faithful/terms/")
    }
    for term, value in terms.items():
        np.testing.assert_allclose(value.item(), data[f"faithful/terms/{term}"], **CLOSE, err_msg=term)
    sum(terms.values()).backward()
    for key, weight in peer.named_parameters():
        name = f"{key}_l0" if key.startswith("rnn.") else key.replace("output_bias", "decoder.6.bias")
        stored = data[f"faithful/gradnorm/{name}"]
        np.testing.assert_allclose(weight.grad.norm().item(), stored, rtol=1e-3, err_msg=key)


@with_torch
def test_the_peer_of_selfie_style_is_the_library_s_model():
    """Weights are copied; PyTorch pads a strided convolution on the other side, so its input begins one later."""
    import torch

    from benchmarks.selfie_peer import Peer
    from tests.families.selfie.small import SIZES, small, views
    from tests.gradients import terms_and_gradients

    model, batch = small(dropout=0.0), views()
    for x in batch.values():
        x[:, 0], x[:, :, 0] = 0, 0
    values, gradients = terms_and_gradients(model, lambda: model.loss_terms(batch, training=True))
    peer = Peer(SIZES["n_mels"], SIZES["channels"], SIZES["units"], SIZES["projector_units"], SIZES["dim"], 0.0)
    peer.load_state_dict(state_of(model), strict=False)
    late = [torch.from_numpy(np.roll(batch[name], -1, axis=(1, 2))) for name in ("first", "second")]
    terms = peer.terms(*peer.project(torch.cat(late)).chunk(2))
    for name, value in zip(("invariance", "diversity", "decorrelation"), terms, strict=True):
        np.testing.assert_allclose(value.item(), values[name], **CLOSE, err_msg=name)
    loss = peer(*late)
    expected = sum(model.term_weights[name] * values[name] for name in model.active_terms())
    np.testing.assert_allclose(loss.item(), expected, **CLOSE)
    loss.backward()
    for ours, other in ((model.f.first, peer.convolutions[0]), (model.g.last, peer.projector[3])):
        found = np.linalg.norm(gradients[ours.kernel.path])
        np.testing.assert_allclose(other.weight.grad.norm().item(), found, rtol=1e-3)


def state_of(model):
    """The weights of `SelfieStyle` under the peer's names, batch normalisation as it starts."""
    import torch

    f, g = model.f, model.g
    convolutions = {"convolutions.0": f.first, "convolutions.3": f.second}
    dense = {"frame.0": f.hidden, "frame.3": f.output_layer, "projector.0": g.hidden, "projector.3": g.last}
    state = {}
    for name, layer in (convolutions | dense).items():
        kernel, *bias = (torch.from_numpy(np.array(each)) for each in layer.get_weights())
        state[f"{name}.weight"] = kernel.permute(3, 2, 0, 1) if kernel.ndim == 4 else kernel.T
        state |= {f"{name}.bias": each for each in bias}
    return state


@with_torch
def test_peers_train_for_an_epoch_at_a_time():
    from benchmarks import selfie_peer, sps_peer

    rng, told = np.random.default_rng(0), []
    usual = {"batch": 3, "threads": 1, "compiled": False}
    sizes = {"channels": (2, 2, 2, 2), "units": (4,), "hidden": 4, "copies": 2, "scale": 8.0, "speed": 6.0}
    notes = rng.random((5, 6, 5, 513), "float32")
    views = {name: rng.random((6, 16, 64), "float32") for name in ("first", "second")}
    runs = (
        lambda wait, reply: sps_peer.run(notes, usual | sizes | {"steps": 2, "center": True}, wait, reply),
        lambda wait, reply: selfie_peer.run(views, usual, wait, reply),
    )
    for run in runs:
        turns = iter([True, True, False])
        run(lambda turns=turns: next(turns), lambda seconds, loss: told.append((seconds, loss)))
    assert len(told) == 4 and all(seconds > 0 and np.isfinite(loss) for seconds, loss in told)


@once
def test_views_are_timed_by_the_step(monkeypatch):
    made, clock = [], iter([5.0, 5.06])
    views = type("Views", (), {"make": lambda self, epoch, number: made.append(number)})()
    monkeypatch.setattr(step, "open_views", lambda race: views)
    monkeypatch.setattr(step.time, "perf_counter", lambda: next(clock))
    said = step.share_of_views(Race("peer", family="selfie", batch=8, clips=32), 0.1)
    assert made == [0, 1, 2, 3] and "views 20.00 ms a step, 0.200 of the fastest" in said
