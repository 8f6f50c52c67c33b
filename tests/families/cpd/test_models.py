"""Laws of class-pose decomposition and its baselines."""

import keras
import numpy as np
import pytest
from keras import ops

from tsdsae_keras import groups
from tsdsae_keras.base.loading import load_model
from tsdsae_keras.errors import InputError
from tsdsae_keras.families.cpd.baselines import Linear, MDPHomomorphism
from tsdsae_keras.families.cpd.equivariant import random_partners
from tsdsae_keras.families.cpd.model import CPD

CASES = {
    "translate": (CPD, {"dims": 2}),
    "rotate": (CPD, {"group": "rotate", "decoder": True, "channels": 3, "width": 8}),  # narrower decoders can be dead
    "right": (CPD, {"group": "rotate_right", "nuclear": True}),
    "quaternion": (CPD, {"group": "rotate_quaternion", "class_loss": "hinge"}),
    "local": (CPD, {"group": "isometries_2d_local", "class_loss": "hinge", "encoder": "resnet"}),
    "resnet": (CPD, {"encoder": "resnet", "decoder": True}),
    "mdp": (MDPHomomorphism, {"group": "rotate", "units": 8}),
    "linear": (Linear, {"group": "rotate", "extra_dim": 0}),
}


def small(name):
    kind, how = CASES[name]
    keras.utils.set_random_seed(0)
    return kind(**{"width": 2, "seed": 0, **how})


def batch_for(model, n=4):
    rng = np.random.default_rng(0)
    x, y = rng.integers(0, 256, (2, n, 64, 64, model.channels), dtype="uint8")
    g = groups.find_group(model.group, model.dims).draw(n, 0)
    return {"x": x, "action": ops.convert_to_numpy(g), "y": y}


MAIN = ("translate", "rotate", "resnet")  # the others are among the longer proofs: JAX compiles for half a minute each


@pytest.mark.parametrize(
    "name", [name if name in MAIN else pytest.param(name, marks=pytest.mark.slow) for name in CASES]
)
def test_a_step_moves_every_weight_and_terms_add_up(name):
    model = small(name)
    batch = batch_for(model)
    before = [ops.convert_to_numpy(weight).copy() for weight in model.weights]
    # TensorFlow compiles once, for the smallest, and runs the others eagerly; JAX compiles faster than it runs eagerly.
    eagerly = keras.backend.backend() != "jax" and name != "translate"
    model.compile(optimizer=keras.optimizers.Adam(1e-3), run_eagerly=eagerly)
    logs = model.train_on_batch(batch, return_dict=True)
    weighted = [float(logs[term]) for term in model.active_terms()]
    assert len(weighted) > 1 and float(logs["loss"]) == pytest.approx(sum(weighted), rel=1e-4)
    still = [
        weight.path
        for weight, old in zip(model.weights, before, strict=True)
        if np.array_equal(ops.convert_to_numpy(weight), old) and "seed" not in weight.path
    ]
    assert not still


@pytest.mark.parametrize("name", ["rotate", "mdp", "linear", "resnet"])
def test_saved_and_loaded_it_gives_the_same_codes(name, tmp_path):
    model = small(name)
    batch = batch_for(model)
    model.save(tmp_path / "model.keras")
    loaded = load_model(tmp_path / "model.keras")
    assert loaded.get_config() == model.get_config()
    codes = model.encode(batch["x"])["code"]
    np.testing.assert_allclose(loaded.encode(batch["x"])["code"], codes, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(
        loaded.act(codes, batch["action"]), model.act(codes, batch["action"]), rtol=1e-5, atol=1e-6
    )


def test_the_class_is_not_touched_by_any_action():
    for name in ("translate", "rotate", "right", "quaternion", "local"):
        model = small(name)
        batch = batch_for(model)
        code = model.encode(batch["x"])["code"]
        acted = model.act(code, np.stack([batch["action"]] * 3, axis=1))
        np.testing.assert_array_equal(acted[:, model.group_dim :], code[:, model.group_dim :])
        assert np.abs(acted[:, : model.group_dim] - code[:, : model.group_dim]).max() > 0.01


def test_images_may_be_bytes_or_floats():
    model = small("translate")
    batch = batch_for(model)
    floats = batch["x"].astype("float32") / 255
    np.testing.assert_allclose(model.encode(batch["x"])["code"], model.encode(floats)["code"], rtol=1e-5, atol=1e-6)


def test_outside_training_nothing_is_random_and_the_order_of_a_batch_does_not_count():
    model = small("translate")
    batch = batch_for(model)
    order = np.array([3, 1, 0, 2])
    first, second, third = (
        {name: float(ops.convert_to_numpy(value)) for name, value in model.loss_terms(each).items()}
        for each in (batch, batch, {name: value[order] for name, value in batch.items()})
    )
    assert first == second
    assert third == pytest.approx(first, rel=1e-4)


def test_random_partners_are_a_permutation_without_fixed_points():
    for seed in range(20):
        order = ops.convert_to_numpy(random_partners(5, seed))
        assert sorted(order) == list(range(5)) and (order != np.arange(5)).all()


def test_in_training_x_and_y_keep_their_own_statistics():
    """What batch norm makes of x does not depend on y."""
    model = small("resnet")
    batch = batch_for(model)
    other = batch | {"y": np.zeros_like(batch["y"])}
    codes = [ops.convert_to_numpy(model(each, training=True)["code_x"]) for each in (batch, other)]
    np.testing.assert_allclose(codes[0], codes[1], rtol=1e-4, atol=1e-5)
    assert np.abs(codes[0] - model.encode(batch["x"])["code"]).max() > 1e-3


def test_relative_symmetry_is_that_of_the_codes():
    model = small("rotate")
    x = batch_for(model)["x"]
    found = model.relative(x, x[::-1].copy())
    codes = model.encode(x)["code"]
    np.testing.assert_allclose(model.act(codes, found)[:, :9], codes[::-1, :9], atol=1e-5)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"group": "dihedral"}, "group is 'dihedral'"),
        ({"encoder": "vit"}, "encoder is 'vit'"),
        ({"width": 0}, "width is 0"),
        ({"extra_dim": 0}, "extra_dim is 0"),
        ({"temperature": 0.0}, "temperature is 0.0"),
        ({"nuclear": True}, "only matrices"),
        ({"term_weights": {"kl": 1.0}}, "term_weights"),
        ({"seed": -1}, "seed is -1"),
    ],
)
def test_arguments_that_are_invalid_are_refused(change, reason):
    with pytest.raises(InputError, match=reason):
        CPD(**change)


def test_batches_that_do_not_fit_are_refused():
    model = small("translate")
    batch = batch_for(model)
    for change, reason in (
        ({"action": batch["action"][:, :1]}, "actions have shape"),
        ({"action": batch["action"][:3]}, "actions have shape"),
        ({"x": batch["x"][:, :32]}, "images have shape"),
        ({name: value[:1] for name, value in batch.items()}, "a batch of one"),
    ):
        with pytest.raises(InputError, match=reason):
            model.loss_terms(batch | change)
    with pytest.raises(InputError, match='"x", "action" and "y"'):
        model.loss_terms(batch["x"])
    with pytest.raises(InputError, match="no decoder"):
        model.decode(np.ones((2, 10)))


def test_spread_classes_differ_from_image_to_image_and_poses_stay():
    model = small("rotate")
    images = batch_for(model, 32)["x"]
    before = model.encode(images)["raw"]
    model.spread_classes(images)
    after, n = model.encode(images)["raw"], model.poses.action_dim
    np.testing.assert_array_equal(after[:, :n], before[:, :n])
    np.testing.assert_allclose(after[:, n:].mean(0), 0, atol=1e-2)
    np.testing.assert_allclose(after[:, n:].std(0), 1, atol=1e-2)
