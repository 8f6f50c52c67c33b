"""Tasks: small copies of what the packages and data sets look like, with their splits and their refusals."""

import json

import numpy as np
import pytest
import soundfile

from tsdsae_keras.data.audio.clips import RATE, content_hash, fit_length, scale_peak
from tsdsae_keras.data.audio.synthetic import KINDS, synthesise
from tsdsae_keras.data.tasks import NotInstalled, Task, installed_tasks, notes, open_task, packages
from tsdsae_keras.errors import InputError

pytestmark = pytest.mark.no_backend


def sound(seed):
    return synthesise(KINDS[seed % len(KINDS)], np.random.default_rng(seed))


def write(path, seed=0):
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, sound(seed), RATE)


def labels(task, split):
    return sorted({clip.label for clip in task.clips if clip.split == split})


def test_content_is_told_apart_by_sound_alone():
    x = sound(1)
    assert content_hash(x) == content_hash(0.2 * x) != content_hash(sound(2))
    assert 0 <= content_hash(x) < 2**63


def test_lengths_and_levels():
    assert fit_length(np.ones(10, "float32"), 1.0).shape == fit_length(np.ones(99999, "float32"), 1.0).shape == (RATE,)
    assert np.abs(scale_peak(sound(0) * 1e-2)).max() == pytest.approx(0.9, rel=1e-5)


def test_the_task_without_packages_is_the_same_every_time():
    first, second = open_task("synth6"), open_task("synth6")
    assert len(first.clips) == 240 and first.note
    np.testing.assert_array_equal(first.clips[7].read(), second.clips[7].read())
    both = first.test_clips(), first.clips
    tested, trained = ({content_hash(clip.read()) for clip in clips[:9]} for clips in both)
    assert not tested & trained


@pytest.mark.parametrize(
    ("instrument", "kind"),
    [
        ('Hi-Hat Open (Paiste Alpha Metal edge 14")', "hi-hat"),
        ("Closed HH", "hi-hat"),
        ("f#3 - hi-hat closed", "hi-hat"),
        ("Kick Power", "kick"),
        ("c3 - bass drum 1", "kick"),
        ("BassDrum", "kick"),
        ("Snare Rimshot (Pearl Free Floating Maple 14x3.5)", "snare"),
        ('Tom High (Tama Superstar 12")', "tom"),
        ("tomhi2", "tom"),
        ('Crash/Ride Bell (Paiste Rude Crash/Ride 18")', "cymbal"),
        ("054 Tombourine", "hand percussion"),
        ("Tambourine (Pearl PTM-10GH)", "hand percussion"),
        ("Hand Clap", "hand percussion"),
        ("Zap 1", ""),
        ("Sample: beats_01-10.flac", ""),
    ],
)
def test_kinds_of_drums_by_name(instrument, kind):
    assert packages.drum_of(instrument) == kind


@pytest.fixture
def kits(tmp_path, monkeypatch):
    for kit in ("Gimme A Hand 1.0", "Millo-Drums_v.1"):
        for number, name in enumerate(("Kick", "Snare", "Ride", "FX")):
            write(tmp_path / kit / f"{name}.wav", number)
        files = "".join(
            f"<instrument><name>{name}</name><layer><filename>{name}.wav</filename></layer></instrument>"
            for name in ("Kick", "Snare", "Ride", "FX", "Missing")
        )
        (tmp_path / kit / "drumkit.xml").write_text(f'<drumkit_info xmlns="http://x">{files}</drumkit_info>')
    monkeypatch.setattr(packages, "KITS", tmp_path)
    monkeypatch.setattr(packages, "FREEPATS", tmp_path / "none")


def test_drums_are_split_by_kit(kits):
    task = open_task("drum6")
    assert labels(task, "train") == labels(task, "test") == ["cymbal", "kick", "snare"]
    assert {clip.group for clip in task.test_clips()} == {"Millo-Drums_v.1"}
    assert len(packages.list_kits()) == 8  # what has no kind is there for the pool


@pytest.fixture
def voices(tmp_path, monkeypatch):
    for place, voice in enumerate(("British", "Classic", "Mobster", "Pirate", "Default_uk")):
        for number in range(24):
            write(tmp_path / voice / f"Phrase{number}.ogg", 100 * place + number)
    write(tmp_path / "Pirate" / "ZCopy.ogg", 100 * 3)
    monkeypatch.setattr(packages, "VOICES", tmp_path)


def test_voices_are_split_by_phrase_and_copies_left_out(voices):
    task = open_task("voice15")
    tested, others = ({clip.group for clip in task.clips if clip.split == split} for split in ("test", "train"))
    assert len(tested) == 20 and len(others) == 4 and not tested & others
    assert len(task.clips) == 5 * 24


def test_phrases_are_split_by_voice(voices):
    task = open_task("phrase60")
    assert {clip.name.split("/")[1] for clip in task.test_clips()} == {"British", "Mobster"}
    assert "Default_uk" not in {clip.name.split("/")[1] for clip in task.clips}


def test_effects_stay_in_one_fold_with_their_takes(tmp_path, monkeypatch):
    for number, name in enumerate(
        ("orc", "troll", "wolf", "sword", "bow", "magic", "heal", "skeleton", "human", "bat")
    ):
        for take in ("-hit-1", "-hit-2", "-die"):
            write(tmp_path / f"{name}{take}.ogg", number)
    monkeypatch.setattr(packages, "WESNOTH", tmp_path)
    monkeypatch.setattr(packages, "sha256", lambda content: f"{sum(content):08x}")
    task = open_task("sfx7")
    assert len(task.folds) == 5
    assert all(
        len({clip.split for clip in task.clips if clip.group == group}) == 1 for group in {c.group for c in task.clips}
    )


def test_what_is_not_installed_is_named_with_its_package(tmp_path, monkeypatch):
    monkeypatch.setattr(packages, "KITS", tmp_path / "none")
    monkeypatch.setattr(packages, "VOICES", tmp_path / "none")
    with pytest.raises(NotInstalled, match="apt-get install hydrogen-drumkits"):
        open_task("drum6")
    opened, missing = installed_tasks(tmp_path, ("synth6", "drum6", "voice15"))
    assert [task.name for task in opened] == ["synth6"] and len(missing) == 2


def test_families_of_programs_and_their_notes():
    assert [notes.family_of(program) for program in (0, 14, 15, 24, 47, 48, 79)] == [
        "piano", "mallet", None, "guitar", None, "string", "flute",
    ]  # fmt: skip
    drawn = notes.drawn_notes(40)
    assert len(set(drawn)) == 12 and min(drawn) >= 40 and max(drawn) <= 79 and drawn == notes.drawn_notes(40)


def test_any_labelled_folder_is_a_task(tmp_path):
    for number in range(24):
        write(tmp_path / ("a", "b")[number % 2] / f"{number}.wav", number)
    task = open_task(str(tmp_path))
    assert labels(task, "train") == ["a", "b"] and {clip.split for clip in task.clips} == {
        "train",
        "validation",
        "test",
    }
    assert 0.3 <= task.seconds <= 2.0


def test_a_csv_gives_labels_and_splits(tmp_path):
    rows = ["file,mood,split"]
    for number in range(9):
        write(tmp_path / "sounds" / f"{number}.wav", number)
        rows.append(
            f"{number}.wav,{('glad', 'sad')[number % 2]},{('train', 'train', 'validation', 'test')[number // 2 % 4]}"
        )
    (tmp_path / "labels.csv").write_text("\n".join(rows))
    task = open_task(str(tmp_path / "sounds"), labels=str(tmp_path / "labels.csv"))
    assert {clip.name: clip.split for clip in task.clips}["4.wav"] == "validation"
    assert {clip.label for clip in task.clips} == {"glad", "sad"}


@pytest.mark.parametrize("name", ["drums", "evar:esc51=x", "evar:esc50", "evar:esc50=missing"])
def test_unknown_tasks_are_refused(name):
    with pytest.raises(InputError):
        open_task(name)


def test_one_class_is_refused(tmp_path):
    for number in range(12):
        write(tmp_path / "only" / f"{number}.wav", number)
    with pytest.raises(InputError, match=r"1 class \(only\)"):
        open_task(str(tmp_path))
    with pytest.raises(InputError, match="0 class"):
        Task("empty", "", 1.0, [])


def lay_out(root, name):
    """A small copy of a data set's layout."""
    if name == "esc50":
        rows = ["filename,fold,target,category,esc10,src_file,take"]
        for fold in range(1, 6):
            for target, label in enumerate(("dog", "rain")):
                file = f"{fold}-100-A-{target}.wav"
                write(root / "audio" / file, 10 * fold + target)
                rows.append(f"{file},{fold},{target},{label},True,100,A")
        (root / "meta").mkdir()
        (root / "meta" / "esc50.csv").write_text("\n".join(rows))
    elif name == "us8k":
        rows = ["slice_file_name,fsID,start,end,salience,fold,classID,class"]
        for fold in range(1, 11):
            for target, label in enumerate(("siren", "drilling")):
                write(root / "audio" / f"fold{fold}" / f"{fold}-{target}.wav", 10 * fold + target)
                rows.append(f"{fold}-{target}.wav,{fold},0,1,1,{fold},{target},{label}")
        (root / "metadata").mkdir()
        (root / "metadata" / "UrbanSound8K.csv").write_text("\n".join(rows))
    elif name == "spcv2":
        for place, word in enumerate(("yes", "no", "_background_noise_")):
            for number in range(4):
                write(root / word / f"{number}.wav", 10 * place + number)
        (root / "validation_list.txt").write_text("yes/1.wav\nno/1.wav\n")
        (root / "testing_list.txt").write_text("yes/2.wav\nno/3.wav\n")
    elif name == "gtzan":
        for split, number in (("train", 0), ("valid", 1), ("test", 2)):
            files = [f"{genre}/{genre}.0000{number}.wav" for genre in ("blues", "metal")]
            for file in files:
                write(root / "genres" / file, number)
            (root / f"{split}_filtered.txt").write_text("\n".join(files))
    else:
        for place, part in enumerate(("train", "valid", "test")):
            examples = {f"{family}_{place}": {"instrument_family_str": family} for family in ("bass", "reed")}
            for number, note in enumerate(examples):
                write(root / f"nsynth-{part}" / "audio" / f"{note}.wav", 10 * place + number)
            (root / f"nsynth-{part}" / "examples.json").write_text(json.dumps(examples))


EXPECTED = {  # seconds, folds, classes, clips tested
    "esc50": (5.0, 5, {"dog", "rain"}, 10),
    "us8k": (4.0, 10, {"siren", "drilling"}, 20),
    "spcv2": (1.0, 0, {"yes", "no"}, 2),
    "gtzan": (30.0, 0, {"blues", "metal"}, 2),
    "nsynth": (4.0, 0, {"bass", "reed"}, 2),
}


@pytest.mark.parametrize("name", EXPECTED)
def test_the_layouts_of_evar_are_read(tmp_path, name):
    lay_out(tmp_path, name)
    task = open_task(f"evar:{name}={tmp_path}")
    labels = {clip.label for clip in task.clips}
    assert (task.seconds, len(task.folds), labels, len(task.test_clips())) == EXPECTED[name]
    assert len(task.test_clips()[0].read()) > 1000
    for train, _, test in task.splits():
        assert train and test and not {clip.name for clip in train} & {clip.name for clip in test}


@pytest.mark.parametrize("name", EXPECTED)
def test_a_folder_of_another_layout_is_refused_with_the_missing_file(tmp_path, name):
    with pytest.raises(InputError, match="cannot be read") as error:
        open_task(f"evar:{name}={tmp_path}")
    assert str(tmp_path) in str(error.value)
