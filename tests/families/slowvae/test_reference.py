"""A model with the authors' weights gives the authors' outputs, terms, gradient norms and ten steps of Adam."""

import keras
import numpy as np
import pytest

from tests.families.slowvae.small import arrays_of, gradients, hyper, state_of
from tsdsae_keras.errors import InputError
from tsdsae_keras.families.slowvae.reference import from_reference, reference_names

FILES = ("official_c1", "rgb_sharp")
TERMS = ("recon", "entropy", "cross_entropy_normal", "cross_entropy_laplace", "kl_normal", "kl_laplace")
TERMS += ("kl_laplace_exact", "loss")
LOGGED = ("recon", "entropy", "cross_entropy_normal", "cross_entropy_laplace", "loss")


@pytest.fixture(scope="module", params=FILES)
def arrays(request):
    return arrays_of(request.param)


def model_of(arrays, form="official"):
    return from_reference("slowvae", state_of(arrays), form=form, **hyper(arrays))


def norms(model, values):
    """{torch name: norm}, whatever the layout."""
    place = {id(variable): i for i, variable in enumerate(model.trainable_weights)}
    arrays = [np.asarray(keras.ops.convert_to_numpy(value), "float64") for value in values]
    return {name: np.linalg.norm(arrays[place[id(each)]]) for name, each in reference_names(model).items()}


@pytest.mark.parametrize("kind", ["mean", "sample"])
def test_terms_outputs_and_gradients_are_the_authors(arrays, kind):
    model, draws = model_of(arrays), {"eps": arrays["eps"]} if kind == "sample" else None
    terms, found = gradients(model, {"x": arrays["x"]}, draws)
    for name in TERMS:
        np.testing.assert_allclose(terms[name], arrays[f"{kind}/{name}"], rtol=1e-4, err_msg=name)
    for name, norm in norms(model, found).items():
        np.testing.assert_allclose(norm, arrays[f"{kind}/gradnorm/{name}"], rtol=3e-4, err_msg=name)
    with model.given_draws(draws):
        outputs = model({"x": arrays["x"]})
    logits = keras.ops.convert_to_numpy(outputs["decoded"])
    np.testing.assert_allclose(logits[:2], arrays[f"{kind}/out/logits"], atol=1e-4)
    np.testing.assert_allclose(np.abs(logits).sum(axis=(1, 2, 3)), arrays[f"{kind}/out/logits_abs_sum"], rtol=1e-4)


def test_codes_are_the_authors(arrays):
    codes = model_of(arrays).encode(arrays["x"])
    np.testing.assert_allclose(codes["mean"], arrays["out/mean"], atol=1e-4)
    np.testing.assert_allclose(codes["log_var"], arrays["out/logvar"], atol=1e-4)


def test_the_exact_form_is_the_negative_elbo(arrays):
    model = model_of(arrays, form="exact")
    terms, found = gradients(model, {"x": arrays["x"]}, {"eps": arrays["eps"]})
    np.testing.assert_allclose(terms["loss"], arrays["exact/loss"], rtol=1e-4)
    for name, norm in norms(model, found).items():
        np.testing.assert_allclose(norm, arrays[f"exact/gradnorm/{name}"], rtol=3e-4, err_msg=name)


def test_ten_steps_of_adam_end_where_the_authors_end(arrays):
    model = model_of(arrays)
    optimizer = keras.optimizers.Adam(float(arrays["hyper/lr"]), epsilon=1e-8)
    optimizer.build(model.trainable_weights)
    for eps, logged in zip(arrays["steps/eps"], arrays["steps/log"], strict=True):
        terms, found = gradients(model, {"x": arrays["x"]}, {"eps": eps})
        np.testing.assert_allclose([terms[name] for name in LOGGED], logged, rtol=1e-3, atol=1e-3)  # nats
        optimizer.apply(found, model.trainable_weights)
    for name, norm in norms(model, model.trainable_weights).items():
        np.testing.assert_allclose(norm, arrays[f"steps/final_norm/{name}"], rtol=1e-3, err_msg=name)
    final = arrays["steps/final_mean"]
    assert np.linalg.norm(model.encode(arrays["x"])["mean"] - final) < 1e-3 * np.linalg.norm(final)


def test_names_that_do_not_fit_are_listed():
    state = state_of(arrays_of("rgb_sharp"))
    weight = state.pop("decoder.0.weight")
    with pytest.raises(InputError, match=r"missing in the state: decoder\.0\.weight"):
        from_reference("slowvae", state)
    with pytest.raises(InputError, match="unknown in the state: extra"):
        from_reference("slowvae", state | {"decoder.0.weight": weight, "extra": weight})
    with pytest.raises(InputError, match=r"decoder\.0\.weight has shape \(256, 11\)"):
        from_reference("slowvae", state | {"decoder.0.weight": np.zeros((256, 11))})
