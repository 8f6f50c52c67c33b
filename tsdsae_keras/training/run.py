"""A run folder: what outlives a training run.

settings.json    settings, versions, the identity of the data
checkpoints/     the last two epochs, to resume from
history.csv      a row an epoch
events/          TensorBoard: scalars, pictures, sounds
model.keras      the best model of the last stage
swap.png         a swap of two test sequences
seconds.json     how long everything took
evaluation.json  the model's scores on the test split; written last, so a run that has it is finished
"""

import contextlib
import importlib.metadata
import json
import os
import platform
from datetime import datetime
from pathlib import Path

from tsdsae_keras.errors import InputError, quote
from tsdsae_keras.files import TEMPORARY, remove_temporary, write_json
from tsdsae_keras.settings import Settings, option_classes, settings_from_dict

DATA = ("data_folder", "data_identity")
LARGEST = 1 << 20  # bytes of the record
PACKAGES = ("tsdsae-keras", "keras", "tensorflow", "jax", "torch", "numpy", "librosa", "scikit-learn", "pyfluidsynth")


class RunFolder:
    """The paths of a run."""

    def __init__(self, folder):
        self.folder = Path(folder)
        self.settings = self.folder / "settings.json"
        self.checkpoints = self.folder / "checkpoints"
        self.history = self.folder / "history.csv"
        self.events = self.folder / "events"
        self.model = self.folder / "model.keras"
        self.evaluation = self.folder / "evaluation.json"
        self.seconds = self.folder / "seconds.json"
        self.picture = self.folder / "swap.png"

    @property
    def resume_command(self):
        """What a user types to resume an unfinished run."""
        return resume_command(self.folder)

    def check_free(self):
        """InputError where the folder holds something already; says how to resume where that is an unfinished run."""
        if not self.folder.exists():
            return
        if self.folder.is_dir() and self.settings.is_file() and not self.evaluation.is_file():
            raise InputError(f"{self.folder} holds an unfinished run; resume it: {self.resume_command}")
        if not self.folder.is_dir() or any(not path.name.startswith(TEMPORARY) for path in self.folder.iterdir()):
            raise InputError(f"{self.folder} is not an empty folder; give another --out, nothing is overwritten")

    def create(self, settings):
        """Makes the folder and writes the settings, with versions."""
        self.check_free()
        self.folder.mkdir(parents=True, exist_ok=True)
        write_json(self.settings, {"settings": settings, "versions": versions()})

    @contextlib.contextmanager
    def held(self):
        """Keeps other processes out of the run while the body runs; the hold ends with its process.

        Raises:
            InputError: another process holds it.
        """
        try:
            import fcntl
        except ImportError:  # Windows: nothing keeps two processes apart there
            yield
            return
        handle = os.open(self.folder, os.O_RDONLY)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            remove_temporary(self.folder)
            yield
        except BlockingIOError:
            raise InputError(f"another process is at work in {self.folder}; wait for it, or end it") from None
        finally:
            os.close(handle)

    def read_settings(self):
        """What `create` wrote: "settings", among them the data's folder and identity, and "versions".

        The settings themselves are checked where they are used, by `recorded_settings`.

        Raises:
            InputError: it cannot be read, or is something else.
        """
        try:
            with self.settings.open("rb") as file:
                content = file.read(LARGEST + 1)
            if len(content) > LARGEST:
                raise ValueError(f"more than {LARGEST} bytes")
            recorded = json.loads(content)
        except (OSError, ValueError, RecursionError) as error:
            reason = getattr(error, "strerror", None) or quote(str(error))[1:-1]
            raise InputError(f"{self.settings} cannot be read ({reason}); is {self.folder} a run folder?") from None
        settings = recorded.get("settings") if isinstance(recorded, dict) else None
        if not isinstance(settings, dict) or not all(isinstance(settings.get(name), str) for name in DATA):
            raise InputError(f"{self.settings} is not the record of a run, which names {' and '.join(DATA)}")
        return {"versions": None} | recorded


def recorded_settings(run):
    """The `Settings` of a run; their `data` is the folder that its data were prepared in, where they were.

    Raises:
        InputError: they cannot be read, or are something else.
    """
    recorded = run.read_settings()["settings"]
    settings, folder = settings_from_dict(recorded), recorded["data_folder"]
    # A folder that a data set reads by options of its own is opened by its name and these options.
    prepared = folder and option_classes(settings.card, folder)["data_set"] is type(settings.data_set)
    return settings.replace(data=folder) if prepared else settings


def data_settings(run, model, data=None):
    """The `Settings` by which to open the data that a model is scored on.

    Args:
        run: the `RunFolder` that the model is in; any folder with `data`.
        model: the name of a model of its family.
        data: a prepared folder or the name of a data set, which is opened by its default options; None for the data of
            the run.

    Raises:
        InputError: without `data`, the folder is not that of a run.
    """
    if data is not None:
        return Settings(model=model, data=data)
    if not run.settings.is_file():
        raise InputError(f"{run.folder} has no settings.json that names its data; give --data")
    return recorded_settings(run)


def new_name(settings):
    """A new run folder under runs/."""
    stamp = datetime.now().strftime("%Y%m%d-%H%M%S")
    begins = settings.card.part("prefix")(settings) if settings.card.prefix else settings.model
    return Path("runs") / f"{begins}-{settings.backend}-{stamp}"


def resume_command(folder, options=""):
    """What a user types to resume the unfinished run, or runs, in a folder, with further options."""
    return " ".join(filter(None, (f"python train.py --resume {folder}", options)))


def runs_in(folder):
    """The run in a folder; or those that `train --seeds` made in it, `seed-N`, in the order of their seeds."""
    whole = RunFolder(folder)
    seeds = [] if whole.settings.exists() else Path(folder).glob("seed-*/settings.json")
    return [RunFolder(path.parent) for path in sorted(seeds, key=lambda path: (len(path.parent.name), path))] or [whole]


def versions():
    """Versions of Python, the backend in use and the packages that shape a result."""
    import keras  # here: the settings of a run are read before a backend is chosen

    found = {"python": platform.python_version(), "backend": keras.backend.backend()}
    for package in PACKAGES:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found
