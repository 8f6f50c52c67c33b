"""Pitch accuracy on melodies whose answer is known: right, an octave off, a quarter-tone off, silent."""

import pickle
import warnings

import numpy as np
import pytest

from tsdsae_keras.errors import InputError
from tsdsae_keras.metrics.pitch import PyinTracker, hz_of_notes, melody_accuracy, voiced_hz

pytestmark = pytest.mark.no_backend

RATE, HOP = 16000, 256
NOTES = np.repeat([69, 0, 60, 67, 62], 16)
HZ = hz_of_notes(NOTES)
TRACKER = PyinTracker()


def sines(notes):
    """A sine for every frame's note, its phase unbroken."""
    hz = np.repeat(hz_of_notes(notes), HOP)
    return np.where(hz > 0, np.sin(2 * np.pi * np.cumsum(hz) / RATE), 0).astype("float32")


def cents_off(cents):
    return HZ * 2 ** (cents / 1200)


@pytest.fixture(autouse=True)
def no_warnings():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def test_notes_as_frequencies():
    np.testing.assert_allclose(hz_of_notes([[69, 0], [57, 60]]), [[440, 0], [220, 261.6255653]])
    for notes in ([-1], [128], [np.nan]):
        with pytest.raises(InputError, match="MIDI"):
            hz_of_notes(notes)


@pytest.mark.parametrize(
    ("estimate", "rpa", "rca"),
    [
        (HZ, 1, 1),
        (cents_off(40), 1, 1),
        (cents_off(-60), 0, 0),
        (cents_off(1200), 0, 1),
        (cents_off(-2400), 0, 1),
        (cents_off(1260), 0, 0),
        (np.where(HZ > 0, HZ, 500), 1, 1),
        (0 * HZ, 0, 0),
        (np.where(NOTES == 69, HZ, 0), 1 / 4, 1 / 4),
        ([], 0, 0),
    ],
)
def test_accuracy_in_closed_form(estimate, rpa, rca):
    assert melody_accuracy(HZ, estimate) == {"rpa": rpa, "rca": rca}


def test_tracks_of_different_lengths_and_steps():
    half = len(HZ) // 2
    assert melody_accuracy(HZ, np.append(HZ, HZ)) == {"rpa": 1, "rca": 1}
    assert melody_accuracy(HZ, HZ[:half])["rpa"] == pytest.approx(np.mean(np.flatnonzero(HZ) < half))
    fine = np.repeat(HZ, 2)[1:]  # a value every 8 ms, each note from its centre on
    assert melody_accuracy(HZ, fine, estimated_step=HOP / RATE / 2) == {"rpa": 1, "rca": 1}
    assert melody_accuracy(fine, HZ, reference_step=HOP / RATE / 2)["rpa"] > 0.9


def test_a_clip_without_a_melody_has_no_accuracy():
    assert melody_accuracy(np.zeros(5), np.full(5, 440.0)) is None


def test_pyin_hears_a_melody_of_sines():
    hz, voiced = TRACKER(sines(NOTES), RATE)
    assert len(hz) == len(voiced) == len(NOTES) + 1
    within = np.ones(len(NOTES), bool)
    within[np.flatnonzero(np.diff(NOTES)) + np.array([[-1], [0], [1], [2]])] = False  # they hear both notes
    assert melody_accuracy(HZ * within, hz) == {"rpa": 1, "rca": 1}
    assert voiced[:-1][within & (NOTES > 0)].all() and not (voiced[:-1] | (hz[:-1] > 0))[within & (NOTES == 0)].any()
    assert melody_accuracy(voiced_hz(hz, voiced)[:-1] * within, HZ) == {"rpa": 1, "rca": 1}
    shifted, _ = TRACKER(sines(np.where(NOTES > 0, NOTES - 2, 0)), RATE)
    assert melody_accuracy(HZ * within, shifted) == {"rpa": 0, "rca": 0}


def test_pyin_finds_no_pitch_where_there_is_none():
    rng = np.random.default_rng(0)
    for samples in (np.zeros(3000), np.zeros(1), 0.1 * rng.normal(size=6000)):
        hz, voiced = TRACKER(samples, RATE)
        assert not voiced.any() and (hz > 0).mean() < 0.5


def test_notes_beyond_the_range_widen_it():
    high = np.full(20, 98)
    assert melody_accuracy(hz_of_notes(high), TRACKER(sines(high), RATE)[0])["rpa"] == 0
    wide = PyinTracker.for_notes(np.append(high, 0))
    assert wide.fmin == TRACKER.fmin and wide.name == "pYIN, 190 to 2637 Hz"
    assert melody_accuracy(hz_of_notes(high), wide(sines(high), RATE)[0])["rpa"] == 1
    assert PyinTracker.for_notes([0, 69]) == PyinTracker.for_notes([0]) == TRACKER


def test_a_tracker_can_be_copied_to_another_process():
    assert pickle.loads(pickle.dumps(TRACKER)) == TRACKER and TRACKER.parallel


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: PyinTracker(fmin=500, fmax=400), "500 to 400"),
        (lambda: PyinTracker(hop_length=0), "hop_length is 0"),
        (lambda: PyinTracker(fmin=20)(np.zeros(99), RATE), "20 to 1100 Hz"),
        (lambda: TRACKER(np.zeros(99), 2000), "1000 Hz"),
        (lambda: TRACKER(np.zeros((2, 99)), RATE), "one channel"),
        (lambda: TRACKER([], RATE), "one channel"),
        (lambda: TRACKER([0.0, np.nan], RATE), "finite"),
        (lambda: melody_accuracy([[1.0]], [1.0]), "reference_hz has shape"),
        (lambda: melody_accuracy([1.0], [np.nan]), "estimated_hz holds"),
        (lambda: melody_accuracy([-1.0], [1.0]), "reference_hz holds"),
    ],
)
def test_errors_are_one_line(make, said):
    with pytest.raises(InputError, match=said) as caught:
        make()
    assert "\n" not in str(caught.value)
