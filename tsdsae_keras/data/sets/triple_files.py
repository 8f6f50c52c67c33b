"""Readers of triples: one's own, from a CSV, and the authors' two formats.

A folder of one's own holds images and a file `triples.csv` with the columns image_1, image_2 (paths in the folder),
action_1, action_2, ... in the order of the group's numbers (a rotation row by row: nine), and, optional, class and
group. The authors' folder holds equiv_data.npy (n, 2, [3,] 64, 64), equiv_lbls.npy and equiv_classes.npy, and the same
with _10 and _20 for trajectories; their chairs are a pickle of (image, image, rotation) by object.
"""

import csv
import logging
from pathlib import Path

import numpy as np

from tsdsae_keras.data.sets.triples import TripleData
from tsdsae_keras.errors import InputError
from tsdsae_keras.interop.pickles import load_pickle

log = logging.getLogger(__name__)

SIZE = 64
TABLE = "triples.csv"
ROTATION = (3, 3)
# None: as many numbers as there are.
SHAPES = {"translate": None, "isometries_2d": (3,), "isometries_2d_local": (3,), "rotate": ROTATION}
SHAPES |= {"rotate_right": ROTATION}
LONG = (10, 20)  # steps of the authors' trajectories


def open_triples(settings):
    """Opens the data set of the card "triples"."""
    path = Path(settings.triples or "")
    if not settings.triples or not path.exists():
        raise InputError(f"--triples is {settings.triples!r}; give a folder with {TABLE}, or one of the authors' files")
    data = _read(path, settings.group, settings.data_seed)
    log.info(data.summary)
    return data


def _read(path, group, seed):
    if path.is_file():
        return read_chairs(path, seed)
    if (path / "equiv_data.npy").is_file():
        return read_arrays(path, group, seed)
    return read_table(path, group, seed)


def read_table(folder, group, seed=0):
    """One's own triples from `triples.csv`; images of any size are scaled to 64 x 64.

    Raises:
        InputError: a column, an image or a number is missing or cannot be read; the line names the row.
    """
    path = Path(folder) / TABLE
    if not path.is_file():
        raise InputError(f"{folder} has no {TABLE}; its columns are image_1, image_2, action_1, ..., class and group")
    with open(path, newline="", encoding="utf-8-sig") as file:
        table = list(csv.DictReader(file))
    names = [name for name in (table[0] if table else {}) if name and name.startswith("action")]
    if not table or not {"image_1", "image_2"} <= set(table[0]) or not names:
        raise InputError(f"{path} needs a header with image_1, image_2 and action_1, ..., and a row at least")
    named = {row["group"] for row in table} if "group" in table[0] else {group}
    if len(named) > 1:
        raise InputError(f"{path} names {len(named)} groups; all triples must have the same one")
    (group,) = named
    if group not in SHAPES:
        raise InputError(f"the group of {path} is {group!r}; it must be {' or '.join(SHAPES)}")
    cache, images, actions = {}, ([], []), []
    for number, row in enumerate(table, 2):  # line 1 is the header
        for place, name in zip(images, ("image_1", "image_2"), strict=True):
            place.append(_image(folder, row[name], number, cache))
        actions.append([_number(row[name], path, number, name) for name in names])
    actions = in_shape(group, np.array(actions, "float32"), path)
    classes = np.unique([row["class"] for row in table], return_inverse=True)[1] if "class" in table[0] else None
    return TripleData(path, group, *(np.stack(each) for each in images), actions, classes, folder=folder, seed=seed)


def in_shape(group, actions, path):
    """Actions (n, numbers) in the shape that the group has."""
    shape = SHAPES[group]
    numbers = actions[0].size
    if shape is not None and numbers != np.prod(shape):
        raise InputError(f"{path} has {numbers} numbers an action; the group {group} takes {np.prod(shape)}")
    return actions.reshape(len(actions), *(shape or (numbers,)))


def _image(folder, name, row, cache):
    if name not in cache:
        path = Path(folder) / (name or "")
        if not path.resolve().is_relative_to(Path(folder).resolve()):
            raise InputError(f"row {row} of {TABLE} names {name!r}, which lies outside of {folder}")
        try:
            cache[name] = read_image(path)
        except InputError as error:
            raise InputError(f"row {row} of {TABLE}: {error}") from error
    return cache[name]


def read_image(path, channels=3):
    """An image file (PNG, JPEG, GIF, BMP), scaled to (64, 64, channels) uint8.

    Raises:
        InputError: it is missing, or not an image.
    """
    import tensorflow as tf

    try:
        with tf.device("CPU:0"):
            image = tf.io.decode_image(Path(path).read_bytes(), channels=channels, expand_animations=False)
            return np.round(tf.image.resize(image, (SIZE, SIZE), "area").numpy()).astype("uint8")
    except (OSError, tf.errors.OpError, ValueError) as error:
        raise InputError(f"{path} cannot be read as an image ({type(error).__name__})") from error


def _number(text, path, row, name):
    try:
        return float(text)
    except (TypeError, ValueError):
        raise InputError(f"row {row} of {path} has {text!r} in {name}; it must be a number") from None


def read_arrays(folder, group, seed=0):
    """The authors' .npy files.

    Raises:
        InputError: a file is missing, or arrays do not fit.
    """
    x, y, actions, classes = _arrays(folder, "", group)
    long = {}
    for steps in LONG:
        if (Path(folder) / f"equiv_data_{steps}.npy").is_file():
            long[steps] = _arrays(folder, f"_{steps}", group)
    return TripleData(folder, group, x, y, actions, classes, folder=folder, seed=seed, long=long)


def _arrays(folder, suffix, group):
    found = {}
    for name in ("data", "lbls", "classes"):
        path = Path(folder) / f"equiv_{name}{suffix}.npy"
        try:
            found[name] = np.load(path, allow_pickle=False)
        except (OSError, ValueError) as error:
            raise InputError(f"{path} cannot be read as a NumPy array of numbers: {error}") from error
    images, actions = found["data"], found["lbls"].astype("float32")
    if images.ndim not in (4, 5) or images.shape[1] != 2 or images.shape[-2:] != (SIZE, SIZE):
        raise InputError(
            f"equiv_data{suffix}.npy of {folder} has shape {images.shape}; it should be (n, 2, [3,] 64, 64)"
        )
    images = images[:, :, None] if images.ndim == 4 else images
    images = np.round(255 * np.clip(images, 0, 1)).astype("uint8").transpose(1, 0, 3, 4, 2)
    steps = () if not suffix else (int(suffix[1:]),)
    shape = SHAPES[group] or actions.shape[-1:]
    if actions.shape != (len(actions), *steps, *shape):
        raise InputError(
            f"equiv_lbls{suffix}.npy of {folder} has shape {actions.shape}; group {group} needs (n, {shape})"
        )
    return *images, actions, found["classes"].ravel().astype(int)


def read_chairs(path, seed=0):
    """The authors' pickle of chairs, read without running anything in it.

    It holds, for each object, a list of (image, image, rotation 3 x 3), images uint8 (64, 64[, 3]).

    Raises:
        InputError: it cannot be read, or holds something else.
    """
    content = load_pickle(path)
    objects = list(content.values()) if isinstance(content, dict) else content
    if objects and isinstance(objects[0], tuple | list) and len(objects[0]) == 3 and np.ndim(objects[0][2]) == 2:
        objects = [objects]  # one object
    x, y, actions, classes = [], [], [], []
    try:
        for number, triples in enumerate(objects):
            for first, second, turn in triples:
                x.append(_picture(first))
                y.append(_picture(second))
                actions.append(np.asarray(turn, "float32").reshape(ROTATION))
                classes.append(number)
    except (TypeError, ValueError, KeyError) as error:
        raise InputError(f"{path} does not hold (image, image, rotation) by object: {error}") from error
    arrays = (np.stack(each) for each in (x, y, actions))
    return TripleData(path, "rotate", *arrays, np.array(classes), folder=path.parent, seed=seed)


def _picture(image):
    image = np.asarray(image)
    if image.dtype != np.uint8 or image.shape[:2] != (SIZE, SIZE):
        raise ValueError(
            f"an image has shape {image.shape} and type {image.dtype}; it should be (64, 64[, 3]) of uint8"
        )
    return image[..., :3] if image.ndim == 3 else np.repeat(image[..., None], 3, axis=2)
