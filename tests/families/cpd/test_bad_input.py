"""What a user may get wrong about triples: one line each, which names the thing and the remedy."""

import csv

import numpy as np
import pytest

from tests.data.sets.test_triples import sprites, triples_of, write_folder, write_table
from tsdsae_keras import cli
from tsdsae_keras.data.sets.solids import Solids
from tsdsae_keras.data.sets.triples import TripleData
from tsdsae_keras.errors import InputError

pytestmark = pytest.mark.no_backend

MIRROR = np.diag([1.0, 1.0, -1.0])


def solids(change):
    """Triples of solids whose actions were changed."""
    x, y, actions, classes = triples_of(Solids(), 20)
    return TripleData("mine", "rotate", x, y, change(actions), classes, folder=".")


def sprites_with(**changes):
    names = ("x", "y", "actions", "classes")
    arrays = dict(zip(names, sprites(), strict=True))
    arrays |= {name: change(arrays[name]) for name, change in changes.items()}
    return TripleData("mine", "translate", *(arrays[name] for name in names), folder=".")


CASES = {
    "a matrix that is not a rotation": (
        lambda: solids(lambda g: 1.1 * g),
        r"the actions of mine hold a matrix that is not a rotation, row 0: R R\^T differs from I by 0\.21",
    ),
    "a reflection": (lambda: solids(lambda g: g @ MIRROR), "determinant is -1; give rotation matrices"),
    "angles for matrices": (lambda: solids(lambda g: g[:, 0]), r"group rotate takes numbers \(n, 3, 3\)"),
    "an action that is not a number": (
        lambda: sprites_with(actions=lambda g: g * np.where(np.arange(len(g)) == 7, np.nan, 1)[:, None]),
        "the actions of mine are not finite in row 7",
    ),
    "fewer actions": (lambda: sprites_with(actions=lambda g: g[:30]), "40 first images, .* 30 actions"),
    "fewer second images": (lambda: sprites_with(y=lambda y: y[1:]), "39 second images"),
    "fewer classes": (lambda: sprites_with(classes=lambda c: c[1:]), "39 classes; give one of each"),
    "one class": (lambda: sprites_with(classes=np.zeros_like), "mine has one class only; the class needs two"),
    "too few triples": (
        lambda: sprites_with(x=lambda x: x[:4], y=lambda y: y[:4], actions=lambda g: g[:4], classes=lambda c: c[:4]),
        "mine has 4 triples, of which 1 fall to validation; give more",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_triples_that_cannot_be_learned_from_are_refused_in_one_line(case):
    make, reason = CASES[case]
    with pytest.raises(InputError, match=reason) as caught:
        make()
    assert "\n" not in str(caught.value)


def test_the_command_says_the_same_and_nothing_is_trained(tmp_path, capsys):
    rows = write_folder(tmp_path, 30)
    turns = [f"turn_{i}" for i in range(9)]
    rows = [
        {name: value for name, value in row.items() if not name.startswith("action")}
        | {name.replace("turn", "action"): 2.0 * (int(name[-1]) % 4 == 0) for name in turns}
        for row in rows
    ]
    write_table(tmp_path, rows)
    options = ["--triples", str(tmp_path), "--group", "rotate"]
    for command in (["prepare", "triples", *options], ["train", "--model", "cpd", "--data", "triples", *options]):
        assert cli.main(command) == 2
        said = capsys.readouterr().err
        assert said.startswith("error: the actions of") and said.count("\n") == 1
        assert "not a rotation, row 0" in said
    with open(tmp_path / "triples.csv") as file:
        assert len(list(csv.DictReader(file))) == 30  # what is read stays as it is


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (["--batch-size", "1"], "--batch-size is 1; a batch of one has nothing to tell classes apart by"),
        (["--left-out", "0", "1"], "1 classes are left of sprites; the class needs two at least"),
        (["--left-out", "3"], "--left-out has class 3; sprites has classes 0 to 2"),
        (["--extra-dim", "0"], "the class of cpd needs one number at least"),
        (["--quaternions"], "the group of the data is translate; it must be rotate"),
    ],
)
def test_options_that_do_not_fit_are_refused_in_one_line(options, reason, tmp_path, capsys):
    few = ["--images", "64", "--held-out", "64", "--out", str(tmp_path / "run")]
    assert cli.main(["train", "--model", "cpd", "--data", "sprites", *few, *options]) == 2
    said = capsys.readouterr().err
    assert reason in said and said.count("\n") == 1
