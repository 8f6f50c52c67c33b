"""Small models of the family, reference files, and gradients."""

from pathlib import Path

import keras
import numpy as np

from tsdsae_keras.families.slowvae.model import SlowVAE
from tsdsae_keras.families.slowvae.reference import DECODER, ENCODER

REFERENCE = Path(__file__).parents[2] / "reference" / "slowvae"


def arrays_of(name):
    """The arrays of a reference file."""
    with np.load(REFERENCE / f"{name}.npz", allow_pickle=False) as arrays:
        return dict(arrays)


def state_of(arrays):
    """The weights of a reference file, stored or made by its recipe, checked against its sums."""
    names = [f"{layer}.{part}" for layer in (*ENCODER, *DECODER) for part in ("weight", "bias")]
    if "recipe/seed" in arrays:
        state = _draw_state(arrays, names)
    else:
        state = {name: arrays[f"state/{name}"].astype("float32") for name in names}
    for name, value in state.items():
        sums = value.astype("float64").sum(), np.square(value.astype("float64")).sum()
        np.testing.assert_allclose(sums, arrays[f"check/{name}"], rtol=1e-4, atol=1e-4, err_msg=name)
    return state


def _draw_state(arrays, names):
    shapes = _shapes(arrays["x"].shape[-1], arrays["eps"].shape[-1])
    state = {}
    for i, name in enumerate(names):
        drawn = np.random.RandomState(1000 * int(arrays["recipe/seed"]) + i).standard_normal(shapes[name])
        state[name] = (drawn * arrays[f"recipe/scale/{name}"]).astype("float32")
    state["encoder.11.bias"][arrays["eps"].shape[-1] :] += arrays["recipe/logvar_bias"]
    return state


def _shapes(channels, z_dim):
    widths = (channels, 32, 32, 64, 64)
    shapes = {f"encoder.{2 * i}": (widths[i + 1], widths[i], 4, 4) for i in range(4)}
    shapes |= {"encoder.8": (256, 64, 4, 4), "encoder.11": (2 * z_dim, 256)}
    shapes |= {"decoder.0": (256, z_dim), "decoder.3": (256, 64, 4, 4)}
    shapes |= {f"decoder.{5 + 2 * i}": (widths[4 - i], widths[3 - i], 4, 4) for i in range(4)}
    transposed = [f"decoder.{n}" for n in (3, 5, 7, 9, 11)]
    biases = {f"{name}.bias": (shape[name in transposed],) for name, shape in shapes.items()}
    return {f"{name}.weight": shape for name, shape in shapes.items()} | biases


def hyper(arrays):
    """The hyper-parameters of a reference file as arguments of the model."""
    return {name: float(arrays[f"hyper/{name}"]) for name in ("beta", "gamma", "rate_prior")}


def small(**config):
    """A small model of vectors with weights that are always the same on a backend."""
    keras.utils.set_random_seed(7)
    return SlowVAE(**({"x_shape": (8,), "z_dim": 4, "likelihood": "gaussian", "units": (16,), "seed": 7} | config))


def pairs(n=6, dim=8, seed=0):
    """Random interleaved pairs, (2 n, dim)."""
    start = np.random.default_rng(seed).normal(size=(n, dim))
    step = np.random.default_rng(seed + 1).laplace(scale=0.2, size=(n, dim))
    return np.stack([start, start + step], axis=1).reshape(2 * n, dim).astype("float32")


def numbers(values):
    """A dict of scalars as floats."""
    return {name: float(keras.ops.convert_to_numpy(value)) for name, value in values.items()}


def gradients(model, batch, draws):
    """(terms as floats, gradients of the loss in the order of the trainable weights), without a step."""
    return {"tensorflow": _tensorflow, "jax": _jax, "torch": _torch}[keras.backend.backend()](model, batch, draws)


def _tensorflow(model, batch, draws):
    import tensorflow as tf

    with tf.GradientTape() as tape:
        terms = model.loss_terms(batch, draws=draws)
    return numbers(terms), tape.gradient(terms["loss"], [each.value for each in model.trainable_weights])


def _jax(model, batch, draws):
    import jax

    def loss(values, batch, draws):
        with keras.StatelessScope(state_mapping=zip(model.trainable_weights, values, strict=True)):
            terms = model.loss_terms(batch, draws=draws)
            return terms["loss"], terms

    # Arrays are arguments, so that later steps find the program in the cache; unoptimised convolutions take seconds.
    jax.config.update("jax_disable_most_optimizations", False)
    try:
        run = jax.jit(jax.value_and_grad(loss, has_aux=True))
        (_, terms), found = run([each.value for each in model.trainable_weights], batch, draws)
    finally:
        jax.config.update("jax_disable_most_optimizations", True)
    return numbers(terms), found


def _torch(model, batch, draws):
    model.zero_grad()
    terms = model.loss_terms(batch, draws=draws)
    terms["loss"].backward()
    return numbers({name: value.detach() for name, value in terms.items()}), [
        each.value.grad for each in model.trainable_weights
    ]
