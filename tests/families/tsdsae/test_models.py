"""Laws of every model and every variant."""

from types import SimpleNamespace

import numpy as np
import pytest
from keras import ops

from tests import cases
from tsdsae_keras.errors import InputError
from tsdsae_keras.families.tsdsae.building import build
from tsdsae_keras.families.tsdsae.dsae import DSAEf
from tsdsae_keras.families.tsdsae.independence import correlation
from tsdsae_keras.families.tsdsae.model import SWAP_TERMS
from tsdsae_keras.settings import with_preset


@pytest.mark.parametrize("name", cases.NAMES)
def test_terms_add_up_to_the_loss(name):
    model = cases.compile_with_adam(cases.small(name, term_weights=None if "tsdsae" in name else {"kl_z": 0.5}))
    if model.stages == 2:
        model.enter_stage(2)
    cases.check_terms_add_up(model, cases.sequences())


@pytest.mark.parametrize("variant", cases.VARIANTS)
def test_every_variant(variant):
    model, x = cases.small(stage=2, **cases.VARIANTS[variant]), cases.sequences()
    model.adapt(x)
    cases.check_padding_changes_nothing(model, x)
    cases.check_means_outside_training(model, x)
    cases.check_swap_with_itself(model, x)
    cases.check_swap_terms(model, x)


def test_shared_pairs_are_those_of_a_permutation_and_its_inverse():
    model = cases.small(stage=2, local_encoder="full")
    cases.check_shared_pairs(model, cases.sequences())


def test_pairs_are_shared_in_training_where_asked_for():
    x = cases.sequences(n=9)
    for pairs, alike in (("shared", True), ("independent", False)):
        terms = cases.numbers(cases.small(stage=2, swap_pairs=pairs).loss_terms(x, sample=True))
        same = [terms[f"kl_{code}_gswap"] == terms[f"kl_{code}_lswap"] for code in "vz"]
        assert same == [alike] * 2, pairs


@pytest.mark.slow  # JAX compiles every one of these passes
@pytest.mark.parametrize("variant", cases.VARIANTS)
def test_padding_teaches_nothing(variant):
    model, x = cases.small(stage=2, **cases.VARIANTS[variant]), cases.sequences()
    model.adapt(x)
    cases.check_padding_teaches_nothing(model, x)


def test_every_swap_weight_counts():
    x, weights = cases.sequences(), (0.5, 2.0, 0.0, 3.0)
    model = cases.small(stage=2, swap_weights=weights)
    terms = cases.numbers(model.loss_terms(x, sample=False))
    assert set(terms) == {"recon", "kl_z", "kl_v", *SWAP_TERMS, "loss"} - {"kl_v_lswap"}
    expected = sum(terms[name] for name in ("recon", "kl_z", "kl_v"))
    expected += sum(weight * terms.get(name, 0.0) for name, weight in zip(SWAP_TERMS, weights, strict=True))
    assert terms["loss"] == pytest.approx(expected, rel=1e-6)


def test_weights_of_the_options_count_and_are_kept():
    options = {"kl_z_weight": 10.0, "kl_v_weight": 0.5, "corr_zv_weight": 3.0, "mmd_swap_weight": 2.0, "z_noise": 0.3}
    data = SimpleNamespace(n_mels=5, front_end=None)
    model = build(with_preset(options | {"z_dim": 3, "v_dim": 2, "units": 4, "standardize": False}), data)
    model = type(model).from_config(model.get_config())
    model.enter_stage(2)
    terms = cases.numbers(model.loss_terms(cases.sequences()))
    swaps = sum(terms[name] for name in SWAP_TERMS)
    own = terms["recon"] + 10 * terms["kl_z"] + 0.5 * terms["kl_v"] + 3 * terms["corr_zv"] + 2 * terms["mmd_swap"]
    assert terms["loss"] == pytest.approx(own + swaps, rel=1e-5)
    assert "corr_zv" not in cases.small(stage=2).loss_terms(cases.sequences())
    assert model.z_noise == 0.3


def test_correlation_of_z_and_v_in_closed_form():
    rng, mask = np.random.default_rng(0), np.arange(9) < np.full((400, 1), 6)
    v = rng.normal(size=(400, 1)).astype("float32")

    def correlation_of(z, v, mask=None):
        return float(correlation(ops.convert_to_tensor(z), ops.convert_to_tensor(v), mask))

    free = rng.normal(size=(400, 9, 1)).astype("float32")
    told = np.where(mask[..., None], v[:, None], np.nan).astype("float32")  # its mean is v, its mean square v^2
    assert correlation_of(free, v) < 0.02
    square = np.corrcoef(v[:, 0], v[:, 0] ** 2)[0, 1] ** 2
    assert correlation_of(told, v, mask) == pytest.approx((1 + square) / 2, abs=1e-3)
    louder = v[:, None] * np.array([[1], [-1]], "float32")  # of mean 0, its spread is |v|
    spread = np.corrcoef(np.abs(v[:, 0]), v[:, 0] ** 2)[0, 1] ** 2
    assert correlation_of(louder, np.abs(v)) == pytest.approx(spread / 2, abs=1e-3)


def test_noise_on_z_is_in_units_of_its_deviation_over_valid_frames():
    model, x, mask = cases.small(z_noise=0.5), cases.sequences(n=5, frames=6), np.arange(6) < np.full((5, 1), 4)
    noise = np.random.default_rng(0).normal(size=(5, 6, model.z_dim)).astype("float32")
    z = np.array(model.one_pass(x, mask)["z"])
    with model.given_draws({"eps_z_noise": noise}):
        noisy = np.array(model.one_pass(np.where(mask[..., None], x, 99.0).astype("float32"), mask)["z"])
    expected = z + 0.5 * z[:, :4].std((0, 1)) * noise
    np.testing.assert_allclose(noisy[:, :4], expected[:, :4], atol=1e-5)


def test_z_of_stage_one_may_be_noise_that_tells_nothing():
    def z_of(outputs, name="z"):
        return ops.convert_to_numpy(outputs[name])

    model, x = cases.small(stage_one_z="noise"), cases.sequences()
    noise = np.random.default_rng(0).normal(size=(*x.shape[:2], model.z_dim)).astype("float32")
    with model.given_draws({"eps_z": noise}):
        np.testing.assert_allclose(z_of(model.one_pass(x)), noise, rtol=1e-6)
    assert not z_of(model.one_pass(x)).any()
    model.enter_stage(2)
    outputs = model.one_pass(x)
    np.testing.assert_allclose(z_of(outputs), z_of(outputs, "z_mean"), rtol=1e-6)


def test_a_level_moves_what_is_heard_and_what_is_to_be_rebuilt():
    """+6 dB of log-mel power on both: the same terms as of sequences that are so much louder."""
    model, x = cases.small(level_db=6.0), cases.sequences()
    model.adapt(x)
    terms = model.loss_terms(x, draws={"level": np.ones((1, 1, 1), "float32")})
    louder = cases.numbers(model.loss_terms(x + np.float32(0.6 * np.log(10))))
    assert cases.numbers(terms) == pytest.approx(louder, rel=1e-4)
    drawn = [cases.numbers(model.loss_terms(x, sample=True))["recon"] for _ in range(2)]
    assert drawn[0] != drawn[1]


def test_sum_is_the_elbo_of_the_same_outputs():
    x = cases.sequences()
    model = cases.small("dsae", reduction="sum", standardize=False)
    outputs = {name: np.array(value) for name, value in model.predict(x, verbose=0).items()}
    terms = cases.numbers(model.loss_terms(x, sample=False))
    v_mean, v_log_var = outputs["v_mean"], outputs["v_log_var"]
    kl_v = 0.5 * (np.exp(v_log_var) + v_mean**2 - 1 - v_log_var).sum(-1).mean()
    assert terms["recon"] == pytest.approx(0.5 * ((x - outputs["reconstruction"]) ** 2).sum((1, 2)).mean(), rel=1e-5)
    assert terms["kl_v"] == pytest.approx(kl_v, rel=1e-4)


def test_standardised_model_is_the_raw_model_on_standardised_input():
    x = cases.sequences(n=20)
    raw, standardised = cases.small(standardize=False), cases.small()
    standardised.adapt(x)
    mean, deviation = x.mean((0, 1)), x.std((0, 1))
    for part, same in ((raw.q_v, standardised.q_v), (raw.q_z, standardised.q_z), (raw.p_x, standardised.p_x)):
        same.set_weights(part.get_weights())
    inner = raw.reconstruct((x - mean) / deviation)
    np.testing.assert_allclose(standardised.reconstruct(x), inner * deviation + mean, rtol=1e-3, atol=1e-4)


def test_a_silent_band_stays_sane():
    x = cases.sequences()
    x[..., 2] = np.log(2.2e-16)
    model = cases.small()
    model.adapt(x)
    assert all(np.isfinite(value) for value in cases.numbers(model.loss_terms(x, sample=True)).values())
    np.testing.assert_allclose(model.encode(x)["v_mean"], model.encode(x.astype("float64"))["v_mean"], atol=1e-4)


def test_adapt_takes_arrays_and_batches_alike():
    x = cases.sequences(n=9)
    whole, batches = cases.small(), cases.small()
    whole.adapt(x)
    batches.adapt([x[:4], {"x": x[4:], "mask": np.ones((5, 6), bool)}])
    for a, b in zip(whole.standardization.get_weights(), batches.standardization.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5)
    np.testing.assert_allclose(whole.standardization.get_weights()[0], x.mean((0, 1)), rtol=1e-4)


def test_initial_weights_of_pytorch_lie_in_its_ranges():
    model = cases.small("dsae", initial_weights="pytorch", global_units=(400,), transition_units=(300,))
    kernel, bias = (np.array(weight) for weight in model.q_v.features.stack[0].get_weights())
    assert 0.95 < np.abs(kernel).max() * 5**0.5 <= 1.0 and 0.95 < np.abs(bias).max() * 5**0.5 <= 1.0
    kernel, recurrent, bias = (np.array(weight) for weight in model.p_z.stack[0].get_weights())
    assert np.abs(kernel).max() * 300**0.5 <= 1.0 and np.abs(recurrent).max() * 300**0.5 <= 1.0
    assert 1.2 < np.abs(bias).max() * 300**0.5 <= 2.0  # the sum of two draws


def test_generation_is_seeded_and_takes_v():
    model = cases.small()
    first, again, other = model.generate(3, 7, seed=1), model.generate(3, 7, seed=1), model.generate(3, 7, seed=2)
    assert first.shape == (3, 7, 5)
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)
    v = np.ones((3, 2), "float32")
    assert model.generate(3, 7, v=v, seed=1).shape == (3, 7, 5)


def test_arrays_for_arrays_and_tensors_for_tensors():
    model, x = cases.small(), cases.sequences()
    assert isinstance(model.encode(x)["v_mean"], np.ndarray)
    assert ops.is_tensor(model.encode(ops.convert_to_tensor(x))["v_mean"])


WRONG = {
    "z_dim": (0, "z_dim is 0"),
    "v_dim": (2.5, "v_dim is 2.5"),
    "decoder": ("foo", "'frame' or 'sequence'"),
    "stage": (3, "stage is 3"),
    "local_units": ((), "local_units is empty"),
    "term_weights": ({"kl_q": 1.0}, "kl_q"),
}


@pytest.mark.parametrize("name", WRONG)
def test_invalid_arguments_are_refused(name):
    value, words = WRONG[name]
    with pytest.raises(InputError, match=words):
        DSAEf(**{**cases.SIZES, name: value})


def test_shapes_that_do_not_fit_are_refused():
    model = cases.small()
    with pytest.raises(InputError, match=r"\(2, 6, 4\); it must be \(batch, time, 5\)"):
        model.encode(np.zeros((2, 6, 4), "float32"))
    with pytest.raises(InputError, match="timbre has 2 sequences"):
        model.swap(cases.sequences(3), cases.sequences(2))
    with pytest.raises(InputError, match="only stage 1"):
        cases.small("dsae").enter_stage(2)
