"""The verdict: every planted fault is named, by what the evaluation measures, and good models are not accused."""

import pytest

from tests.families.tsdsae.evaluation import planted
from tsdsae_keras.families.tsdsae.evaluation import faults
from tsdsae_keras.families.tsdsae.evaluation.verdict import give_verdict
from tsdsae_keras.metrics.plain import to_plain

pytestmark = pytest.mark.no_backend

TWO, THREE = (planted.make_table(names) for names in (("dull", "bright"), ("dull", "bright", "hollow")))

PLANTED = {
    "decoder ignores v": (planted.IgnoresV, [faults.UNUSED]),
    "z carries timbre": (planted.TimbreInZ, [faults.TIMBRE_IN_Z]),
    "v carries pitch": (planted.PitchInV, [faults.PITCH_IN_V]),
    "melody lost": (planted.NoMelody, [faults.MELODY_LOST]),
    "melody lost in swaps": (planted.MelodyLostInSwaps, [faults.MELODY_LOST]),
    "one direction": (planted.OneDirection, [faults.ONE_WAY]),
}


@pytest.mark.parametrize("name", PLANTED)
@pytest.mark.parametrize("table", [TWO, THREE], ids=["two", "three"])
def test_a_planted_fault_is_named(name, table):
    model, expected = PLANTED[name]
    result = to_plain(planted.measure(model(table), table))[0]
    verdict = give_verdict(result)
    assert verdict["faults"] == expected, (verdict, result)
    assert len(verdict["lines"]) == 5 and all(fault in verdict["lines"][4] for fault in expected)


GOOD = {
    "two": lambda: planted.measure(planted.Perfect(TWO), TWO),
    "three": lambda: planted.measure(planted.Perfect(THREE), THREE),
    "noise": lambda: planted.measure(planted.Perfect(TWO), TWO, noise=0.5),
    "blurred": lambda: planted.measure(planted.Blurred(THREE), THREE),
    "few, without notes": lambda: planted.measure(planted.Perfect(TWO), TWO, n=12, notes=False),
}


@pytest.mark.parametrize("name", GOOD)
def test_a_good_model_is_not_accused(name):
    verdict = give_verdict(to_plain(GOOD[name]())[0])
    assert verdict["faults"] == [] and verdict["warning"] is None, verdict
    assert "nothing" in verdict["lines"][4]
