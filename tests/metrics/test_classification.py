import pytest

from tsdsae_keras.metrics.classification import macro_f1

pytestmark = pytest.mark.no_backend


def test_macro_f1_by_hand():
    # Class 0: precision 1, recall 1/2; class 1: precision 1/2, recall 1; class 2 is never asked for.
    assert macro_f1([0, 0, 1], [0, 1, 1]) == pytest.approx(2 / 3)
    assert macro_f1([0, 0, 1], [0, 2, 1]) == pytest.approx((2 / 3 + 1) / 2)
