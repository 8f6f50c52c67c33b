"""Leakage between v and z of encoders whose answers are known: ideal, leaky, duplicated, worthless."""

import json
import math

import numpy as np
import pytest

from tsdsae_keras.errors import InputError
from tsdsae_keras.metrics.leakage import (
    LabelledCodes,
    block_gap,
    draw_frames,
    leakage,
    main_notes,
    means_over_parts,
    moments,
)

pytestmark = pytest.mark.no_backend

# Sequences of known content: x holds the instrument in feature 0 and the octave's notes in feature 1.
FRAMES = 8


def sequences(n, seed):
    rng = np.random.default_rng(seed)
    instrument, octave = rng.integers(0, 2, n), rng.integers(0, 3, n)
    notes = 40 + 12 * octave[:, None] + rng.integers(0, 2, (n, FRAMES))
    x = np.stack([np.tile(instrument[:, None], FRAMES), (notes - 52) / 12], axis=-1) + rng.normal(size=(n, 1, 1)) * 1e-3
    return x, instrument, {"octave": octave}, notes


def ideal(x):
    return x.mean(axis=1)[:, :1], x[..., 1:]


def leaky(x):
    """z holds the instrument, v the melody."""
    return x.mean(axis=1), x


def duplicated(x):
    """v is z pooled, z is v in every frame: both hold all that lasts."""
    mean = x.mean(axis=1)
    return mean, np.tile(mean[:, None], (1, FRAMES, 1))


def worthless(x):
    rng = np.random.default_rng(len(x))
    return rng.normal(size=(len(x), 2)), rng.normal(size=(len(x), FRAMES, 2))


def result_of(encode):
    made = [(encode(x), known) for x, *known in (sequences(150, 0), sequences(200, 1))]
    return leakage(*(LabelledCodes(*codes, *known) for codes, known in made), parts=2, frames=300)


@pytest.fixture(scope="module", params=[ideal, leaky, duplicated, worthless], ids=lambda encode: encode.__name__)
def case(request):
    return request.param, result_of(request.param)


def test_leakage_of_known_encoders(case):
    encode, result = case
    leaks = {"instrument": result["instrument_from_z"], "melody": result["melody_from_v"]}
    for view in ("mean", "mean_and_deviation", "frame"):
        score = leaks["instrument"][view]["mlp"]["score"]
        assert score == 1 if encode in (leaky, duplicated) else abs(score) < 0.2
    score = leaks["melody"]["octave"]["mlp"]["score"]
    assert score == 1 if encode in (leaky, duplicated) else abs(score) < 0.2


def test_controls_are_read_where_they_stand(case):
    encode, result = case
    control = result["instrument_from_v"]["linear"]["score"], result["melody_from_z"]["octave"]["linear"]["score"]
    assert all(abs(score) < 0.2 for score in control) if encode is worthless else control == (1, 1)


def test_block_gaps(case):
    encode, result = case
    expected = 1 if encode is ideal else 0
    assert result["gap_static"] == pytest.approx(expected, abs=0.05)
    assert result["gap_dynamic"]["octave"] == pytest.approx(expected, abs=0.05)


def test_notes_of_frames_are_read_in_their_own_z(case):
    encode, result = case
    score = result["melody_from_z"]["note"]["mlp"]["score"]
    # Without the frame, the octave leaves two equally likely notes: accuracy 1/2.
    bounds = {ideal: (0.85, 1), leaky: (0.85, 1), duplicated: (0.3, 0.7), worthless: (-0.15, 0.15)}
    assert bounds[encode][0] <= score <= bounds[encode][1]


def test_the_result_is_ready_for_json(case):
    assert json.loads(json.dumps(case[1])) == case[1]
    assert case[1]["left_out"] == {}


def test_what_is_not_known_is_left_out_with_a_reason():
    x, instrument, factors, _ = sequences(40, 0)
    given = LabelledCodes(*ideal(x), None, factors | {"tonic": np.zeros(40)})
    result = leakage(given, LabelledCodes(*ideal(x), instrument, factors), parts=1)
    assert set(result["left_out"]) == {"instrument", "tonic", "main_note", "note"}
    assert result["left_out"]["instrument"] == "no labels in the training set"
    assert set(result["melody_from_v"]) == {"octave"}
    assert "gap_static" not in result and "instrument_from_z" not in result


def test_rests_are_no_notes():
    x, _, _, notes = sequences(40, 0)
    notes[:, :5] = 0
    given = LabelledCodes(*ideal(x), notes=notes)
    assert leakage(given, given)["melody_from_z"]["note"]["linear"]["n"] == 40 * (FRAMES - 5)
    silent = leakage(given, LabelledCodes(*ideal(x), notes=0 * notes))
    assert silent["left_out"]["note"].startswith("0 value in the test set")


def test_a_gap_by_hand():
    assert block_gap({"information": 0.75, "entropy": 2.0}, {"information": 0.25}) == 0.25


def test_means_over_parts_of_the_valid_time():
    z = np.array([[[1.0], [3], [5], [9]], [[2], [4], [np.nan], [np.nan]]])
    mask = np.array([[1, 1, 1, 1], [1, 1, 0, 0]], bool)
    np.testing.assert_allclose(means_over_parts(z, mask), [[4.5], [3]])
    np.testing.assert_allclose(means_over_parts(z, mask, 2), [[2, 7], [2, 4]])
    np.testing.assert_allclose(moments(z, mask), [[4.5, math.sqrt(8.75)], [3, 1]])


def test_main_notes():
    assert main_notes([[0, 0, 0, 60, 62, 62], [64, 62, 62, 64, 0, 0], [0] * 6]).tolist() == [62, 62, 0]


def test_drawn_frames_are_valid_and_keep_their_labels():
    z, notes = np.arange(60.0).reshape(5, 12, 1), np.arange(60).reshape(5, 12)
    valid = notes % 3 == 0
    codes, labels, sequence = draw_frames(z, notes, valid, 8, seed=0)
    assert len(set(labels)) == 8 and (labels % 3 == 0).all()
    assert (codes[:, 0] == labels).all() and (labels // 12 == sequence).all()
    whole, instrument, sequence = draw_frames(np.arange(5.0)[:, None], np.arange(5), valid, 99, seed=0)
    assert len(whole) == valid.sum() and (whole[:, 0] == sequence).all() and (instrument == sequence).all()
    with pytest.raises(InputError, match="no frame"):
        draw_frames(z, notes, valid & False, 8, seed=0)


def test_labels_that_do_not_go_with_the_codes_are_named():
    with pytest.raises(InputError, match="octave"):
        LabelledCodes(np.zeros((3, 2)), np.zeros((3, 4, 2)), None, {"octave": np.zeros(4)})
    with pytest.raises(InputError, match=r"\(2, 2\)"):
        LabelledCodes(np.zeros((2, 2)), np.zeros((3, 4, 2)))
