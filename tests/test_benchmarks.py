"""The benchmarks measure what they say: the peer is the same model, ratios undo what slows all who take turns."""

import csv
import json
import os
from pathlib import Path

import numpy as np
import pytest

from benchmarks import data, quality, scaling, step
from benchmarks.contestants import Race

BACKEND = os.environ["KERAS_BACKEND"]
REFERENCE = Path(__file__).parent / "reference" / "factorised_q.npz"
CLOSE = {"rtol": 1e-4, "atol": 1e-5}
TERMS = {"loss": "loss", "recon": "recon_loss", "kl_z": "kld_z", "kl_v": "kld_v"}
SWAPS = {f"kl_{name}": f"kld_{name}" for name in ("v_gswap", "z_gswap", "v_lswap", "z_lswap")}

with_torch = pytest.mark.skipif(BACKEND != "torch", reason="the peer is PyTorch's")
once = pytest.mark.skipif(BACKEND != "tensorflow", reason="no backend runs in it")


@pytest.fixture(scope="module")
def arrays():
    with np.load(REFERENCE, allow_pickle=False) as stored:
        return dict(stored)


def peer_of(arrays, stage, whole=False):
    """The peer with the reference weights of a stage, nothing frozen."""
    from benchmarks.peer import Peer

    state = {name[6:]: value for name, value in arrays.items() if name.startswith("state/")}
    if stage == 2:
        state |= {name[13:]: value for name, value in arrays.items() if name.startswith("stage2/state/")}
    model = Peer(stage=stage, whole=whole).requires_grad_(True)
    model.load_reference(state)
    return model


def inputs_of(arrays, stage):
    import torch

    orders = [torch.from_numpy(arrays[f"stage2/permutation_{swap}"]) for swap in ("global", "local")]
    return torch.from_numpy(arrays["x"]), orders if stage == 2 else None


@with_torch
@pytest.mark.parametrize(("stage", "whole"), [(1, False), (2, False), (2, True)])
def test_the_peer_meets_the_reference(arrays, stage, whole):
    from benchmarks.peer import reference_name

    model = peer_of(arrays, stage, whole)
    terms = model(*inputs_of(arrays, stage), sample=False)
    assert set(terms) == set(TERMS | (SWAPS if stage == 2 else {}))
    for name, value in terms.items():
        expected = arrays[f"stage{stage}/{(TERMS | SWAPS)[name]}"]
        np.testing.assert_allclose(value.item(), expected, **CLOSE, err_msg=name)
    terms["loss"].backward()
    compared = 0
    for name, weight in model.named_parameters():
        expected = arrays.get(f"stage{stage}/gradnorm/{reference_name(name)}")
        if expected is not None:
            np.testing.assert_allclose(weight.grad.norm().item(), expected, **CLOSE, err_msg=name)
            compared += 1
    assert compared == sum(name.startswith(f"stage{stage}/gradnorm/") for name in arrays)


@with_torch
def test_the_peer_shares_pairs_as_the_library_does(arrays):
    import torch

    model, (x, (order, _)) = peer_of(arrays, 2), inputs_of(arrays, 2)
    shared, separate = (model(x, (order, other), sample=False) for other in (None, torch.argsort(order)))
    for name, value in separate.items():
        np.testing.assert_allclose(shared[name].item(), value.item(), **CLOSE, err_msg=name)


@with_torch
@pytest.mark.parametrize("stage", [1, 2])
def test_the_peer_trains_what_the_stage_trains(stage):
    from benchmarks.peer import Race as PeerRace

    settings = {"stage": stage, "batch": 3, "z_dim": 3, "precision": "float32", "threads": 1}
    settings |= {"compiled": False, "whole": False, "shared": False, "tf32": False}
    race = PeerRace(np.random.default_rng(0).normal(size=(7, 6, 5)).astype("float32"), settings)
    before = {name: value.clone() for name, value in race.model.state_dict().items()}
    told, turns = [], iter([True, True, False])
    race.run(lambda: next(turns), lambda seconds, loss: told.append((seconds, loss)))
    moved = {name for name, value in race.model.state_dict().items() if not value.equal(before[name])}
    local = {name for name in before if name.startswith(("trunk_z", "head_z", "transition", "head_prior"))}
    frozen = {name for name in before if name.startswith("snapshot")} | (local if stage == 1 else set())
    assert moved == set(before) - frozen
    assert len(told) == 2 and all(seconds > 0 and np.isfinite(loss) for seconds, loss in told)


@with_torch
def test_the_peer_of_class_pose_decomposition_meets_the_reference():
    import torch

    from benchmarks.cpd_peer import Peer
    from tests.families.cpd.reference_files import arrays_of, state_of

    arrays = arrays_of("sprites_cnn")
    state = {name: torch.from_numpy(value) for name, value in state_of(arrays).items() if "decoder" not in name}
    peer = Peer(1, 64)
    peer.load_state_dict(state)
    x, y = (torch.from_numpy(arrays[letter]).float() / 255 for letter in "xy")
    loss = peer(x, torch.from_numpy(arrays["action"]), y)
    np.testing.assert_allclose(loss.item(), arrays["loss/total"], **CLOSE)
    loss.backward()
    for name, weight in peer.named_parameters():
        np.testing.assert_allclose(weight.grad.norm().item(), arrays[f"gradnorm/{name}"], **CLOSE, err_msg=name)


@with_torch
def test_the_loss_of_rotations_of_that_peer_meets_the_reference():
    import torch

    from benchmarks.cpd_peer import Peer
    from tests.families.cpd.reference_files import arrays_of

    arrays = arrays_of("groups")
    raw_x, action, raw_y = (torch.from_numpy(arrays[f"rotate/{name}"]) for name in ("raw_x", "action", "raw_y"))
    terms = Peer(3, 2, rotations=True).terms(raw_x.requires_grad_(), action, raw_y)
    for name, value in zip(("equivariance", "info_nce"), terms, strict=True):
        np.testing.assert_allclose(value.item(), arrays[f"rotate/loss/{name}"], **CLOSE)
    sum(terms).backward()
    np.testing.assert_allclose(raw_x.grad, arrays["rotate/grad_equivariance/raw_x"], **CLOSE)


@once
def test_rendering_is_counted_by_the_images_and_steps_of_a_run(monkeypatch):
    clock = iter([0.0, 2.048, 5.0, 5.04])  # 1 ms an image, 2 ms a batch
    monkeypatch.setattr(step.time, "perf_counter", lambda: next(clock))
    said = step.share_of_rendering(Race("peer", family="cpd", data="sprites", batch=8, clips=16), 0.1)
    # 28,000 images a run of 1,800 steps: 15.56 ms a step.
    assert "rendering 15.56 ms a step, 0.156 of the fastest; pairing 2.00 ms, 0.020" in said


@pytest.mark.slow
@with_torch
def test_the_compiled_peer_has_the_same_gradients(arrays):
    import torch

    plain, other = peer_of(arrays, 2), peer_of(arrays, 2)
    inputs = inputs_of(arrays, 2)
    plain(*inputs, sample=False)["loss"].backward()
    torch.compile(other)(*inputs, sample=False)["loss"].backward()
    for (name, first), second in zip(plain.named_parameters(), other.parameters(), strict=True):
        if first.grad is not None:
            np.testing.assert_allclose(second.grad, first.grad, rtol=1e-3, atol=1e-6, err_msg=name)


@once
def test_ratios_undo_what_slows_all_alike():
    noise = [1.0, 1.7, 0.6, 3.1]
    results = [
        {"kind": "jax", "name": "ours", "seconds": [2.0 * factor for factor in noise]},
        {"kind": "peer", "name": "slow", "seconds": [5.0 * factor for factor in noise]},
        {"kind": "peer", "name": "fast", "seconds": noise},
        {"kind": "torch", "name": "none", "error": "OutOfMemory"},
    ]
    ours, slow, fast, failed = step.with_ratios(results)
    assert ours["against"] == "fast"
    for result, expected in ((ours, 2.0), (slow, 5.0), (fast, 1.0)):
        np.testing.assert_allclose(result["ratio"], [expected] * 4)
    assert "ratio" not in failed


@once
def test_peers_race_with_one_thread_and_with_all():
    races = step.peers(Race("peer", threads=2), ["plain", "compiled", "whole"])
    assert {(race.threads, race.compiled, race.whole) for race in races} == {
        (n, *kind) for n in (1, 2) for kind in ((False, False), (True, False), (False, True))
    }
    assert len({race.name for race in races}) == 6
    assert len(step.peers(Race("peer", threads=1), ["plain"])) == 1


@pytest.mark.slow
def test_contestants_take_turns_and_a_failure_stops_no_other(capsys):
    sizes = {"batch": 4, "frames": 6, "features": 5, "z_dim": 3, "clips": 8, "threads": 1}
    races = [Race(BACKEND, stage=2, **sizes), Race("abacus", stage=2, **sizes)]
    ours, failed = step.race_all(races, rounds=2)
    assert len(ours["seconds"]) == 2 and min(ours["seconds"]) > 0 and np.isfinite(ours["loss"])
    assert ours["memory"] > 1e6 and ours["device"]
    assert "abacus" in failed["error"] and failed["error"] in capsys.readouterr().out
    assert "failed: " in step.table([ours, failed])


@once
def test_the_exponent_of_a_power_is_its_power():
    sizes = [3, 10, 50, 400]
    for power in (0.0, 1.0, 2.0):
        assert scaling.exponent(sizes, [7.0 * size**power for size in sizes]) == pytest.approx(power, abs=1e-9)
    assert scaling.exponent([5], [1.0]) is None


@once
def test_one_size_changes_at_a_time():
    usual = Race("peer", **scaling.USUAL)
    for axis, sizes in scaling.SIZES.items():
        for size, race in scaling.races_of(axis, sizes, usual, steps=12).items():
            assert getattr(race, axis) == size and race.clips % race.batch == 0
            assert race.steps == (12 if axis != "clips" else size // usual.batch)
            kept = {"frames", "batch", "z_dim", "stage", "precision"} - {axis}
            assert all(getattr(race, name) == getattr(usual, name) for name in kept)


@pytest.fixture
def run(tmp_path):
    """A finished run of five epochs, the first two of stage 1; reconstruction falls to 0.30 in the fourth."""
    with (tmp_path / "history.csv").open("w") as file:
        rows = csv.writer(file)
        rows.writerow(["epoch", "stage", "val_recon", "val_kl_z"])
        rows.writerows([(0, 1, 5.0, 9), (1, 1, 0.2, 8), (2, 2, 0.5, 7), (3, 2, 0.3, 6), (4, 2, 0.1, 5)])
    scores = {"pre": 1.0, "global": 1.0, "local": 0.99}
    contents = {
        "seconds.json": {"prepare": 100.0, "train": 17.0, "epochs": [1.0, 2.0, 3.0, 4.0, 5.0], "evaluate": 3.0},
        "evaluation.json": {"swap_f1": scores, "judge_f1": scores | {"real": 0.5}, "reconstruction": {"mse": 0.11}},
        "settings.json": {"settings": {"backend": "jax", "data_folder": "d", "data_identity": "i"}, "versions": {}},
    }
    for name, content in contents.items():
        (tmp_path / name).write_text(json.dumps(content))
    return tmp_path


@once
def test_quality_is_reached_when_both_conditions_are(run):
    found = quality.study(run)
    assert found["reached"] == 4 and found["lowest"] == 0.99
    assert found["seconds"] == 2.0 + 1 + 2 + 3 + 4  # what was spent between epochs, then the epochs
    assert found["epochs"]["seconds"][-1] == 17.0 and found["whole"] == 120.0
    assert quality.study(run, score=0.995)["seconds"] is None
    never = quality.study(run, recon=0.05)
    assert never["reached"] is None and never["seconds"] is None
    assert quality.study(run, clock=[10.0, 20.0, 30.0, 41.0, 50.0])["seconds"] == 41.0
    assert "epoch 4" in quality.table([found, never], 0.3, 0.99)


@once
def test_runs_are_compared_where_all_have_been(run):
    first, slower = quality.study(run), quality.study(run, pace=(10.0, 100.0))
    assert slower["epochs"]["seconds"] == [10.0, 20.0, 120.0, 220.0, 320.0]
    slower["epochs"]["val_recon"][-1] = 0.4  # its best is the fourth epoch's 0.3
    _, *lines = quality.comparison([first, slower]).splitlines()
    assert [[float(cell) for cell in line.split()[-3:]] for line in lines] == [[4, 12, 6], [4, 220, 6]]


@once
def test_a_run_that_is_not_finished_is_named(run):
    (run / "seconds.json").unlink()
    with pytest.raises(SystemExit, match=r"holds no finished run: there is no seconds\.json"):
        quality.study(run)


@once
def test_curves_go_through_what_was_read(run):
    line = quality.picture([quality.study(run)], 0.3).axes[0].lines[0]
    np.testing.assert_allclose(line.get_xdata(), np.array([3, 5, 8, 12, 17]) / 60)
    np.testing.assert_allclose(line.get_ydata(), [5.0, 0.2, 0.5, 0.3, 0.1])


@once
def test_rates_are_clips_over_seconds(monkeypatch):
    clock = iter(np.arange(0.0, 100.0, 2.0))
    monkeypatch.setattr(data.time, "perf_counter", lambda: next(clock))
    calls = []
    found = data.time_jobs(3, {"a": lambda: calls.append("a"), "b": lambda: calls.append("b")}, clips=10)
    assert found == {name: {"clips_a_second": [5.0] * 3} for name in "ab"}
    assert calls == ["a", "b"] * 4
