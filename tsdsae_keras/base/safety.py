"""A `.keras` file looked at before Keras reads it, so that it can be nothing but a model of this library.

Keras's safe mode keeps foreign code out. It lets in any class of Keras (some open files that their configuration
names), numbers that take all memory, and, in some versions, weights that stand in other files or are declared larger
than any memory (CVE-2025-1550, CVE-2025-12058, CVE-2026-0897, CVE-2026-1669). A file of this library needs none of it.
What is not seen here: a weights file made to break the HDF5 library itself, which reads it in this process.
"""

import inspect
import io
import json
import zipfile

import h5py
import keras

from tsdsae_keras.errors import InputError
from tsdsae_keras.families.tsdsae.checks import checked_config, kernel_numbers
from tsdsae_keras.families.tsdsae.sequential import SequentialVAE
from tsdsae_keras.untrusted import one_line, open_zip, shown_names

CONFIG, WEIGHTS = "config.json", "model.weights.h5"
MEMBERS = {"metadata.json": 1 << 16, CONFIG: 1 << 20, WEIGHTS: 1 << 28}  # and the most bytes of each
DIRECTORY = 1 << 17  # bytes of an archive's list of members
MOST_OBJECTS = 10_000  # groups and datasets of a weights file
LONGEST = 200  # letters of a text in a configuration
KEYS = ("module", "class_name", "config", "registered_name", "build_config", "compile_config", "name")
PLACES = ("keras.optimizers", "keras.optimizers.schedules")
KINDS = (keras.optimizers.Optimizer, keras.optimizers.schedules.LearningRateSchedule)


def check_model_file(path):
    """Looks at all of a `.keras` file.

    Args:
        path: of a zip archive.

    Raises:
        InputError: it holds something else than a model of this library, or more than one can need; the line says
            what "it" is or has, without naming the file.
    """
    try:
        with open_zip(path) as archive:
            _check_members(archive.infolist())
            check_config(_parsed(archive.read(CONFIG)), archive.getinfo(WEIGHTS).file_size)
            check_weights(archive.read(WEIGHTS))
    except InputError:
        raise
    except Exception as error:  # zipfile and h5py raise whatever damaged bytes happen to mean
        raise InputError(f"is damaged ({one_line(error) or type(error).__name__})") from error


def _check_members(members):
    if sorted(member.filename for member in members) != sorted(MEMBERS):
        names = shown_names(member.filename for member in members)
        raise InputError(f"holds {names or 'nothing'}; a .keras file of this library holds {', '.join(MEMBERS)}")
    for member in members:
        if member.compress_type != zipfile.ZIP_STORED or member.flag_bits & 1:
            raise InputError(f"has {member.filename} compressed or encrypted; give the file as Keras wrote it")
        if member.file_size > MEMBERS[member.filename]:
            most = MEMBERS[member.filename]
            raise InputError(f"has {member.file_size} bytes in {member.filename}; at most {most} are read")


def _parsed(content):
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        raise InputError(f"is damaged: its {CONFIG} is not JSON") from None


def check_config(config, weight_bytes):
    """Checks the configuration of a file: a model of this library, plainly compiled, as large as its weights.

    Raises:
        InputError: it is something else.
    """
    kind = _class_of(config)
    given = config.get("config")
    accepted = {name for each in kind.__mro__ if issubclass(each, SequentialVAE) for name in _arguments(each)}
    for what, found, known in ((CONFIG, config, KEYS), ("model", given, {*accepted, "name"})):
        if not isinstance(found, dict):
            raise InputError(f"is damaged: its {what} configuration is {one_line(found, 40)!r}, no dict")
        if set(found) - set(known):
            raise InputError(f"has an unknown {shown_names(sorted(set(found) - set(known)))} in its {what}")
    _check_plain(config.get("build_config"))
    _check_plain(config.get("compile_config"))
    numbers = kernel_numbers(complete_config(given, kind))
    if 2 * numbers > weight_bytes:  # two bytes are the least that a number takes
        raise InputError(f"describes {numbers} weights and holds only {weight_bytes} bytes of them")


def complete_config(given, kind):
    """Arguments of a model with all defaults, checked; InputError names the first value that cannot be."""
    return checked_config(_arguments(SequentialVAE) | given, kind)


def _class_of(config):
    config = config if isinstance(config, dict) else {}
    name = config.get("registered_name")
    kind = keras.saving.get_registered_object(name) if isinstance(name, str) else None
    if not isinstance(kind, type) or not issubclass(kind, SequentialVAE):
        name = one_line(config.get("class_name") or name or "thing without a name", 60)
        raise InputError(f"holds a {name}, not a model of this library")
    return kind


def _arguments(kind):
    """The named arguments of a class and their defaults."""
    parameters = inspect.signature(kind.__init__).parameters.values()
    return {each.name: each.default for each in parameters if each.default is not each.empty}


def _check_plain(config):
    """Refuses all but numbers, short texts, and the optimizers and schedules of Keras or of the user's own process."""
    values = [config]
    while values:
        value = values.pop()
        if isinstance(value, dict):
            if "class_name" in value and not _is_optimizer(value):
                name = one_line(value["class_name"], 60)
                raise InputError(f"is compiled with a {name}; models of this library are so with an optimizer alone")
            values.extend(value.values())
        elif isinstance(value, list) and not all(isinstance(each, int | float | None) for each in value):
            raise InputError(f"has a list in its {CONFIG} that is not of numbers: {one_line(value, 60)}")
        elif isinstance(value, str) and len(value) > LONGEST:
            raise InputError(f"has a text of {len(value)} letters in its {CONFIG}: {one_line(value, 60)}")


def _is_optimizer(config):
    name, module, registered = (config.get(key) for key in ("class_name", "module", "registered_name"))
    if not isinstance(name, str):
        return False
    kind = keras.saving.get_registered_object(registered if isinstance(registered, str) else name)
    if kind is None and module in PLACES:
        place = keras.optimizers if module == PLACES[0] else keras.optimizers.schedules
        kind = vars(place).get(name)
    return isinstance(kind, type) and issubclass(kind, KINDS)


def check_weights(content):
    """Checks a weights file: plain arrays of numbers within the file, together no larger than it.

    Raises:
        InputError: it has links, something packed, or more.
    """
    left, seen = len(content), 0
    with h5py.File(io.BytesIO(content), "r") as file:
        groups = [file]
        while groups:
            group = groups.pop()
            seen += len(group)
            if seen > MOST_OBJECTS:
                raise InputError(f"has more than {MOST_OBJECTS} parts in its weights, or a part that holds itself")
            for item in _items(group):
                if isinstance(item, h5py.Group):
                    groups.append(item)
                else:
                    left -= _bytes_of(item)
            if left < 0:
                raise InputError(f"declares more weights than its {len(content)} bytes can hold")


def _items(group):
    for name in group:
        if not isinstance(group.get(name, getlink=True), h5py.HardLink):
            raise InputError(f"has a link in its weights ({one_line(name, 60)}); links are not followed")
        yield group[name]


def _bytes_of(array):
    """Bytes of an array of numbers that stand in the file one after the other."""
    if not isinstance(array, h5py.Dataset) or array.dtype.kind not in "fiub" or array.shape is None:
        raise InputError(f"has something in its weights that is no array of numbers: {one_line(array.name, 60)}")
    plan = array.id.get_create_plist()
    within = plan.get_layout() in (h5py.h5d.CONTIGUOUS, h5py.h5d.COMPACT) and not plan.get_external_count()
    if not within or array.id.get_storage_size() < array.nbytes or len(array.attrs):
        raise InputError(f"has weights that are packed, or stand in another file: {one_line(array.name, 60)}")
    return array.nbytes
