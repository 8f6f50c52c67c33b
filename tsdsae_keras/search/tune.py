"""`tsdsae-keras tune`: a search for the smallest model that disentangles and reconstructs."""

import logging
import math
import os
import sys
from datetime import datetime
from pathlib import Path

from tsdsae_keras.backend import load_all
from tsdsae_keras.data.sets import open_data
from tsdsae_keras.errors import InputError
from tsdsae_keras.options import flag
from tsdsae_keras.search import workers
from tsdsae_keras.search.card import search_card
from tsdsae_keras.search.folder import SearchFolder
from tsdsae_keras.search.options import MARGIN, SEARCH_OPTIONS, TRIALS
from tsdsae_keras.search.space import make_space
from tsdsae_keras.settings import with_preset
from tsdsae_keras.training.processes import end_with_parent, is_guarded

log = logging.getLogger(__name__)


def run(options):
    """What the command line asks for: a new search, or one that is resumed."""
    own = {name: options.pop(name) for name in SEARCH_OPTIONS}
    resumed, processes = own.pop("resume"), own.pop("workers")
    if resumed is None:
        given = {name: tuple(value) if isinstance(value, list) else value for name, value in options.items()}
        usual = {"backend": os.environ.get("KERAS_BACKEND") or "tensorflow", "pictures_every": 0}
        folder = plan_of(with_preset(usual | given), **own)
    else:
        _check_only_more(options, own, resumed)
        folder = extend(resumed, own["trials"], own["margin"])
    tune(folder, processes)


def _check_only_more(options, own, resumed):
    defaults = SEARCH_OPTIONS | {"trials": own["trials"], "margin": own["margin"]}
    backend = ("backend", SearchFolder(resumed).read()["backend"])
    other = [each[0] for each in options.items() if each != backend]
    other = [*other, *(name for name, value in own.items() if value != defaults[name])]
    if other:
        raise InputError(
            f"--resume takes the settings of {resumed}; only --trials, --margin and --workers may be added: leave "
            f"out {' '.join(map(flag, other))}"
        )


def tune(folder, processes=1):
    """Runs a search, or the part of it that KerasTuner's variables ask for; returns its `SearchFolder`.

    Progress is logged (see `tsdsae_keras.process`).

    Args:
        folder: `SearchFolder` with a plan, of `plan_of` or `extend`.
        processes: workers to start on this machine; 1 searches in this one.

    Raises:
        InputError: something cannot be used.
        Stopped: on Ctrl-C or SIGTERM.
    """
    end_with_parent()
    backend, role = folder.read()["backend"], workers.role()
    if processes < 1:
        raise InputError(f"--workers is {processes}; it must be 1 or more")
    if role == "alone" and processes > 1:
        log.info(f"search: {folder.folder} ({processes} workers)")
        command = [sys.executable, "-m", "tsdsae_keras.cli", "tune", "--resume", str(folder.folder)]
        workers.supervise(command, processes, folder.folder)
    load_all(backend)
    from tsdsae_keras.search.results import conclude
    from tsdsae_keras.search.search import Search

    search = Search(folder)
    if role == "worker":
        search.work()
    elif role == "chief" or processes == 1:
        log.info(f"search: {folder.folder} ({backend}{', chief' if role == 'chief' else ''})")
        search.run(chief=role == "chief")
    if role != "worker" and not is_guarded():
        conclude(search)
    return folder


def plan_of(settings, out=None, space=None, seeds=1, objective=None, tuner="random", trials=None, margin=None):
    """The folder of a new search, or of the same one started before, with its plan recorded.

    Args:
        settings: `Settings` of all that does not vary.
        out: the folder; None for a new one under searches/.
        space: one of the family's, or a JSON file, see `search.space`; None for the family's first.
        seeds: how many each configuration is trained with.
        objective: the measure that decides, see `search.card`; None for the family's first.
        tuner: "random", "bayesian", "hyperband" or "grid".
        trials: how many at most; None for 20, or all that "grid" and "hyperband" have.
        margin: of the score, within which the smallest model is taken.

    Raises:
        InputError: something cannot be used.
    """
    directions = search_card(settings.card).directions
    objective = objective or next(iter(directions))
    if objective not in directions:
        raise InputError(f"--objective is {objective!r}; it must be {' or '.join(directions)}")
    trials = TRIALS if trials is None and tuner in ("random", "bayesian") else trials
    ranges = make_space(space, settings, seeds).ranges
    _check_numbers(trials, margin)
    data = open_data(settings)
    base = settings if data.folder is None else settings.replace(data=str(data.folder.resolve()))
    plan = {
        "space": ranges,
        "base": base.to_dict(),
        "objective": objective,
        "tuner": tuner,
        "data_identity": data.identity,
        "data_folder": "" if data.folder is None else base.data,
        "trials": trials,
        "margin": MARGIN if margin is None else margin,
        "backend": settings.backend,
    }
    folder = SearchFolder(out or _new_name(space or settings.model, tuner))
    folder.begin(plan)
    return folder


def extend(folder, trials=None, margin=None):
    """A search that was started before, to be resumed; with more trials or another margin if they are given."""
    _check_numbers(trials, margin)
    folder = SearchFolder(folder)
    given = {name: value for name, value in {"trials": trials, "margin": margin}.items() if value is not None}
    folder.begin(folder.read() | given)
    return folder


def _check_numbers(trials, margin):
    if trials is not None and trials < 1:
        raise InputError(f"--trials is {trials}; it must be 1 or more")
    if margin is not None and not (math.isfinite(margin) and margin >= 0):
        raise InputError(f"--margin is {margin}; it must be 0 or more")


def _new_name(space, tuner):
    return Path("searches") / f"{Path(space).stem}-{tuner}-{datetime.now().strftime('%Y%m%d-%H%M%S')}"
