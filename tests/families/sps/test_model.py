"""What holds for any weights: the laws of the objective, its schedule, and what a model refuses."""

import keras
import numpy as np
import pytest

from tests.cases import compile_with_adam
from tsdsae_keras.errors import InputError
from tsdsae_keras.families.sps.model import SPS
from tsdsae_keras.families.sps.symmetries import SYMMETRIES, add_symmetry
from tsdsae_keras.families.sps.terms import true_code_probability
from tsdsae_keras.groups import Translation

# Weights of PyTorch: with those of "he" every code decodes to the same frame at first.
SMALL = {"channels": (2, 2, 3), "decoder_units": (4,), "prior_units": 6, "initial_weights": "pytorch", "seed": 3}


def small(**config):
    keras.utils.set_random_seed(5)
    return SPS("video", **{**SMALL, **config})


def frames(n=3, time=7, seed=0):
    return np.random.default_rng(seed).random((n, time, 32, 32, 3)).astype("float32")


def numbers(values):
    return {name: float(keras.ops.convert_to_numpy(value)) for name, value in values.items()}


def test_identity_elements_make_the_symmetric_prior_the_plain_one():
    model, x = small(copies=2, sampler="mean"), frames()
    nothing = {"translation": np.zeros((6, 2), "float32"), "angle": np.zeros(6, "float32")}
    positions = {name: np.array([5]) for name in ("P_plain", "P_translation", "P_rotation")}
    terms = numbers(model.loss_terms({"x": x}, draws={**nothing, **positions}))
    for kind in ("T", "R"):
        np.testing.assert_allclose(terms[f"symm_z_{kind}"], terms["prior_z"], rtol=1e-5)
        np.testing.assert_allclose(terms[f"symm_recon_{kind}"], terms["prior_recon"], rtol=1e-5)
        np.testing.assert_allclose(terms[f"symm_prior_{kind}"], 0, atol=1e-8)


def test_the_loss_is_the_sum_of_its_terms_and_the_mean_over_sequences():
    model, x = compile_with_adam(small(copies=1)), frames(5)
    logs = model.evaluate({"x": x}, batch_size=5, return_dict=True, verbose=0)
    np.testing.assert_allclose(logs["loss"], sum(logs[name] for name in model.active_terms()), rtol=1e-5)
    ragged = model.evaluate({"x": x}, batch_size=2, return_dict=True, verbose=0)
    np.testing.assert_allclose(ragged["recon"], logs["recon"], rtol=1e-5)
    np.testing.assert_allclose(ragged["prior_z"], logs["prior_z"], rtol=1e-4)


def test_a_model_of_videos_begins_at_the_mean_frame():
    model, x = small(initial_weights="he", center=True), frames(4)
    model.adapt(x)
    codes = np.random.default_rng(1).normal(size=(5, 3))
    mean = np.broadcast_to(x.mean(axis=(0, 1)), (5, 32, 32, 3))
    np.testing.assert_allclose(keras.ops.convert_to_numpy(model.decode(codes)), mean, atol=1e-6)


def test_a_step_moves_every_weight_and_the_schedule():
    model, x = compile_with_adam(small(copies=1, center=True)), frames(4)
    model.adapt(x)
    before = {weight.path: keras.ops.convert_to_numpy(weight).copy() for weight in model.weights}
    model.fit({"x": x}, batch_size=3, epochs=1, verbose=0)
    after = {weight.path: keras.ops.convert_to_numpy(weight).copy() for weight in model.weights}
    assert float(after["sps/steps"]) == 2
    still = [path for path in before if np.array_equal(before[path], after[path])]
    assert still == ["sps/mean_frame"]


def test_the_schedule_is_the_published_one():
    found = [float(keras.ops.convert_to_numpy(true_code_probability(float(step)))) for step in (0, 8932, 15000, 1e6)]
    np.testing.assert_allclose(found, [0.983, 0.5, 0.06, 0.0], atol=2e-3)


def test_outside_training_nothing_is_random_and_in_training_everything_is():
    model, batch = small(copies=1), {"x": frames()}
    assert numbers(model.loss_terms(batch)) == numbers(model.loss_terms(batch))
    assert numbers(model.loss_terms(batch, training=True)) != numbers(model.loss_terms(batch, training=True))


def test_the_style_is_that_of_one_frame():
    model, x = small(latents=5, copies=1, sampler="mean"), frames()
    terms = {}
    for step in (1, 4):
        changed = np.array(x)
        changed[:, [t for t in range(7) if t != step]] = frames(seed=1)[:, [t for t in range(7) if t != step]]
        z = model.encode(changed)["mean"]
        style = model.style(keras.ops.convert_to_tensor(z), training=False)
        np.testing.assert_allclose(keras.ops.convert_to_numpy(style), z[:, 0, 3:], rtol=1e-6)
        with model.given_draws({"timbre_step": step}):
            drawn = keras.ops.convert_to_numpy(model.style(keras.ops.convert_to_tensor(z)))
        np.testing.assert_allclose(drawn, model.encode(x)["mean"][:, step, 3:], rtol=1e-5, atol=1e-6)
        terms[step] = drawn
    assert not np.allclose(terms[1], terms[4])


def test_a_roll_out_sees_its_beginning_only():
    model, x = small(copies=0), frames()
    other = np.concatenate([x[:, :3], frames(seed=9)[:, 3:]], axis=1)
    np.testing.assert_allclose(model.rollout(x, beginning=3), model.rollout(other, beginning=3), atol=1e-6)
    longer = model.rollout(x[:, :3], beginning=3, frames=7)
    np.testing.assert_allclose(longer, model.rollout(x, beginning=3), atol=1e-6)
    assert model.imagine(x, beginning=3, frames=9).shape == (3, 9, 32, 32, 3)


@pytest.mark.parametrize("cell", ["rnn", "gru"])
def test_a_saved_model_gives_the_same(tmp_path, cell):
    model, x = small(copies=1, prior_cell=cell, prior_layers=2, center=True), frames()
    model.adapt(x)
    model.steps.assign(7.0)
    model.save(tmp_path / "model.keras")
    other = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(other.rollout(x), model.rollout(x), atol=1e-6)
    np.testing.assert_allclose(other.reconstruct(x), model.reconstruct(x), atol=1e-6)
    assert float(keras.ops.convert_to_numpy(other.steps)) == 7


class Halved(Translation):
    """Its inverse goes half of the way back."""

    def inverse(self, g):
        return -0.5 * g


def test_a_symmetry_of_ones_own_is_held_to_the_laws():
    with pytest.raises(InputError, match="correct its inverse"):
        add_symmetry("halved", 3, shift=Halved((0, 1)))
    add_symmetry("shift", 3, shift=Translation((1,), 2.0))
    try:
        terms = numbers(small(group="shift", copies=1).loss_terms({"x": frames()}, training=True))
        assert terms["symm_z"] > 0
    finally:
        del SYMMETRIES["shift"]


@pytest.mark.parametrize(
    ("config", "match"),
    [
        ({"sampler": "mode"}, "sampler is 'mode'"),
        ({"group": "so9"}, "group is 'so9'"),
        ({"dynamic": 4}, "dynamic is 4; it must be at most latents, 3"),
        ({"latents": 2, "dynamic": 2, "copies": 1}, "acts on latent 2"),
        ({"channels": (4, 4)}, "3 widths"),
        ({"copies": -1}, "copies is -1"),
        ({"kld_weight": float("nan")}, "kld_weight is nan"),
    ],
)
def test_invalid_arguments_are_refused(config, match):
    with pytest.raises(InputError, match=match):
        small(**config)


def test_frames_that_do_not_fit_are_refused():
    with pytest.raises(InputError, match="more than base_len, 5"):
        small().loss_terms({"x": frames(time=5)})
    with pytest.raises(InputError, match="this model takes"):
        small().loss_terms({"x": np.zeros((2, 8, 513, 5), "float32")})
