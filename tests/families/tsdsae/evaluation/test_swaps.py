import numpy as np
import pytest

from tsdsae_keras.errors import InputError
from tsdsae_keras.families.tsdsae.evaluation.posteriors import Posteriors
from tsdsae_keras.families.tsdsae.evaluation.swaps import draw_partners, swap_sequences

pytestmark = pytest.mark.no_backend

LABELS = np.array(["viola", "flute", "flute", "horn"])[np.arange(200) % 4]


def test_a_partner_is_always_of_another_class():
    assert (LABELS[draw_partners(LABELS, 3)] != LABELS).all()


def test_the_seed_fixes_the_partners():
    assert (draw_partners(LABELS, 3) == draw_partners(LABELS, 3)).all()
    assert (draw_partners(LABELS, 3) != draw_partners(LABELS, 4)).any()


def test_every_example_of_another_class_can_be_drawn():
    drawn = {int(draw_partners(np.array([0, 1, 1, 2]), seed)[0]) for seed in range(40)}
    assert drawn == {1, 2, 3}


def test_one_class_has_no_partners():
    with pytest.raises(InputError, match="two classes"):
        draw_partners(np.zeros(5), 0)


def test_each_swap_takes_the_right_code_from_the_right_sequence():
    n, partner = 5, np.array([3, 4, 0, 1, 2])
    codes = Posteriors(v_mean=100.0 * np.arange(n)[:, None], z_mean=np.tile(np.arange(n)[:, None, None], (1, 2, 1)))
    parts = list(swap_sequences(codes, partner, lambda z, v: z + v[:, None], batch_size=2))
    assert [rows.start for rows, _, _ in parts] == [0, 2, 4]
    x_global, x_local = (np.concatenate([part[k] for part in parts])[:, 0, 0] for k in (1, 2))
    assert x_global.tolist() == [300, 401, 2, 103, 204]
    assert x_local.tolist() == [3, 104, 200, 301, 402]
