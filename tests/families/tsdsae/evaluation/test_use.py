"""Use of the codes: decoders and posteriors whose answers are known by hand."""

import math

import numpy as np
import pytest

from tsdsae_keras.errors import InputError
from tsdsae_keras.families.tsdsae.evaluation import use

pytestmark = pytest.mark.no_backend

N, FRAMES = 7, 5
RNG = np.random.default_rng(0)
Z, V = RNG.normal(size=(N, FRAMES, 1)), RNG.normal(size=(N, 1))
NEXT = use.next_partners(N)


def adds(z, v, mask=None):
    """A decoder that uses both codes: x = z + v."""
    return z + v[:, None]


def ignores_v(z, v, mask=None):
    return 3.0 * z


def ignores_z(z, v, mask=None):
    return np.zeros_like(z) + v[:, None]


def ignores_both(z, v, mask=None):
    return np.zeros_like(z)


def test_ratio_of_a_decoder_that_adds_its_codes():
    by_v, by_z = np.abs(V - V[NEXT]).mean(), np.abs(Z - Z[NEXT]).mean()
    for batch_size in (1, 3, 64):
        assert use.use_of_v(adds, Z, V, NEXT, batch_size) == pytest.approx(by_v / by_z)


@pytest.mark.parametrize(("decode", "expected"), [(ignores_v, 0.0), (ignores_z, math.inf), (ignores_both, 0.0)])
def test_ratio_of_decoders_that_do_not_listen(decode, expected):
    assert use.use_of_v(decode, Z, V, NEXT) == expected


def test_a_code_held_twice_is_used_as_much():
    twice = np.concatenate([V, V], axis=-1)
    assert use.use_of_v(lambda z, v: adds(z, v.mean(-1, keepdims=True)), Z, twice, NEXT) == pytest.approx(
        use.use_of_v(adds, Z, V, NEXT)
    )


def test_ratio_is_the_gain_on_v_where_the_codes_are_alike():
    """Independent draws: E|v - v'| is E|z - z'|, so what is left of the ratio is the gain."""
    rng = np.random.default_rng(1)
    z, v = rng.normal(size=(4000, 1, 1)), rng.normal(size=(4000, 1))
    ratio = use.use_of_v(lambda z, v: z + 0.2 * v[:, None], z, v, use.next_partners(4000))
    assert ratio == pytest.approx(0.2, rel=0.05)


def test_only_frames_valid_in_both_are_compared():
    z, v = np.array([[[0.0], [7]], [[2], [50]]]), np.array([[0.0], [1]])
    mask = np.array([[1, 1], [1, 0]], bool)
    assert use.use_of_v(adds, z, v, [1, 0], mask=mask) == pytest.approx(1 / 2)
    with pytest.raises(InputError, match="in common"):
        use.use_of_v(adds, z, v, [1, 0], mask=np.eye(2, dtype=bool))


def test_each_decoded_sequence_has_the_mask_of_its_z():
    mask = np.arange(FRAMES) < np.arange(1, 4)[:, None]
    partner, seen = np.array([1, 2, 0]), []
    use.use_of_v(lambda z, v, mask: seen.append(mask) or adds(z, v), Z[:3], V[:3], partner, mask=mask)
    np.testing.assert_array_equal(seen, [mask, mask, mask[partner]])


def test_error_rises_by_hand():
    z, v = np.zeros((2, 3, 1)), np.array([[1.0], [3]])
    rise = use.error_rise(adds, adds(z, v) + 2.0, z, v, [1, 0])
    # Off by 2 with the own v; by 3 and 5 without; by 0 and 4 with the other's.
    assert rise == {"own": 4, "zero_rise": 13, "other_rise": 4, "zero_relative": 13 / 4, "other_relative": 1}


def test_the_error_of_a_decoder_that_ignores_v_does_not_rise():
    rise = use.error_rise(ignores_v, Z, Z, V, NEXT)
    assert rise.pop("own") > 0
    assert set(rise.values()) == {0.0}


def test_relative_rise_over_an_exact_reconstruction():
    rise = use.error_rise(adds, adds(Z, V), Z, V, NEXT, batch_size=2)
    assert rise["own"] == 0 and rise["other_relative"] == math.inf
    assert rise["zero_rise"] == pytest.approx(np.square(V).mean())


def test_padding_costs_nothing():
    mask = np.ones((N, FRAMES), bool)
    mask[:, 3:] = False
    x = np.where(mask[..., None], adds(Z, V), 99.0)
    assert use.error_rise(adds, x, Z, V, NEXT, mask)["own"] == 0


@pytest.mark.parametrize("partner", [[0, 2, 1], [1, 0], [1, 2, 3], np.zeros((3, 1), int)])
def test_partners_that_cannot_be(partner):
    with pytest.raises(InputError, match="partner"):
        use.use_of_v(adds, Z[:3], V[:3], partner)


def test_one_sequence_has_no_partner():
    with pytest.raises(InputError, match="two or more"):
        use.next_partners(1)


def test_units_are_active_above_the_threshold():
    signs = np.resize([1.0, -1.0], 10)[:, None]
    # Variances 0.04, 0.0081 and 0.
    mean = signs * [0.2, 0.09, 0.0] + 5.0
    assert use.active_units(mean) == 1
    assert use.active_units(mean, threshold=0.001) == 2
    assert use.active_units(np.concatenate([mean, mean], 1)) == 2


def test_units_of_frames_ignore_padding():
    mean, mask = np.zeros((3, 4, 2)), np.ones((3, 4), bool)
    mean[..., 1] = np.arange(4)
    mean[:, 3, 0], mask[:, 3] = np.nan, False
    assert use.active_units(mean, mask=mask) == 1


def test_kl_by_hand():
    mean, log_var = np.array([[0.0, 2, 0], [0, 0, 0]]), np.array([[0.0, 0, np.log(4)], [0, 0, np.log(4)]])
    np.testing.assert_allclose(use.kl_by_dimension(mean, log_var), [0, 1, (3 - np.log(4)) / 2])


def test_kl_of_a_posterior_equal_to_its_prior_is_zero():
    mean, log_var = RNG.normal(size=(2, 4, 6, 3))
    np.testing.assert_allclose(use.kl_by_dimension(mean, log_var, mean, log_var), 0, atol=1e-12)


def test_kl_of_frames_weighs_sequences_alike():
    mean = np.array([[[2.0], [4]], [[6], [np.nan]]])
    mask = np.array([[1, 1], [1, 0]], bool)
    # (4 + 16) / 2 / 2 = 5 nats a frame in the first, 18 in the second.
    np.testing.assert_allclose(use.kl_by_dimension(mean, np.zeros_like(mean), mask=mask), [11.5])
    np.testing.assert_allclose(use.kl_by_dimension(mean[:1], 0.0, prior_mean=[[[0.0], [4]]]), [1.0])
