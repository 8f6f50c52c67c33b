"""Recordings of data that another library reads: mirdata (tracks that are files) and TensorFlow Datasets (tensors).

Neither is imported here: the objects are given, and what is asked of them is named below.
"""

import functools
import io
import os
import re
from pathlib import Path

import numpy as np

from tsdsae_keras.data.sets.recordings.sound_file import SoundFile
from tsdsae_keras.errors import InputError
from tsdsae_keras.files import write_bytes

SPLIT_NAMES = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("valid", "validation", "val", "dev"), "validation"),
    **dict.fromkeys(("test", "testing"), "test"),
}
_UNFIT = re.compile(r"[^A-Za-z0-9._-]+")
_LOUDEST = 1e6


def from_mirdata(dataset, *, labels=None, group=None, split=None, audio="audio_path", channel=None, splits=SPLIT_NAMES):
    """The tracks of a mirdata dataset as recordings, and what is left out.

    Each of `labels`' values, `group` and `split` is the name of an attribute of the tracks, or a function of a track.

        tinysol = mirdata.initialize("tinysol", data_home=folder)
        from_mirdata(tinysol, labels={"instrument": "instrument_full"}, group="pitch_id")

    Args:
        dataset: a `mirdata` Dataset (its `load_tracks()` and `data_home` are used), or a dictionary {id: track}.
        labels: {label: attribute}; values are turned into text, and a value of None means no label. None: no labels.
        group: what must not be in two splits, such as a player or a piece. None makes every track a group of its
            own, which leaks where tracks share a player, a piece or a session: mirdata does not know, you must.
        split: the data's own split of a track; None has splits drawn.
        audio: the attribute that holds the path of the sound.
        channel: as in `SoundFile`.
        splits: {the data's split: "train", "validation", "test", or None to have it drawn}.

    Returns:
        ([SoundFile], [(name, reason)]), both ordered by name; names are paths below `data_home`, or else track ids.

    Raises:
        InputError: an attribute that no track has, metadata that is not there, a split of another name, not one track.
    """
    tracks = dataset.load_tracks() if hasattr(dataset, "load_tracks") else dict(dataset)
    home = getattr(dataset, "data_home", None)
    recordings, left_out = {}, []
    for key in sorted(tracks, key=str):
        path = _ask(tracks[key], audio)
        name = _name(path, home, key)
        if reason := _unusable(path, name in recordings):
            left_out.append((name, reason))
        else:
            about = _about_track(tracks[key], name, labels or {}, group, split, splits)
            recordings[name] = SoundFile(name, Path(path), channel=channel, **about)
    return _sort_or_refuse(
        recordings.values(), left_out, "mirdata gives no track with sound: run dataset.download(), or set data_home"
    )


def _about_track(track, name, labels, group, split, splits):
    """What a `SoundFile` says of a track, by the name of its argument."""
    texts = {label: _ask(track, what) for label, what in labels.items()}
    return {
        "labels": {label: str(text) for label, text in texts.items() if text is not None},
        "group": name if group is None else _text(_ask(track, group), "group", name),
        "split": None if split is None else _split(_ask(track, split), splits, name),
    }


def from_tfds(
    dataset,
    folder,
    *,
    sample_rate=None,
    info=None,
    audio="audio",
    name=None,
    labels=None,
    group=None,
    full_scale=32768,
    splits=SPLIT_NAMES,
):
    """The examples of TensorFlow Datasets as recordings, their sounds written below a folder, and what is left out.

        data, info = tfds.load("nsynth/full", with_info=True)
        from_tfds(data, "sounds", info=info, name="id", labels={"instrument": "instrument/family"},
                  group="instrument/label")

    Sounds are written one by one as 32-bit WAV, so memory stays small and the disk holds all of them; a file that holds
    these bytes already is left alone. Features are named by path, "instrument/family" for example["instrument"]
    ["family"]; `labels`' values and `group` may be functions of an example too.

    Args:
        dataset: examples as dictionaries (a tf.data.Dataset, what `tfds.as_numpy` gives, any iterable); or {split:
            those}, as `tfds.load` gives without `split`, whose splits are then kept.
        folder: where sounds go, created if missing.
        sample_rate: Hz; None takes the one of `info`.
        info: the `DatasetInfo`: rate, and names of class numbers. None leaves numbers as they are.
        audio: the feature that holds samples, (n,) or (n, channels).
        name: the feature that names an example; None numbers them, so that the order of the dataset decides names: then
            load it with shuffle_files=False.
        labels: {label: feature}; None for no labels.
        group: the feature of what must not be in two splits. None makes every example a group of its own, which
            leaks where examples share a player or an instrument. A group that is in two of the data's own splits is
            refused later, by `split_by_group`.
        full_scale: of integer samples, 2^15 for the 16 bits that are usual.
        splits: as in `from_mirdata`.

    Returns:
        ([SoundFile], [(name, reason)]), both ordered by name.

    Raises:
        InputError: no rate; a feature that is not there; a split of another name; a folder that cannot be written to;
            two examples of one name; not one sound.
    """
    rate = _rate(sample_rate, info, audio)
    recordings, left_out, names = [], [], set()
    for part, own_split, number, example in _examples(dataset, splits):
        given = f"{number:08d}" if name is None else _feature_text(example, name, info)
        title = "/".join([*([] if part is None else [_fit(part)]), f"{_fit(given)}.wav"])
        if title in names:
            raise InputError(f"two examples are named {given!r}; give a feature as name that tells them apart")
        names.add(title)
        samples, reason = _samples(_value(example, audio), full_scale)
        if reason:
            left_out.append((title, reason))
            continue
        _write(Path(folder) / title, samples, rate)
        texts = {label: _feature_text(example, what, info) for label, what in (labels or {}).items()}
        key = title if group is None else _feature_text(example, group, info)
        recordings.append(SoundFile(title, Path(folder) / title, texts, key, own_split))
    return _sort_or_refuse(recordings, left_out, "the dataset gives no sound that can be used")


def _examples(dataset, splits):
    """(part, its split, number, example) of each example; part and split are None where the data are one part."""
    parts = dataset if isinstance(dataset, dict) else {None: dataset}
    for part in sorted(parts, key=str):
        own_split = None if part is None else _split(part, splits, f"split {part}")
        examples = parts[part].as_numpy_iterator() if hasattr(parts[part], "as_numpy_iterator") else parts[part]
        for number, example in enumerate(examples):
            yield part, own_split, number, example


def _sort_or_refuse(recordings, left_out, nothing):
    if not recordings:
        some = "; ".join(f"{name}: {reason}" for name, reason in sorted(left_out)[:3])
        raise InputError(f"{nothing} ({some or 'it is empty'})")
    return sorted(recordings, key=lambda recording: recording.name), sorted(left_out)


def _ask(track, what):
    """An attribute of a track, or a function of it."""
    try:
        return what(track) if callable(what) else getattr(track, what)
    except AttributeError as error:
        known = ", ".join(each for each in dir(track) if not each.startswith("_"))
        raise InputError(f"a track of mirdata has no {what!r}; it has {known}") from error
    except OSError as error:
        raise InputError(f"mirdata's metadata is not there ({error}): run dataset.download()") from error


def _name(path, home, key):
    if path is None or home is None:
        return str(key)
    relative = os.path.relpath(path, home)
    return str(key) if relative.startswith("..") else Path(relative).as_posix()


def _unusable(path, known):
    if path is None:
        return "mirdata gives no path of its sound"
    if known:
        return "another track has the same sound"
    return None if Path(path).is_file() else "there is no such file: run dataset.download()"


def _text(value, what, name):
    if value is None:
        raise InputError(f"{name} has no {what}; give a function that gives each track one")
    return str(value)


def _split(value, splits, name):
    if str(value) not in splits:
        raise InputError(
            f"{name} is of split {value!r}; say what it is: splits={{{value!r}: 'train'}}, or None to draw"
        )
    return splits[str(value)]


def _rate(sample_rate, info, audio):
    rate = sample_rate or (info and getattr(info.features[audio], "sample_rate", None))
    if not rate or rate != int(rate) or rate < 1:
        raise InputError(f"sample_rate is {rate!r}; give the rate of the sounds in Hz")
    return int(rate)


def _value(example, path):
    """The value of an example at a path, or what a function makes of it."""
    if callable(path):
        return path(example)
    for step in path.split("/"):
        if not isinstance(example, dict) or step not in example:
            known = ", ".join(map(str, example)) if isinstance(example, dict) else "no features below"
            raise InputError(f"an example has no feature {path!r}: at {step!r} there are {known}")
        example = example[step]
    return example


def _feature_text(example, path, info):
    """A feature as text; the number of a class as the name that `info` has for it."""
    value = _value(example, path)
    value = value.item() if hasattr(value, "item") else value
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    names = None
    if info is not None and not callable(path):
        names = functools.reduce(lambda features, step: features[step], path.split("/"), info.features)
    return names.int2str(value) if hasattr(names, "int2str") and isinstance(value, int) else str(value)


def _samples(values, full_scale):
    """float32 samples and None, or None and why there are none."""
    values = np.asarray(values)
    if values.ndim not in (1, 2) or not values.size:
        return None, f"its sound has shape {values.shape}; it should be (n,) or (n, channels)"
    if values.dtype.kind not in "iuf":
        return None, f"its sound is of type {values.dtype}; it should be numbers"
    samples = (values / full_scale if values.dtype.kind in "iu" else values).astype(np.float32)
    if not np.abs(samples).max() <= _LOUDEST:
        return None, "its sound holds NaN, infinity or values beyond a million times full scale"
    return samples, None


def _fit(name):
    """A name that any file system takes."""
    fit = _UNFIT.sub("_", str(name)).strip(".")[:150]
    return fit or "_"


def _write(path, samples, rate):
    """Replaces the file, unless it holds these bytes."""
    from scipy.io import wavfile

    content = io.BytesIO()
    wavfile.write(content, rate, samples)  # libsndfile would write the time of day into it
    try:
        if path.is_file() and path.read_bytes() == content.getvalue():
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        write_bytes(path, content.getvalue())
    except OSError as error:
        raise InputError(f"{path} cannot be written ({error.strerror or error}); give another folder") from error
