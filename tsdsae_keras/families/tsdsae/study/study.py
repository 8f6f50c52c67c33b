"""`python tuning/study.py`: the paper's study, models x z_dim x seeds x optimizer, and its figures."""

import logging
import os
import shlex
import sys

from tsdsae_keras.backend import load_all
from tsdsae_keras.data.sets import open_data
from tsdsae_keras.errors import InputError
from tsdsae_keras.families.tsdsae.study.grid import StudyFolder, grid
from tsdsae_keras.families.tsdsae.study.options import AXES
from tsdsae_keras.search import workers
from tsdsae_keras.settings import with_preset

log = logging.getLogger(__name__)

ALONE = ("--workers", "1")  # added to the command line of each process
OWN = ("reach", "pairs", "workers", "out", "figures", *AXES)


def run(options, arguments=()):
    """What the command line asks for.

    Args:
        options: of `study.options` and of a run.
        arguments: the command line, for processes and for the line that says how to resume.

    Raises:
        InputError: something cannot be used.
        Stopped: on Ctrl-C or SIGTERM.
    """
    own = {name: options.pop(name) for name in OWN}
    folder = StudyFolder(own["out"])
    if own["figures"]:
        return _draw(folder)
    workers.end_with_parent()
    for name in ("pairs", "workers"):
        if own[name] < 1:
            raise InputError(f"--{name} is {own[name]}; it must be 1 or more")
    base, data = _base(options, own["reach"])
    runs = grid(base, own)
    folder.begin(data, own["pairs"])
    folder.check(runs)
    typed = arguments[: -len(ALONE)] if workers.is_guarded() else arguments
    how = f"python tuning/study.py {shlex.join(typed)}"
    if own["workers"] > 1:
        from tsdsae_keras.families.tsdsae.study.workers import supervise

        supervise([sys.executable, "-m", "tsdsae_keras.cli", "study", *arguments, *ALONE], own["workers"], how)
    else:
        load_all(base.backend)
        from tsdsae_keras.families.tsdsae.study.work import work

        work(folder, runs, data, own["pairs"], how)
    if not workers.is_guarded():
        _log_state(folder, runs, how)


def _base(options, reach):
    """The settings of all runs, and the data, prepared where they are not."""
    if reach is not None and not 0 < reach < float("inf"):
        raise InputError(f"--reach is {reach}; it must be above 0")
    given = {name: tuple(value) if isinstance(value, list) else value for name, value in options.items()}
    usual = {"backend": os.environ.get("KERAS_BACKEND") or "tensorflow", "pictures_every": 0}
    settings = with_preset(usual | given | {"stop_at_recon": reach})
    data = open_data(settings)
    return settings.replace(data=str(data.folder.resolve())), data


def _log_state(folder, runs, how):
    from tsdsae_keras.search.folder import read_json

    found = [read_json(folder.result(name)) for name in runs]
    done = [each for each in found if each]
    log.info(f"\n{len(done)} of {len(runs)} runs have a result in {folder.results}")
    for each in done:
        if "failure" in each:
            log.info(f"  {each['name']} failed: {each['failure']}")
            log.info(f"  (to try it again, remove {folder.result(each['name'])} and {folder.run(each['name']).folder})")
    if len(done) < len(runs):
        log.info(f"other processes are working on the rest, or were stopped; resume with: {how}")
    log.info(f"figures and table: python tuning/study.py --figures --out {folder.folder}")


def _draw(folder):
    from tsdsae_keras.families.tsdsae.study.results import draw

    for path in draw(folder):
        log.info(f"  {path}")
