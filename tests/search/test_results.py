"""What is taken of what was found, by hand."""

import pytest

from tsdsae_keras.errors import InputError
from tsdsae_keras.search.page import parallel_figure, size_figure
from tsdsae_keras.search.results import Row, agreement, choose, csv_text, group_by_size, seeds_interval, text_table

pytestmark = pytest.mark.no_backend

JUDGED = ("swap_f1_global", "swap_f1_local", "judge_f1_global", "judge_f1_local")


def row(trial, score, z_dim=8, seed=0, status="finished", judged=None, parameters=100, **values):
    metrics = {"balanced": score, "val_loss": 1 - score} if status == "finished" else {}
    metrics |= dict.fromkeys(JUDGED, judged) if judged is not None else {}
    values, sizes = {"z_dim": z_dim, "seed": seed} | values, {"z_dim": z_dim, "v_dim": 16}
    return Row(str(trial), status, "lost" * (status == "failed"), values, metrics, sizes, 28, parameters, 1.0)


def test_the_smallest_within_the_margin_of_the_best_is_taken():
    rows = [row(0, 0.9, 32), row(1, 0.895, 16), row(2, 0.85, 8)]
    assert choose(rows, "balanced", "max", 0.0).trial == "0"
    assert choose(rows, "balanced", "max", 0.01).trial == "1"
    assert choose(rows, "balanced", "max", 0.1).trial == "2"
    assert choose(rows, "val_loss", "min", 0.01).trial == "1"


def test_of_one_size_the_model_of_fewer_parameters_is_taken():
    narrow, wide = row(1, 0.895, units=32, parameters=90), row(0, 0.9, units=64, parameters=200)
    assert choose([wide, narrow], "balanced", "max", 0.01) is narrow
    assert choose([wide, narrow], "balanced", "max", 0.001) is wide


def test_a_configuration_counts_by_the_mean_of_its_seeds():
    rows = [row(0, 1.0, 8, 0), row(1, 0.2, 8, 1), row(2, 0.8, 16, 0), row(3, 0.7, 16, 1)]
    assert choose(rows, "balanced", "max", 0.01).trial == "2"  # the better seed of the better mean
    assert [(each["size"], each["mean"]) for each in group_by_size(rows, "balanced", "max")] == [(8, 0.6), (16, 0.75)]


def test_failed_and_unfinished_trials_are_not_taken():
    rows = [row(0, 1.0, status="failed"), row(1, 0.1), row(2, 1.0, status="unfinished")]
    assert choose(rows, "balanced", "max", 1.0).trial == "1"
    assert "trial 0 failed: lost" in text_table(rows, "balanced", "max", rows[1])
    assert [line.split(",")[1] for line in csv_text(rows).splitlines()[1:]] == ["failed", "finished", "unfinished"]
    with pytest.raises(InputError, match=r"none of 1 trials has finished.*trial 0: lost"):
        choose(rows[:1], "balanced", "max", 0.0)


def test_interval_over_seeds_by_the_table_of_t():
    # Two seeds, one degree of freedom, t = 12.706: the half width is 12.706 * s / sqrt(2) with s = 0.1 * sqrt(2) / 2.
    assert seeds_interval([0.5, 0.6]) == pytest.approx((0.55 - 12.706 * 0.05, 0.55 + 12.706 * 0.05), abs=1e-4)
    assert seeds_interval([0.5]) is None


def agreement_of(rows):
    return agreement(rows, "balanced", JUDGED)


def test_agreement_with_judges_is_of_ranks():
    scores = [(0.1, 0.0), (0.2, 0.7), (0.9, 0.8)]
    rows = [row(number, score, judged=judged) for number, (score, judged) in enumerate(scores)]
    assert agreement_of(rows) == pytest.approx(1.0)
    assert agreement_of(rows[::-1]) == pytest.approx(1.0)
    assert agreement_of([*rows[:2], row(3, 0.05, judged=1.0)]) == pytest.approx(-0.5)
    assert agreement_of(rows[:2]) is None
    assert agreement_of([row(number, 0.1 * number, judged=1.0) for number in range(4)]) is None


def test_figures_take_one_trial_and_many():
    for count in (1, 12):
        values = [{"z_dim": 8, "decoder": "frame", "rate": 10.0**-n} for n in range(count)]
        trials = [{"trial": str(n), "score": 0.5, "taken": n == 0, "values": values[n]} for n in range(count)]
        assert len(parallel_figure(trials, "balanced").axes[0].lines) == count + 4  # a line a trial, and four scales
    sizes = [{"size": 8, "mean": 0.5, "interval": (0.4, 0.6), "scores": [0.45, 0.55]}]
    assert size_figure(sizes, "balanced", "z_dim").axes[0].get_xlabel() == "z_dim"
