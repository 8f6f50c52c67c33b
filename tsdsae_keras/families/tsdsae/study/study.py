"""`python tuning/study.py`: the paper's study, models x z_dim x seeds x optimizer, and its figures."""

import logging
import os
import shlex
import sys
from dataclasses import fields

from tsdsae_keras.backend import load_all
from tsdsae_keras.data.sets import open_data
from tsdsae_keras.errors import Stopped
from tsdsae_keras.families.tsdsae.study.grid import StudyFolder, grid
from tsdsae_keras.families.tsdsae.study.options import StudyOptions
from tsdsae_keras.search.folder import read_json
from tsdsae_keras.settings import with_preset
from tsdsae_keras.training.processes import RESTARTS, Team, end_with_parent, is_guarded

log = logging.getLogger(__name__)

ALONE = ("--workers", "1")  # added to the command line of each process


def run(options, arguments=()):
    """What the command line asks for, by its options; `arguments` is that line, for processes and to resume.

    Raises:
        InputError: something cannot be used.
        Stopped: on Ctrl-C or SIGTERM.
    """
    names = [each.name for each in fields(StudyOptions) if each.name in options]
    given = {name: tuple(value) if isinstance(value, list) else value for name, value in options.items()}
    own = StudyOptions(**{name: given.pop(name) for name in names})
    folder = StudyFolder(own.out)
    if own.figures:
        return _draw(folder)
    end_with_parent()
    usual = {"backend": os.environ.get("KERAS_BACKEND") or "tensorflow", "pictures_every": 0}
    base = with_preset(usual | given | {"stop_at_recon": own.reach})
    data = open_data(base)
    base = base.replace(data=str(data.folder.resolve()))
    runs = grid(base, own)
    folder.begin(data, own.pairs)
    folder.check(runs)
    typed = arguments[: -len(ALONE)] if is_guarded() else arguments
    how = f"python tuning/study.py {shlex.join(typed)}"
    if own.workers > 1:
        supervise([sys.executable, "-m", "tsdsae_keras.cli", "study", *arguments, *ALONE], own.workers, how)
    else:
        load_all(base.backend)
        from tsdsae_keras.families.tsdsae.study.work import work

        work(folder, runs, data, own.pairs, how)
    if not is_guarded():
        _log_state(folder, runs, how)


class _Workers(Team):
    """Each takes the next run that is not locked, so they need not know of each other: further ones may be started by
    hand, on other machines too, where all see the folder and its locks."""

    def gives_up(self, name):
        return self.deaths.total() > RESTARTS  # whoever takes the run that kills them


def supervise(command, count, how_to_go_on):
    """Runs `count` processes until each finds nothing left to take; one that dies is started again."""
    asked = _Workers(command, [f"worker {number}" for number in range(count)]).run()
    if asked:
        raise Stopped(f"stopped; resume with: {how_to_go_on}", 128 + asked)


def _log_state(folder, runs, how):
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
