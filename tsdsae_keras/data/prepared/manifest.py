"""The manifest of a prepared folder, checked before anything it says is used."""

import json
import re

from tsdsae_keras.errors import InputError, quote

FORMAT = "tsdsae-prepared"
VERSION = 1
MANIFEST = "manifest.json"
AGAIN = "delete the folder and prepare it again"
LARGEST = 1 << 22  # bytes of a manifest; its values take up to twenty times as much memory
MOST = 1 << 53  # examples, or values of one
NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]{0,63}")  # of a split or an array: part of a file's name
FILE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,199}")
STORAGES = ("npy", "tfrecord")  # of shards; the first where none is stated
NUMBERS = ("length", "group")  # whole numbers, one a sequence
TYPE = re.compile(r"[<>|][fiubUS][0-9]{1,4}")
_FIELDS = {
    **dict.fromkeys(("settings", "front_end", "counts", "arrays", "label_names", "files"), dict),
    **{"key": str, "shard_size": int},
}


def read_manifest(folder):
    """The bytes of a folder's manifest.

    Raises:
        InputError: there is none, or it is too large.
    """
    if not folder.is_dir():
        raise InputError(f"{folder} is not a folder: give the path that preparing printed, or prepare the data first")
    path = folder / MANIFEST
    if not path.is_file() or path.is_symlink():
        state = "holds no manifest.json" if any(folder.iterdir()) else "is empty"
        raise InputError(f"{folder} {state}, so it is not prepared data: give the path that preparing printed")
    with path.open("rb") as file:
        content = file.read(LARGEST + 1)
    if len(content) > LARGEST:
        raise InputError(f"{path} has {path.stat().st_size} bytes; at most {LARGEST} are read: {AGAIN}")
    return content


def parse_manifest(content, path):
    """The manifest in some bytes, which were read from `path`, every value of a form that can be used.

    Raises:
        InputError: it is not a manifest of this format, or a value has another form.
    """
    try:
        manifest = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path} is not JSON: {AGAIN}") from error
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        raise InputError(f"{path} is not of the format {FORMAT}: give a folder that this library prepared")
    version = manifest.get("version")
    if type(version) is not int or version != VERSION:
        raise InputError(f"{path} has version {quote(version)}, this library reads {VERSION}: {AGAIN}")
    for name, kind in _FIELDS.items():
        if type(manifest.get(name)) is not kind:
            raise InputError(f"{path}: {name!r} is missing or no {kind.__name__}: {AGAIN}")
    _check_values(manifest, path)
    for name in manifest["files"]:
        if not FILE.fullmatch(name):
            raise InputError(f"{path} lists the file {quote(name)}, which is not a plain name in the folder: {AGAIN}")
    return manifest


def _check_values(manifest, path):
    features = manifest["arrays"].get("features")
    fine = manifest["shard_size"] > 0 and all(_is_array(array) for array in manifest["arrays"].values())
    fine = fine and _is_array(features) and len(features["shape"]) > 0 and features["dtype"][1] in "fiub"
    fine = fine and all(_is_count(count) for count in manifest["counts"].values())
    fine = fine and all(_is_file(file) for file in manifest["files"].values())
    fine = fine and all(NAME.fullmatch(name) for name in (*manifest["counts"], *manifest["arrays"]))
    fine = fine and all(_is_meaning(meaning) for meaning in manifest["label_names"].values())
    fine = fine and all(isinstance(value, str | int | float | None) for value in manifest["front_end"].values())
    fine = fine and _is_sentence(manifest.get("warning")) and _are_shard_frames(manifest)
    fine = fine and manifest.get("storage", STORAGES[0]) in STORAGES
    fine = fine and all(_is_number(manifest["arrays"][name]) for name in NUMBERS if name in manifest["arrays"])
    if not fine:
        raise InputError(f"{path}: its counts, arrays or files are not of the right form: {AGAIN}")


def _is_array(stated):
    shape, dtype = (stated.get("shape"), stated.get("dtype")) if isinstance(stated, dict) else (None, None)
    fine = isinstance(shape, list) and len(shape) < 9 and all(_is_count(n) for n in shape)
    return fine and isinstance(dtype, str) and bool(TYPE.fullmatch(dtype))


def _is_number(stated):
    return stated["shape"] == [] and stated["dtype"][1] in "iu"


def _is_count(n):
    return type(n) is int and 0 < n <= MOST


def _is_file(stated):
    stated = stated if isinstance(stated, dict) else {}
    return type(stated.get("bytes")) is int and stated["bytes"] >= 0 and isinstance(stated.get("sha256"), str)


def _is_sentence(text):
    return text is None or (isinstance(text, str) and len(text) < 1000 and text.isprintable())


def _are_shard_frames(manifest):
    """Whether the frames of every shard are stated, or none are; lengths must be there to tell what is padding."""
    if "shard_frames" not in manifest:
        return True
    stated, longest = manifest["shard_frames"], manifest["arrays"]["features"]["shape"][0]
    fine = isinstance(stated, dict) and stated.keys() == manifest["counts"].keys() and "length" in manifest["arrays"]
    return fine and all(
        isinstance(each, list)
        and len(each) == -(-manifest["counts"][split] // manifest["shard_size"])
        and all(_is_count(frames) and frames <= longest for frames in each)
        for split, each in stated.items()
    )


def _is_meaning(value, depth=2):
    """Whether it can say what label values mean: texts and numbers, alone, listed or by name."""
    if isinstance(value, dict | list) and depth:
        return all(_is_meaning(each, depth - 1) for each in (value.values() if isinstance(value, dict) else value))
    return isinstance(value, str | int | float | None)
