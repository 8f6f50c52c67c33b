"""A `.keras` file checked before Keras reads it: it must be a model of this library, and no larger than one can be.

Keras reads it in safe mode, which keeps foreign code out, but lets in any class of Keras, and some of its versions
follow weights into other files or take all memory (CVE-2026-0897, CVE-2026-1669). What is not seen here: a weights file
made to break the HDF5 library itself, which reads it in this process.
"""

import io
import json
import zipfile

import h5py
import keras

from tsdsae_keras.base.model_class import CONFIG, LONGEST_CONFIG
from tsdsae_keras.errors import InputError
from tsdsae_keras.untrusted import one_line, reason, shown_names

WEIGHTS = "model.weights.h5"
MEMBERS = {"metadata.json": 1 << 16, CONFIG: LONGEST_CONFIG, WEIGHTS: 1 << 28}  # and the most bytes of each, unpacked
OPTIMIZERS = ("keras.optimizers", "keras.optimizers.schedules")


def check_model_file(path):
    """Checks the parts of a `.keras` file, their sizes, and what classes it names.

    Raises:
        InputError: it is something else than a model of this library; the text does not name the file.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            members = {member.filename: member.file_size for member in archive.infolist()}
            if members.keys() != MEMBERS.keys():
                raise InputError(f"holds {shown_names(members) or 'nothing'}; it should hold {', '.join(MEMBERS)}")
            for name, size in members.items():
                if size > MEMBERS[name]:
                    raise InputError(f"has {size} bytes in {name}; at most {MEMBERS[name]} are read")
            _check_config(archive.read(CONFIG))
            _check_weights(archive.read(WEIGHTS))
    except InputError:
        raise
    except Exception as error:  # zipfile, json and h5py raise whatever damaged bytes happen to mean
        raise InputError(f"is damaged ({reason(error)})") from error


def _check_config(content):
    """A model of this library, or of a subclass that this process has registered; in it, optimizers of Keras alone."""
    found = []
    json.loads(content, object_hook=lambda each: found.append(each) or each)
    *inner, config = found or [{}]  # the outermost is complete last
    name = config.get("registered_name")
    kind = keras.saving.get_registered_object(name) if isinstance(name, str) else None
    ours = any(each.__module__.startswith("tsdsae_keras.") for each in getattr(kind, "__mro__", ()))
    if not ours or not issubclass(kind, keras.Model):
        name = one_line(config.get("class_name") or name or "thing without a name", 60)
        raise InputError(f"holds a {name}, not a model of this library")
    for each in inner:
        if "class_name" in each and (each.get("module") not in OPTIMIZERS or each.get("registered_name")):
            name = one_line(each["class_name"], 60)
            raise InputError(f"names a {name}; apart from the model itself, only optimizers of Keras are read")


def _check_weights(content):
    """Arrays stored in the file itself, together no larger than it."""
    left = len(content)

    def is_elsewhere(name, item):  # None continues with the next item, anything else ends the visit and is its result
        nonlocal left
        left -= item.nbytes if isinstance(item, h5py.Dataset) else 0
        return name if left < 0 or getattr(item, "external", None) or getattr(item, "is_virtual", False) else None

    with h5py.File(io.BytesIO(content), "r") as file:
        link = file.visititems_links(lambda name, link: None if isinstance(link, h5py.HardLink) else name)
        name = link or file.visititems(is_elsewhere)
    if name:
        raise InputError(f"has weights that are not stored in it plainly: {one_line(name, 60)}")
