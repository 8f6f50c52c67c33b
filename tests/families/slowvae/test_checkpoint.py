"""Checkpoints of the authors' code become models with the same numbers; what is none is refused in one line."""

import numpy as np
import pytest

from tests.families.slowvae.small import arrays_of, numbers, state_of
from tests.interop.torch_files import WRITERS, Made, write_bytes
from tsdsae_keras.base.loading import load_model
from tsdsae_keras.cli import main
from tsdsae_keras.errors import InputError
from tsdsae_keras.families.slowvae.checkpoint import import_checkpoint


@pytest.fixture(scope="module")
def arrays():
    return arrays_of("official_c1")


def checkpoint_of(state):
    """What the authors' solver puts around a state."""
    moments = {0: {"step": np.array(7), "exp_avg": np.ones(3, "float32")}}
    return {"iter": 50_000, "model_states": {"net": state}, "optim_states": {"optim": {"state": moments}}}


@pytest.mark.parametrize("write", WRITERS)
@pytest.mark.parametrize("nested", [True, False])
def test_the_saved_model_has_the_authors_terms(tmp_path, arrays, write, nested):
    state = state_of(arrays)
    file = write(tmp_path / "last", checkpoint_of(state) if nested else state)
    import_checkpoint(file, tmp_path / "model.keras")
    model = load_model(tmp_path / "model.keras")
    terms = numbers(model.loss_terms({"x": arrays["x"]}, draws={"eps": arrays["eps"]}))
    for name in ("recon", "kl_normal", "kl_laplace", "loss"):
        np.testing.assert_allclose(terms[name], arrays[f"sample/{name}"], rtol=1e-4, err_msg=name)


def test_the_command(tmp_path, arrays, capsys):
    file, out = write_bytes(tmp_path / "last", checkpoint_of(state_of(arrays))), tmp_path / "model.keras"
    command = ["import-checkpoint", "--family", "slowvae", str(file), str(out)]
    assert main(command) == 0
    assert "found: slowvae" in capsys.readouterr().out
    assert main(command) == 2
    assert capsys.readouterr().err == f"error: {out} exists; give another name, nothing is overwritten\n"
    assert main([*command[:3], str(file), str(tmp_path / "beta.keras"), "--model", "beta-vae"]) == 0
    assert load_model(tmp_path / "beta.keras").gamma == 0


def test_states_that_make_no_model_are_refused_in_one_line(tmp_path, arrays):
    state = state_of(arrays)
    attack = Made("builtins", "eval", f"open({str(tmp_path / 'attacked')!r}, 'w')")
    for number, (content, named) in enumerate(
        (
            (checkpoint_of(state | {"head.weight": state["encoder.0.bias"]}), "unknown in the state: head.weight"),
            (checkpoint_of({"encoder.0.bias": state["encoder.0.bias"]}), "missing in the state: encoder.0.weight, "),
            (checkpoint_of(state | {"decoder.0.weight": state["encoder.0.bias"]}), "decoder.0.weight has shape (32,)"),
            (checkpoint_of(state | {"encoder.0.weight": state["encoder.0.bias"]}), "it should have 4 axes"),
            (checkpoint_of({}), "holds no state_dict"),
            (checkpoint_of({"encoder.0.weight": attack}), "holds no state_dict"),
        )
    ):
        file = write_bytes(tmp_path / f"{number}", content)
        with pytest.raises(InputError) as caught:
            import_checkpoint(file, tmp_path / "model.keras")
        assert named in str(caught.value) and str(file) in str(caught.value)
        assert "\n" not in str(caught.value) and not (tmp_path / "model.keras").exists()
    assert not (tmp_path / "attacked").exists()
