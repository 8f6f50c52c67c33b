"""A run folder: what outlives a training run.

settings.json    settings, versions, the identity of the data
history.csv      a row an epoch
events/          TensorBoard: scalars, pictures, sounds
model.keras      the best model of the last stage
evaluation.json  its scores on the test split
swap.png         a swap of two test sequences
"""

import importlib.metadata
import json
import platform
from pathlib import Path

import keras

from tsdsae_keras.errors import InputError
from tsdsae_keras.files import write_json

PACKAGES = ("tsdsae-keras", "keras", "tensorflow", "jax", "torch", "numpy", "librosa", "scikit-learn", "pyfluidsynth")


class RunFolder:
    """The paths of a run.

    Args:
        folder: of the run.
    """

    def __init__(self, folder):
        self.folder = Path(folder)
        self.settings = self.folder / "settings.json"
        self.history = self.folder / "history.csv"
        self.events = self.folder / "events"
        self.model = self.folder / "model.keras"
        self.evaluation = self.folder / "evaluation.json"
        self.picture = self.folder / "swap.png"

    def check_free(self):
        """InputError where the folder holds something already."""
        if self.folder.exists() and (not self.folder.is_dir() or any(self.folder.iterdir())):
            raise InputError(f"{self.folder} is not an empty folder; give another --out, nothing is overwritten")

    def create(self, settings):
        """Makes the folder and writes the settings, with versions."""
        self.check_free()
        self.folder.mkdir(parents=True, exist_ok=True)
        write_json(self.settings, {"settings": settings, "versions": versions()})

    def read_settings(self):
        """What `create` wrote; InputError where it cannot be read."""
        try:
            return json.loads(self.settings.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise InputError(f"{self.settings} cannot be read ({error}); is {self.folder} a run folder?") from None


def versions():
    """Versions of Python, the backend in use and the packages that shape a result."""
    found = {"python": platform.python_version(), "backend": keras.backend.backend()}
    for package in PACKAGES:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found
