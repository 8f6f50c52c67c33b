"""The table of an evaluation: never a value beyond the best attainable, whatever version wrote the evaluation."""

import pytest

from tests.families.tsdsae.test_pretrained import NAMES
from tsdsae_keras.base.pretrained import pretrained_card
from tsdsae_keras.families.tsdsae.evaluation.old_keys import update_keys
from tsdsae_keras.families.tsdsae.evaluation.rows import list_left_out, make_rows, text_table

pytestmark = pytest.mark.no_backend


# Their best, 1, is no bound but what a reconstruction reaches: a swap that is as good passes it as often as not, so the
# law for them is that the interval does not lie beyond it.
MATCHED = ("share of the attainable way", "error of swaps / error of reconstructions")


@pytest.mark.parametrize("name", NAMES)
def test_no_value_of_a_card_is_better_than_the_best(name):
    rows = [row for group in make_rows(pretrained_card(name)["scores"]) for row in group["rows"]]
    bounded = [row for row in rows if row["best"] is not None]
    assert len(bounded) > 30
    for row in bounded:
        higher = row["direction"] == "higher"
        value = row["interval"][0 if higher else 1] if row["name"].startswith(MATCHED) else row["value"]
        assert (row["best"] - value if higher else value - row["best"]) >= -1e-12, row["name"]


OLD = {
    "n": 4,
    "intervals": {"reconstruction": {"mse": None}},
    "settings": {"floor": "text", "instruments": []},
    "reconstruction": {
        "mse": 0.5,
        "mse_floor": 9.0,
        "log_spectral_distance": {"value": 2.0, "floor": 8.0, "ceiling": 0.0},
    },
    "melody": {
        "ceiling": {"rpa": {"value": 0.75, "n": 2}},
        "floor": {"rpa": {"value": 0.25, "n": 2}},
        "global": {"rpa": {"value": 0.875, "n": 2, "floor": 0.25, "ceiling": 0.75}},
        "tracker": "t",
        "reference": "notes",
    },
    "frechet": {
        "logmel": {
            "reconstruction": {"value": 1.0, "n": [4, 4]},
            "mean_frame": {"value": 64.0, "n": [4, 4]},
            "floor": {"value": 2.0, "n": [2, 2]},
        }
    },
    "frechet_vggish": {"global": {"value": 3.0, "n": [4, 4]}, "floor": None, "no_floor": "too few"},
}


def test_keys_of_before_find_their_rows():
    rows = {(group["group"], row["name"]): row for group in make_rows(OLD) for row in group["rows"]}
    ends = {name: (row["value"], row["worst"], row["best"]) for (_, name), row in rows.items()}
    assert ends["mean squared error (nats²)"] == (0.5, 9.0, 0.0)
    assert ends["log-spectral distance (dB)"] == (2.0, 8.0, 0.0)
    assert ends["pitch, originals through the vocoder"] == (0.75, 0.25, 1.0)
    assert ends["pitch, global swap: the melody it must keep"] == (0.875, 0.25, 1.0)
    assert ends["reconstructions"] == (1.0, 64.0, 0.0)
    assert ends["two halves of the real sequences"] == (2.0, 64.0, 0.0)
    assert list_left_out(OLD) == {"distance of two halves in vggish": "too few"}
    assert "two halves in vggish: too few" in text_table(make_rows(OLD), OLD)


def test_keys_of_today_stay():
    new = update_keys(OLD)
    assert update_keys(new) == new and OLD["melody"]["ceiling"] == new["melody"]["original"]
