"""The study's folder and its runs. Light: no backend is loaded.

study.json       the identity of the data, how many pairs sound
runs/NAME/       an ordinary run folder
results/NAME.json  what was measured, or why the run failed; written last, so a run that has it is finished
held/NAME/       locked by the process that is at work on the run
figures/         what --figures draws
table.md         and its table
"""

import contextlib
import itertools
from pathlib import Path

from tsdsae_keras.errors import InputError
from tsdsae_keras.families.tsdsae.study.options import AXES
from tsdsae_keras.files import write_json
from tsdsae_keras.options import flag
from tsdsae_keras.search.folder import read_json
from tsdsae_keras.settings import settings_from_dict
from tsdsae_keras.training.run import RunFolder

# Settings in which two runs of one study may differ: where things are, and what the identity of the data covers.
FREE = (
    *("out", "preset", "data", "cache", "melodies", "programs", "octaves", "tonics", "scales", "subset"),
    *("synth", "soundfont", "data_seed", "workers"),
)
NAMES = {"stop_at_recon": "reach"}  # options that the study names otherwise


def grid(base, own):
    """The runs of `StudyOptions`, {name: Settings}; `base` has all that does not vary."""
    runs = {}
    for values in itertools.product(*(getattr(own, name) for name in AXES)):
        settings = base.replace(**dict(zip(AXES.values(), values, strict=True)))
        runs[run_name(settings)] = settings
    return runs


def run_name(settings):
    """The name of a run: what distinguishes it within a study."""
    return f"{settings.model}-z{settings.z_dim}-{settings.optimizer}-{settings.decoder}-s{settings.seed}"


def varied_settings(settings):
    """{setting: value} of what the study varies."""
    return {setting: getattr(settings, setting) for setting in AXES.values()}


class StudyFolder:
    """The paths of a study."""

    def __init__(self, folder):
        self.folder = Path(folder)
        self.record = self.folder / "study.json"
        self.runs = self.folder / "runs"
        self.results = self.folder / "results"
        self.held = self.folder / "held"
        self.figures = self.folder / "figures"
        self.table = self.folder / "table.md"

    def run(self, name):
        """The `RunFolder` of a run."""
        return RunFolder(self.runs / name)

    def result(self, name):
        """The file of a run's result."""
        return self.results / f"{name}.json"

    def begin(self, data, pairs):
        """Makes the folder; InputError where it holds something else, or a study of other data or pairs."""
        known = read_json(self.record)
        if known is None and self.folder.exists() and (not self.folder.is_dir() or any(self.folder.iterdir())):
            raise InputError(f"{self.folder} is not an empty folder; give another --out, nothing is overwritten")
        plan = {"data_folder": str(data.folder.resolve()), "data_identity": data.identity, "pairs": pairs}
        if known is not None:
            self._check_same(known, plan)
        for folder in (self.runs, self.results, self.held):
            folder.mkdir(parents=True, exist_ok=True)
        if known != plan:
            write_json(self.record, plan)

    def _check_same(self, known, plan):
        if known.get("data_identity") != plan["data_identity"]:
            same = known.get("data_folder") == plan["data_folder"]
            what = "has changed since" if same else f"is other data than {known.get('data_folder')}, with which"
            raise InputError(
                f"{plan['data_folder']} {what} {self.folder} was started; take the same data, or give another --out"
            )
        if known.get("pairs") != plan["pairs"]:
            raise InputError(
                f"--pairs is {plan['pairs']} and {self.folder} was started with {known.get('pairs')}: scores of both "
                "are not comparable; give the same, or another --out"
            )

    def check(self, runs):
        """InputError where a run that was started has other settings than it would have now."""
        for name, settings in runs.items():
            known, now = self._recorded_settings(name), settings.to_dict()
            other = [each for each in now if known and each not in FREE and known[each] != now[each]]
            if other:
                was = ", ".join(f"{flag(NAMES.get(each, each))} {known[each]} (now {now[each]})" for each in other)
                raise InputError(f"{self.folder} holds {name} with {was}; give the same, or another --out")

    def _recorded_settings(self, name):
        """The settings with which a run was started, as a dict; None where it was not."""
        found = (read_json(self.result(name)) or {}).get("settings")
        if found is None and self.run(name).settings.is_file():
            found = self.run(name).read_settings()["settings"]
        return found and settings_from_dict(found).to_dict()

    @contextlib.contextmanager
    def claim(self, name):
        """Whether the run is this process's own while the body runs, and no other process is at work on it."""
        (self.held / name).mkdir(exist_ok=True)
        with contextlib.ExitStack() as stack:
            yield _hold(stack, RunFolder(self.held / name)) and self._is_idle(name)

    def _is_idle(self, name):
        """Whether no other process resumes the run by itself, as `train.py --resume` does."""
        if not self.run(name).folder.is_dir():
            return True
        with contextlib.ExitStack() as stack:
            return _hold(stack, self.run(name))


def _hold(stack, place):
    try:
        stack.enter_context(place.held())
    except InputError:
        return False
    return True
