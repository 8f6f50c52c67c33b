"""True swaps: who swaps with whom, and renderings that are those of the data."""

import json
import logging
import shutil

import numpy as np
import pytest

from tsdsae_keras.data.audio.fluid_library import load_module
from tsdsae_keras.data.audio.soundfonts import find_font
from tsdsae_keras.data.prepared.store import PreparedData
from tsdsae_keras.data.sets import true_swaps
from tsdsae_keras.data.sets.cards.dmelodies import MelodySettings
from tsdsae_keras.data.sets.dmelodies import prepare_melodies, read_font_hint
from tsdsae_keras.data.sets.true_swaps import choose_swaps, render_true_swaps
from tsdsae_keras.errors import InputError

pytestmark = pytest.mark.no_backend

ROWS, PLAYERS = np.array([0, 1, 3]), np.array([1, 0, 0])


def has_fluidsynth():
    try:
        return bool(load_module() and find_font())
    except InputError:
        return False


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    settings = MelodySettings(cache=str(tmp_path_factory.mktemp("data")), melodies=40, synth="additive")
    return prepare_melodies(settings)


@pytest.fixture
def data(prepared, tmp_path):
    """A copy whose neighbours belong to one test."""
    return PreparedData(shutil.copytree(prepared.folder, tmp_path / prepared.folder.name))


@pytest.mark.parametrize(("players", "n"), [(2, 100), (5, 100), (3, 7), (2, 1)])
def test_every_direction_has_as_many_swaps(players, n):
    instrument = np.arange(60 * players) % players
    melody, partner = choose_swaps(instrument, n)
    assert len(melody) == len(partner) == n
    assert (instrument[melody] != instrument[partner]).all()
    count = np.zeros((players, players), int)
    np.add.at(count, (instrument[melody], instrument[partner]), 1)
    of_pairs = count[~np.eye(players, dtype=bool)]
    assert of_pairs.max() - of_pairs.min() <= 1
    assert len(set(zip(melody.tolist(), instrument[partner].tolist(), strict=True))) == n
    again = choose_swaps(instrument, n)
    assert np.array_equal(again[0], melody) and np.array_equal(again[1], partner)
    if n == 100:
        assert not np.array_equal(choose_swaps(instrument, n, seed=1)[0], melody)


def test_a_small_set_swaps_each_melody_once_a_direction():
    melody, partner = choose_swaps(np.array([0, 0, 0, 1]))
    assert sorted(melody.tolist()) == [0, 1, 2, 3] and partner.tolist().count(3) == 3
    with pytest.raises(InputError, match="one instrument"):
        choose_swaps(np.zeros(5))


def test_a_melody_by_its_own_instrument_is_what_the_folder_holds(data):
    for split in data.counts:
        rows = np.arange(data.counts[split])
        same = render_true_swaps(data, split, rows, data.label(split, "instrument"))
        assert np.array_equal(same, data.features(split))


@pytest.mark.skipif(not has_fluidsynth(), reason="FluidSynth or a SoundFont is missing")
def test_so_it_is_with_fluidsynth(tmp_path):
    data = prepare_melodies(MelodySettings(cache=str(tmp_path), melodies=6, synth="fluidsynth"))
    rows, own = np.arange(2), data.label("test", "instrument")
    assert np.array_equal(render_true_swaps(data, "test", rows, own), data.features("test"))
    other = render_true_swaps(data, "test", rows, 1 - own)
    assert np.square(other - data.features("test")).mean() > 1


def test_another_instrument_plays_the_same_notes(data):
    true = render_true_swaps(data, "test", ROWS, PLAYERS)
    own, notes = data.features("test")[ROWS], data.label("test", "notes")[ROWS]
    assert true.shape == own.shape and true.dtype == np.float32
    assert np.square(true - own).mean(axis=(1, 2)).min() > 1
    loud = true.max(axis=2)
    assert loud[notes == 0].mean() < loud[notes > 0].mean() - 3


def test_they_are_kept_beside_the_data_and_rendered_once(data, monkeypatch):
    true = render_true_swaps(data, "test", ROWS, PLAYERS)
    kept = [path for path in data.folder.parent.iterdir() if path.name.startswith("true-swaps-")]
    assert len(kept) == 1 and PreparedData(kept[0]).label("test", "row").tolist() == ROWS.tolist()

    def refuse(*_):
        raise AssertionError("rendered again")

    monkeypatch.setattr(true_swaps, "render_clips", refuse)
    assert np.array_equal(render_true_swaps(data, "test", ROWS, PLAYERS), true)
    with pytest.raises(AssertionError, match="rendered again"):
        render_true_swaps(data, "test", ROWS, PLAYERS[::-1])


@pytest.mark.parametrize("fault", ["values", "key", "foreign"])
def test_kept_ones_that_do_not_match_are_not_believed(data, fault, caplog):
    true = render_true_swaps(data, "test", ROWS, PLAYERS)
    kept = next(data.folder.parent.glob("true-swaps-*"))
    if fault == "values":
        file = kept / "test-00000.features.npy"
        file.write_bytes(file.read_bytes()[:-4] + b"\0\0\0\0")
    elif fault == "key":
        manifest = json.loads((kept / "manifest.json").read_text())
        (kept / "manifest.json").write_text(json.dumps(manifest | {"key": "other"}))
    else:
        shutil.rmtree(kept)
        kept.mkdir()
        (kept / "letter.txt").write_text("mine")
    before = {path.name: path.read_bytes() for path in kept.iterdir()}
    with caplog.at_level(logging.WARNING, logger="tsdsae_keras"):
        assert np.array_equal(render_true_swaps(data, "test", ROWS, PLAYERS), true)
    assert "rendered again" in caplog.text
    assert {path.name: path.read_bytes() for path in kept.iterdir()} == before


def test_a_place_that_cannot_be_written_keeps_nothing(data, monkeypatch):
    true = render_true_swaps(data, "test", ROWS, PLAYERS)
    shutil.rmtree(next(data.folder.parent.glob("true-swaps-*")))

    def refuse(*_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(true_swaps, "PreparedWriter", refuse)
    assert np.array_equal(render_true_swaps(data, "test", ROWS, PLAYERS), true)
    assert not list(data.folder.parent.glob("true-swaps-*"))


def change(data, **about):
    """The data with other words in their manifest."""
    path = data.folder / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | about))
    return PreparedData(data.folder)


@pytest.mark.parametrize(
    ("about", "words"),
    [
        ({"dataset": "folder"}, "not rendered from notes"),
        ({"synth": None}, "not rendered from notes"),
        ({"synth": {"name": "choir"}}, "'choir'"),
        ({"synth": {"name": "fluidsynth", "soundfont": "../x.sf2", "sample_rate": 16000}}, "set TSDSAE_SOUNDFONT"),
        ({"settings": {}}, "which program"),
        ({"settings": {"programs": [40]}}, "which program"),
        ({"settings": {"programs": [40, "56"]}}, "General MIDI"),
        ({"settings": {"programs": [0, 56]}}, "does not give the sequences"),
    ],
)
def test_data_that_cannot_be_rendered_again_are_refused(data, about, words):
    with pytest.raises(InputError, match=words) as error:
        render_true_swaps(change(data, **about), "test", ROWS, PLAYERS)
    assert "\n" not in str(error.value) and not list(data.folder.parent.glob("true-swaps-*"))


@pytest.mark.skipif(not has_fluidsynth(), reason="FluidSynth or a SoundFont is missing")
def test_a_font_that_was_named_is_found_again(tmp_path, monkeypatch):
    font = shutil.copy(find_font(), tmp_path / "mine.sf3")
    settings = MelodySettings(cache=str(tmp_path / "data"), melodies=6, synth="fluidsynth", soundfont=str(font))
    data = prepare_melodies(settings)
    assert read_font_hint(data.folder) == str(font)
    monkeypatch.setattr("tsdsae_keras.data.audio.synthesis.FONT_PLACES", ())
    own = data.label("test", "instrument")
    assert np.array_equal(render_true_swaps(data, "test", np.arange(2), own), data.features("test"))
