"""A model with the authors' weights gives the authors' outputs, loss terms and gradient norms."""

from pathlib import Path

import numpy as np
import pytest

from tests.gradients import terms_and_gradients
from tsdsae_keras.errors import InputError
from tsdsae_keras.families.tsdsae.interop.reference import from_reference_state, reference_names

FILES = sorted((Path(__file__).parents[2] / "reference").glob("*.npz"))
STAGES = [(file, stage) for file in FILES for stage in (1, 2) if stage == 1 or "masked" not in file.stem]
TERMS = {"recon": "recon_loss", "loss": "loss", **{f"kl_{rest}": f"kld_{rest}" for rest in ("z", "v")}}
SWAPS = {f"kl_{rest}": f"kld_{rest}" for rest in ("v_gswap", "z_gswap", "v_lswap", "z_lswap")}
OUTPUTS = {
    "reconstruction": "reconstruction",
    "v_mean": "v_mu",
    "v_log_var": "v_logvar",
    "z_mean": "z_pos_mu",
    "z_log_var": "z_pos_logvar",
    "z_prior_mean": "z_prior_mu",
    "z_prior_log_var": "z_prior_logvar",
}
CLOSE = {"rtol": 1e-4, "atol": 1e-5}


def arrays_of(file):
    with np.load(file, allow_pickle=False) as arrays:
        return dict(arrays)


def state_of(arrays, stage):
    state = {name[6:]: value for name, value in arrays.items() if name.startswith("state/")}
    if stage == 2:
        state |= {name[13:]: value for name, value in arrays.items() if name.startswith("stage2/state/")}
    return state


def permutations_of(arrays, stage):
    return [arrays[f"stage2/permutation_{swap}"] for swap in ("global", "local")] if stage == 2 else None


@pytest.mark.parametrize(("file", "stage"), STAGES, ids=lambda value: getattr(value, "stem", str(value)))
def test_meets_the_reference(file, stage):
    arrays = arrays_of(file)
    model = from_reference_state(state_of(arrays, stage))
    assert model.stage == stage
    x, mask, partners = arrays["x"], arrays["mask"] > 0, permutations_of(arrays, stage)

    outputs = model.predict({"x": x, "mask": mask}, verbose=0)
    for name, other in OUTPUTS.items() | ({("v_prior_mean", "v_prior_mu")} if stage == 2 else set()):
        ours, theirs = outputs[name], arrays[f"stage{stage}/out/{other}"]
        valid = mask if ours.ndim == 3 else slice(None)
        np.testing.assert_allclose(ours[valid], theirs[valid], **CLOSE, err_msg=name)

    terms, gradients = terms_and_gradients(
        model, lambda: model.loss_terms(x, mask, sample=False, permutations=partners)
    )
    for name, other in (TERMS | (SWAPS if stage == 2 else {})).items():
        np.testing.assert_allclose(terms[name], arrays[f"stage{stage}/{other}"], **CLOSE, err_msg=name)

    for variable, sources in reference_names(model, informed=False):
        ours = 0.0 if gradients[variable.path] is None else np.linalg.norm(gradients[variable.path])
        for source in sources:
            theirs = arrays.get(f"stage{stage}/gradnorm/{source}", 0.0)
            np.testing.assert_allclose(ours, theirs, **CLOSE, err_msg=source)


def test_names_that_do_not_fit_are_listed():
    state = state_of(arrays_of(FILES[0]), 1)
    with pytest.raises(InputError, match=r"unknown names: net_foo\.bias, net_foo\.weight$"):
        from_reference_state(state | {"net_foo.weight": np.zeros((2, 2)), "net_foo.bias": np.zeros(2)})
    with pytest.raises(InputError, match=r"missing names: net_z_logvar\.bias$"):
        from_reference_state({name: value for name, value in state.items() if name != "net_z_logvar.bias"})
    lacking = ("net_decoder_mu.0.weight", "net_z_prior.rnn.weight_hh_l1")
    with pytest.raises(InputError, match=rf"missing names: {lacking[0]}, {lacking[1]}$"):
        from_reference_state({name: value for name, value in state.items() if name not in lacking})
    with pytest.raises(InputError, match=r"missing names: .*net_v_mu\.weight.*net_z_prior\.layers"):
        from_reference_state({})
    with pytest.raises(InputError, match=r"net_z_logvar\.weight has shape"):
        from_reference_state(state | {"net_z_logvar.weight": np.zeros((3, 3))})
