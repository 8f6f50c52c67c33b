"""Laws of every model of the family: batches, terms, draws, saving, training, and what is refused."""

import json

import keras
import numpy as np
import pytest

from tests.families.slowvae.small import numbers, pairs, small
from tsdsae_keras.base.loading import load_model
from tsdsae_keras.data.sets import open_data
from tsdsae_keras.data.sets.pair_stream import PairStream
from tsdsae_keras.errors import InputError
from tsdsae_keras.families.slowvae.baselines import PCL, AdaVAE, share
from tsdsae_keras.families.slowvae.batches import batches
from tsdsae_keras.families.slowvae.building import build
from tsdsae_keras.families.slowvae.evaluation import evaluate, table
from tsdsae_keras.families.slowvae.model import SlowVAE, encode_all
from tsdsae_keras.settings import Settings

VECTORS = {"x_shape": (8,), "z_dim": 4, "units": (16,), "seed": 7}
MODELS = {
    "slowvae": lambda: small(),
    "exact": lambda: small(form="exact"),
    "beta-vae": lambda: small(gamma=0.0, beta=4.0),
    "ada-gvae": lambda: AdaVAE(**VECTORS, likelihood="gaussian"),
    "ada-ml-vae": lambda: AdaVAE(**VECTORS, likelihood="gaussian", sharing="ml-vae"),
    "pcl": lambda: PCL(**VECTORS),
}


@pytest.fixture(params=MODELS)
def model(request):
    keras.utils.set_random_seed(7)
    return MODELS[request.param]()


def test_terms_add_up_and_draw_nothing_outside_training(model):
    x = pairs()
    terms = numbers(model.loss_terms({"x": x}))
    total = sum(model.term_weights[name] * terms[name] for name in model.active_terms())
    assert terms["loss"] == pytest.approx(total, rel=1e-6)
    assert numbers(model.loss_terms(x)) == terms
    assert numbers(model.loss_terms(x, training=True)) != terms


def test_training_moves_every_weight_and_a_saved_model_is_the_same(model, tmp_path):
    x = pairs(32)
    model.compile(keras.optimizers.Adam(1e-2))
    before = [np.array(weight) for weight in model.get_weights()]
    logs = model.fit(x, batch_size=16, epochs=2, shuffle=False, verbose=0).history
    assert {*model.active_terms(), *model.monitors, "loss"} <= logs.keys()
    trained = {variable.path for variable in model.trainable_weights}
    still = [
        variable.path
        for variable, old in zip(model.weights, before, strict=True)
        if variable.path in trained and np.array_equal(keras.ops.convert_to_numpy(variable), old)
    ]
    assert not still
    model.save(tmp_path / "model.keras")
    loaded = load_model(tmp_path / "model.keras")
    assert loaded.get_config() == model.get_config()
    np.testing.assert_allclose(loaded.encode(x)["mean"], model.encode(x)["mean"], rtol=1e-5, atol=1e-6)


def test_swapped_frames_and_other_pairs_change_what_they_should():
    x, model = pairs(), small()
    assert numbers(model.loss_terms(x[np.arange(12) ^ 1])) == pytest.approx(numbers(model.loss_terms(x)), rel=1e-4)
    other = numbers(model.loss_terms(np.roll(x, 1, axis=0)))
    assert other["kl_laplace"] != pytest.approx(numbers(model.loss_terms(x))["kl_laplace"], rel=1e-3)
    assert other["kl_normal"] == pytest.approx(numbers(model.loss_terms(x))["kl_normal"], rel=1e-4)


def test_shared_posteriors():
    mean, var = np.float32([[0, 1], [0.2, 3]]), np.float32([[1, 1], [3, 1]])
    tensors = [keras.ops.convert_to_tensor(each) for each in (mean, np.log(var))]
    # Divergences 1/3 + .04/3 - 1 + log 3 and 4: only the second dimension has changed.
    for sharing, (m, v) in {"gvae": (0.1, 2.0), "ml-vae": (0.05, 1.5)}.items():
        found, log_var = (keras.ops.convert_to_numpy(each) for each in share(*tensors, sharing))
        np.testing.assert_allclose(found, [[m, 1], [m, 3]], rtol=1e-5)
        np.testing.assert_allclose(np.exp(log_var), [[v, 1], [v, 1]], rtol=1e-5)


def test_pcl_score_by_hand():
    model = PCL(**VECTORS)
    after, before = (keras.ops.convert_to_tensor(np.float32([values])) for values in ((1, 2, 0, 0), (1, 0, 0, 0)))
    assert float(keras.ops.convert_to_numpy(model.score(after, before))[0]) == pytest.approx(5 - 2)


@pytest.mark.parametrize("shape", [(32, 48, 2), (16, 16, 1)])
def test_images_of_any_size_that_is_a_multiple_of_16(shape):
    model = SlowVAE(shape, 3, seed=0)
    x = np.random.default_rng(0).random((4, *shape), "float32")
    assert np.isfinite(numbers(model.loss_terms(x))["loss"])
    assert model.reconstruct(x).shape == x.shape
    assert model.encode(x[:3])["mean"].shape == (3, 3)


def test_the_network_of_the_paper_has_its_weights():
    assert SlowVAE((64, 64, 1), 10).count_params() == 763_285


@pytest.mark.parametrize(
    "config, named",
    [
        ({"x_shape": (60, 64, 1)}, "multiples of 16"),
        ({"x_shape": (8, 8)}, "multiples of 16"),
        ({"z_dim": 0}, "z_dim is 0"),
        ({"beta": -1.0}, "beta is -1"),
        ({"rate_prior": 0.0}, "rate_prior is 0"),
        ({"form": "mine"}, "form is 'mine'"),
        ({"likelihood": "poisson"}, "likelihood is 'poisson'"),
        ({"units": ()}, "units has 0"),
        ({"seed": -1}, "seed is -1"),
        ({"x_shape": (65536, 65536, 1)}, "is too large"),
    ],
)
def test_bad_configurations_are_refused(config, named):
    with pytest.raises(InputError, match=named):
        SlowVAE(**{"x_shape": (8,), **config})


def test_bad_batches_are_refused():
    with pytest.raises(InputError, match="pairs are interleaved"):
        small().loss_terms(pairs()[:3])
    with pytest.raises(InputError, match=r"x has shape \(12, 7\)"):
        small().loss_terms(pairs()[:, :7])


def settings(**given):
    return Settings(**{"model": "slowvae", "data": "mixed", "batch_size": 16, "epoch_steps": 5, **given})


def test_streams_depend_on_seed_and_epoch_alone():
    data = open_data(settings())

    def draw_batch(workers, epoch, seed=3):
        stream = batches(data, settings(workers=workers, seed=seed), "train")
        stream.set_epoch(epoch)
        return np.stack([np.array(batch["x"]) for batch in stream.dataset])

    first = draw_batch(1, 2)
    assert first.shape == (5, 16, 8)
    np.testing.assert_array_equal(first, draw_batch(4, 2))
    assert not np.array_equal(first, draw_batch(1, 1))
    assert not np.array_equal(first, draw_batch(1, 2, seed=4))
    validation = batches(data, settings(seed=9), "validation")
    fixed = validation.batch(0)["x"]
    validation.set_epoch(7)
    np.testing.assert_array_equal(fixed, validation.batch(0)["x"])
    with pytest.raises(InputError, match="--batch-size is 15"):
        PairStream(data, 15, 5, (0,))


@pytest.mark.parametrize("name", ["slowvae", "beta-vae", "ada-gvae", "ada-ml-vae", "pcl"])
def test_what_the_settings_build(name):
    chosen = settings(model=name, z_dim=3)
    model = build(chosen, open_data(chosen))
    assert model.z_dim == 3
    if name in ("slowvae", "beta-vae"):
        assert (model.beta, model.gamma) == {"slowvae": (1, 10), "beta-vae": (8, 0)}[name]
    assert build(settings(model=name), open_data(chosen)).z_dim == 4


def test_evaluation_is_plain_and_has_its_bounds():
    chosen = settings()
    data = open_data(chosen)
    result = evaluate(build(chosen, data), data, frames=400)
    assert json.loads(json.dumps(result)) == result
    low, high = result["mcc"]["interval"]
    assert 0 < low < result["mcc"]["value"] < high < 1
    assert result["mcc"]["noise"] < 0.15 < result["mcc"]["worst"]
    assert result["terms"]["loss"] > 0 and result["codes"]["dimensions"] == 4
    assert set(result["factors"]) == {"s0", "s1", "s2", "s3"}
    assert "mcc" in table(result) and "s3" in table(result)


def test_encode_all_is_encode():
    x, model = pairs(10), small()
    np.testing.assert_allclose(encode_all(model, x, 7), model.encode(x)["mean"], rtol=1e-5, atol=1e-6)
