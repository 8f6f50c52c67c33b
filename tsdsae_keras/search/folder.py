"""The folder of a search, and what must not change when a search is resumed. Light: no backend is loaded."""

import json
from pathlib import Path

from tsdsae_keras.errors import InputError
from tsdsae_keras.files import write_json

SAME = ("space", "base", "objective", "tuner", "data_identity")


class SearchFolder:
    """The paths of a search."""

    def __init__(self, folder):
        self.folder = Path(folder)
        self.record = self.folder / "search.json"
        self.oracle = self.folder / "oracle"
        self.trials = self.folder / "trials"
        self.events = self.folder / "events"
        self.results = self.folder / "results.csv"
        self.best = self.folder / "best.keras"
        self.page = self.folder / "report.html"

    def trial(self, trial_id):
        """The folder of a trial."""
        return self.trials / str(trial_id)

    def begin(self, plan):
        """Makes the folder, or finds it with the same search; returns the plan, with what was changed recorded.

        A plan holds `SAME`, "data_folder", "trials", "margin" and "backend", as JSON has them.

        Raises:
            InputError: the folder holds something else, or another search.
        """
        known = self.read() if self.record.is_file() else None
        if known is None and self.folder.exists() and (not self.folder.is_dir() or any(self.folder.iterdir())):
            raise InputError(f"{self.folder} is not an empty folder; give another --out, nothing is overwritten")
        other = [name for name in SAME if known is not None and known.get(name) != plan[name]]
        if other:
            raise InputError(
                f"{self.folder} holds a search with another {' and '.join(other)}; resume it (--resume "
                f"{self.folder}), or give another --out"
            )
        self.oracle.mkdir(parents=True, exist_ok=True)
        self.trials.mkdir(exist_ok=True)
        if known != plan:
            write_json(self.record, plan)
        return plan

    def read(self):
        """The plan that `begin` recorded; InputError where there is none."""
        plan = read_json(self.record)
        if not isinstance(plan, dict) or any(name not in plan for name in (*SAME, "data_folder", "trials", "margin")):
            raise InputError(f"{self.folder} holds no search; --resume takes the folder of one, with search.json in it")
        return plan

    def describe(self, settings):
        """What a trial's run folder records of its settings."""
        plan = self.read()
        return settings.to_dict() | {name: plan[name] for name in ("data_folder", "data_identity")}


def read_json(path, otherwise=None):
    """What a JSON file of ours holds; `otherwise` where it is not there or cannot be read."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return otherwise


def inner(found, *names):
    """What nested dicts hold under one name after the other; None where one of them is missing."""
    for name in names:
        found = (found or {}).get(name)
    return found


def resume_command(folder):
    """What a user types to resume a search."""
    return f"python tuning/search.py --resume {folder}"
