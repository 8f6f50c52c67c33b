"""The model: its loss, its step, what is saved, and embeddings of sounds of any length."""

import keras
import numpy as np
import pytest

from tests.families.selfie.small import SIZES, small, views
from tsdsae_keras.base.loading import load_model
from tsdsae_keras.errors import InputError
from tsdsae_keras.families.selfie.model import FORMS, SelfieStyle
from tsdsae_keras.families.selfie.watch import warning


def numbers(values):
    return {name: float(keras.ops.convert_to_numpy(value)) for name, value in values.items()}


def train(model, batch, steps=1):
    model.compile(optimizer=keras.optimizers.Adam(1e-2, name="adam"))
    for _ in range(steps):
        logs = model.train_on_batch(batch, return_dict=True)
    return logs


@pytest.mark.parametrize("form", FORMS)
def test_terms_add_up_to_the_loss(form):
    found = numbers(small(form).loss_terms(views()))
    weights = {name: weight for name, weight in small(form).term_weights.items() if weight}
    assert found["loss"] == pytest.approx(sum(weight * found[name] for name, weight in weights.items()), rel=1e-5)
    assert set(found) == {*weights, "offset", "std", "effective_rank", "loss"}


def test_the_order_of_views_does_not_matter():
    model, batch = small(), views()
    swapped = {"first": batch["second"], "second": batch["first"]}
    expected = numbers(model.loss_terms(batch))
    assert numbers(model.loss_terms(swapped))["loss"] == pytest.approx(expected["loss"], rel=1e-4)


@pytest.mark.parametrize("form", ["selfie-style", "align-uniform"])
def test_a_step_moves_every_trainable_weight(form):
    model = small(form, dropout=0.0, units=16)
    before = [np.array(weight) for weight in model.get_weights()]
    names = [weight.path for weight in model.weights]
    train(model, views(16))
    moved = {
        name for name, old, new in zip(names, before, model.get_weights(), strict=True) if not np.array_equal(old, new)
    }
    assert {weight.path for weight in model.trainable_weights} <= moved
    assert not any(name.endswith("scale") for name in moved)


def test_a_batch_that_is_not_finite_changes_nothing_not_even_running_statistics():
    model, batch = small(), views()
    train(model, batch)
    before = [np.array(weight) for weight in model.get_weights()]
    batch["first"][0] = np.nan
    logs = model.train_on_batch(batch, return_dict=True)
    assert float(logs["skipped_steps"]) == 1
    for old, new, weight in zip(before, model.get_weights(), model.weights, strict=True):
        np.testing.assert_array_equal(old, new, err_msg=weight.path)


def test_running_statistics_follow_those_of_the_batches():
    model, batch = small(dropout=0.0), views(32)
    for _ in range(60):
        trained_outputs = model(batch, training=True)
    outputs = model(batch, training=False)
    for name in ("first", "second"):
        np.testing.assert_allclose(
            *(keras.ops.convert_to_numpy(o[name]) for o in (trained_outputs, outputs)), atol=0.05
        )


def test_calibration_takes_the_statistics_of_the_sounds():
    model, x = small(), 3 * views(256, 16)["first"] + 1
    model.set_scale(1.0, 3.0)
    model.calibrate(x)
    of_batch = keras.ops.convert_to_numpy(model.f((x - 1) / 3, training=True))
    np.testing.assert_allclose(model.embed(x), of_batch, atol=0.15)
    assert model.f.first_norm.momentum == 0.9


def test_dropout_is_drawn_from_what_a_run_knows():
    model, batch = small(dropout=0.5), views()
    drawn = []
    for epoch in (1, 2, 1):
        model.reseed(0, epoch)
        drawn.append(keras.ops.convert_to_numpy(model(batch, training=True)["first"]))
    np.testing.assert_allclose(drawn[0], drawn[2], atol=1e-5)
    assert not np.allclose(drawn[0], drawn[1], atol=1e-3)


def test_a_saved_model_embeds_the_same(tmp_path):
    model = small("vicreg")
    train(model, views())
    model.set_scale(-3.0, 2.0)
    model.save(tmp_path / "model.keras")
    x = views()["first"]
    loaded = load_model(tmp_path / "model.keras")
    assert isinstance(loaded, SelfieStyle) and loaded.form == "vicreg"
    np.testing.assert_allclose(loaded.embed(x), model.embed(x), rtol=1e-5, atol=1e-6)


def test_an_embedding_takes_any_length_whatever_the_scale():
    model = small()
    x = views(3, 32)["first"]
    assert model.embed(x).shape == model.embed(x[:, :20]).shape == (3, 6 + 2 * 2)
    np.testing.assert_allclose(model.embed(x[0]), model.embed(x)[:1], rtol=1e-5, atol=1e-6)
    before = model.embed(x)
    model.set_scale(2.0, 3.0)
    np.testing.assert_allclose(model.embed(3 * x + 2), before, rtol=1e-4, atol=1e-5)


def test_a_mask_leaves_padded_frames_out():
    model, x = small(), views(2, 32)["first"]
    mask = np.arange(32) < np.array([[16], [32]])
    found = model.embed(x, mask)
    np.testing.assert_allclose(found[1], model.embed(x)[1], rtol=1e-5, atol=1e-6)
    far = x.copy()
    far[0, 24:] += 5  # beyond what the convolutions see from the valid frames
    np.testing.assert_allclose(model.embed(far, mask)[0], found[0], rtol=1e-5, atol=1e-6)


def test_the_paper_size_has_the_published_widths():
    model = SelfieStyle(encoder="paper", dim=256)
    assert model.embed(np.zeros((1, 96, 64), "float32")).shape == (1, 3072)
    assert model.g.hidden.kernel.shape == (3072, 4096) and model.f.hidden.kernel.shape == (1024, 2048)
    assert SelfieStyle().embed(np.zeros((1, 96, 64), "float32")).shape == (1, 512)


@pytest.mark.parametrize(
    ("config", "named"),
    [
        ({"form": "simclr"}, "form"),
        ({"dim": 0}, "dim"),
        ({"t": 0.0}, "t is"),
        ({"center": 1}, "center"),
        ({"term_weights": {"variance": 1.0}}, "term_weights"),
        ({"form": "barlow", "term_weights": {"diversity": 1.0}}, "diversity"),
        ({"dropout": 1.0}, "dropout"),
    ],
)
def test_invalid_arguments_are_refused_in_one_line(config, named):
    with pytest.raises(InputError, match=named) as error:
        SelfieStyle(**{**SIZES, **config})
    assert "\n" not in str(error.value)


def test_frames_of_another_shape_are_refused():
    with pytest.raises(InputError, match=r"\(n, time, 8\)"):
        small().embed(np.zeros((2, 16, 9), "float32"))


@pytest.mark.parametrize(
    ("found", "named"),
    [
        ({"offset": 0.9, "std": 1.0, "effective_rank": 40.0}, "common offset"),
        ({"offset": 0.0, "std": 1e-6, "effective_rank": 40.0}, "hardly vary"),
        ({"offset": 0.0, "std": 1.0, "effective_rank": 1.2}, "dimensions"),
    ],
)
def test_the_warning_names_the_collapse(found, named):
    assert named in warning(found, 63)
    assert warning({"offset": 0.05, "std": 0.5, "effective_rank": 40.0}, 63) is None
