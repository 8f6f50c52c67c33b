"""Checks that hold for every model and every variant, written once, and the small models they run on."""

import importlib.util
from functools import partial

import keras
import numpy as np

from tests.gradients import terms_and_gradients
from tsdsae_keras.families.tsdsae.building import make_model
from tsdsae_keras.ops import gaussian_kl

BACKENDS = [name for name in ("tensorflow", "jax", "torch") if importlib.util.find_spec(name)]
NAMES = ("tsdsae", "tsdsae-noreg", "dsae-f", "dsae")
STAGED = ("tsdsae", "dsae-f")
VARIANTS = {
    "factorised": {},
    "full": {"local_encoder": "full"},
    "full, v before": {"local_encoder": "full", "v_condition": "before"},
    "recurrent global": {"global_encoder": "sequence"},
    "enriched decoder": {"decoder": "sequence"},
}
SIZES = {
    "features": 5,
    "z_dim": 3,
    "v_dim": 2,
    "global_units": (6, 4),
    "local_units": (4, 4),
    "transition_units": (3, 3),
    "decoder_units": (6, 4),
}


def small(name="tsdsae", **config):
    """A small model with initial weights that are always the same on a backend."""
    keras.utils.set_random_seed(7)
    return make_model(name, seed=7, **{**SIZES, **config})


def compile_with_adam(model, rate=1e-2):
    """The model, compiled with Adam."""
    model.compile(optimizer=keras.optimizers.Adam(rate, name="adam"))
    return model


def sequences(n=5, frames=6, features=5, seed=0):
    """Random sequences, not standardised."""
    return np.random.default_rng(seed).normal(1.0, 2.0, (n, frames, features)).astype("float32")


def numbers(values):
    """A dict of scalars as floats."""
    return {name: float(keras.ops.convert_to_numpy(value)) for name, value in values.items()}


def weights_of(*parts):
    """Copies of the weights of some parts."""
    return [np.array(weight) for part in parts for weight in part.get_weights()]


def check_same(first, second, what):
    """Bit-identical lists of arrays."""
    for a, b in zip(first, second, strict=True):
        np.testing.assert_array_equal(a, b, err_msg=what)


def check_all_moved(first, second, what):
    """Every array of a list has changed."""
    still = [i for i, (a, b) in enumerate(zip(first, second, strict=True)) if np.array_equal(a, b)]
    assert not still, f"{what}: weights {still} of {len(first)} did not move"


def check_terms_add_up(model, x, batch_size=2):
    """The loss of `evaluate` is the weighted sum of its terms and the mean over sequences, ragged last batch too."""
    logs = model.evaluate(x, batch_size=batch_size, return_dict=True, verbose=0)
    total = sum(model.term_weights[name] * logs[name] for name in model.active_terms())
    np.testing.assert_allclose(logs["loss"], total, rtol=1e-5)
    batches = [x[i : i + batch_size] for i in range(0, len(x), batch_size)]
    each = [numbers(model.loss_terms(batch, sample=False)) for batch in batches]
    for name in logs:
        expected = np.average([terms[name] for terms in each], weights=[len(batch) for batch in batches])
        np.testing.assert_allclose(logs[name], expected, rtol=1e-4, atol=1e-6, err_msg=name)


def check_padding_changes_nothing(model, x):
    """Codes and reconstruction of a sequence do not see its padding (NaN) or its batch mates; terms stay finite."""
    short = x.shape[1] - 2
    padded, mask = padded_with(x, [short, x.shape[1]], x.shape[1], np.nan)
    codes, alone = model.encode(padded, mask), model.encode(x[:1, :short])
    for name in ("v_mean", "v_log_var"):
        np.testing.assert_allclose(codes[name][0], alone[name][0], rtol=1e-5, atol=1e-6, err_msg=name)
    for name in ("z_mean", "z_log_var"):
        np.testing.assert_allclose(codes[name][0, :short], alone[name][0], rtol=1e-5, atol=1e-6, err_msg=name)
    sound = model.reconstruct(padded, mask)[0, :short]
    np.testing.assert_allclose(sound, model.reconstruct(x[:1, :short])[0], rtol=1e-4, atol=1e-5)
    terms = numbers(model.loss_terms(padded, mask, sample=False))
    assert all(np.isfinite(value) for value in terms.values()), terms


def check_padding_teaches_nothing(model, x):
    """Terms and gradients do not see padding, NaN or garbage, nor how long batch mates are."""
    _check_two_pairs(model, x[:2, : x.shape[1] - 2], x[2:4])
    _check_unequal_partners(model, x[:3])


def padded_with(x, lengths, frames, padding):
    """x (n, time, features) cut to lengths, of which the last is that of all others, and padded: (x, mask)."""
    lengths = np.array([*lengths, *[lengths[-1]] * (len(x) - len(lengths))])
    mask = np.arange(frames) < lengths[:, None]
    wide = np.concatenate([x, np.zeros((len(x), frames - x.shape[1], x.shape[2]), "float32")], axis=1)
    return np.where(mask[..., None], wide, np.float32(padding)), mask


def _check_two_pairs(model, first, second):
    """A batch of two pairs of unequal length, each sequence the other's partner, is the mean of the pairs alone."""
    frames = second.shape[1]
    wide = np.concatenate([first, np.zeros((2, frames - first.shape[1], first.shape[2]), "float32")], axis=1)
    both, mask = padded_with(np.concatenate([wide, second]), [first.shape[1]] * 2 + [frames], frames + 3, np.nan)
    together = numbers(_swap_pair(model, both, mask))
    alone = [numbers(_swap_pair(model, pair)) for pair in (first, second)]
    _check_alike(together, {name: (value + alone[1][name]) / 2 for name, value in alone[0].items()})


def _check_unequal_partners(model, x):
    """Swaps between sequences of unequal length do not see how they are padded, nor with what."""
    lengths, orders = [x.shape[1], x.shape[1] - 3, x.shape[1] - 1], ([1, 2, 0], [2, 0, 1])
    found = []
    for frames, padding in ((x.shape[1], np.nan), (x.shape[1] + 4, 1e4)):
        padded, mask = padded_with(x, lengths, frames, padding)
        terms = partial(model.loss_terms, padded, mask, sample=False, permutations=orders)
        found.append(terms_and_gradients(model, terms))
    for padded, otherwise in zip(*found, strict=True):  # terms, then gradients
        _check_alike(padded, otherwise)


def _swap_pair(model, x, mask=None):
    order = np.arange(len(x)) ^ 1
    return model.loss_terms(x, mask, sample=False, permutations=(order, order))


def _check_alike(found, expected):
    """Two dicts of numbers or arrays, to 1e-5 of each or of the largest; nothing trains the statistics of the bands."""
    kept = [name for name, value in found.items() if value is not None and "/standardization/" not in name]
    largest = max(np.abs(expected[name]).max() for name in kept)
    for name in kept:
        np.testing.assert_allclose(found[name], expected[name], rtol=1e-5, atol=1e-5 * largest, err_msg=name)


def check_means_outside_training(model, x):
    """Without `sample` nothing is random; with it every draw differs."""
    assert numbers(model.loss_terms(x, sample=False)) == numbers(model.loss_terms(x, sample=False))
    assert numbers(model.loss_terms(x, sample=True)) != numbers(model.loss_terms(x, sample=True))


def check_swap_with_itself(model, x):
    """Swapping a sequence with itself is reconstructing it; swapping codes twice restores them."""
    np.testing.assert_allclose(model.swap(x, x), model.reconstruct(x), rtol=1e-5, atol=1e-6)
    codes, order = model.encode(x), np.arange(len(x))[::-1]
    twice = model.decode(codes["z_mean"][order], codes["v_mean"][order])[order]
    np.testing.assert_allclose(twice, model.reconstruct(x), rtol=1e-4, atol=1e-5)


def check_swap_terms(model, x):
    """The four swap terms are the KL of the codes of rendered swaps against the codes that made them."""
    codes, own = model.encode(x), np.arange(len(x))
    tensor = keras.ops.convert_to_tensor
    partner = np.roll(own, -1)
    terms = numbers(model.loss_terms(x, sample=False, permutations=(partner, partner)))
    for swap, z_of, v_of in (("gswap", own, partner), ("lswap", partner, own)):
        again = model.encode(model.decode(codes["z_mean"][z_of], codes["v_mean"][v_of]))
        for code, rows in (("v", v_of), ("z", z_of)):
            names = f"{code}_mean", f"{code}_log_var"
            kl = gaussian_kl(*(tensor(again[name]) for name in names), *(tensor(codes[name][rows]) for name in names))
            expected = float(keras.ops.mean(kl))
            np.testing.assert_allclose(terms[f"kl_{code}_{swap}"], expected, rtol=1e-3, atol=1e-6, err_msg=swap)


def check_shared_pairs(model, x):
    """Without pi_local the terms, and their gradients, are those of the inverse of pi_global, whatever the padding."""
    padded, mask = padded_with(x, [x.shape[1], x.shape[1] - 3, x.shape[1] - 1], x.shape[1], np.nan)
    order = np.random.default_rng(0).permutation(len(x))
    found = [
        terms_and_gradients(model, partial(model.loss_terms, padded, mask, sample=False, permutations=(order, other)))
        for other in (None, np.argsort(order))
    ]
    for shared, separate in zip(*found, strict=True):
        _check_alike(shared, separate)
