"""The runs of a study, one after the other: each process takes the next that has no result and is not locked."""

import logging

from tsdsae_keras.errors import Stopped
from tsdsae_keras.families.tsdsae.batches import check_splits
from tsdsae_keras.families.tsdsae.study.run import make_run, summary_line
from tsdsae_keras.training.interrupt import StopOnSignal

log = logging.getLogger(__name__)


def work(folder, runs, data, pairs, how_to_go_on):
    """Makes all runs, {name: Settings}, that are free; one that others hold is left to them.

    `how_to_go_on` is the command that resumes the study, for the line with which it stops.

    Raises:
        InputError: the data do not do for any run, or the disk is full.
        Stopped: on Ctrl-C or SIGTERM.
    """
    for settings in list(runs.values())[:1]:
        check_splits(data, settings.batch_size)
    with StopOnSignal() as stop:
        try:
            for number, (name, settings) in enumerate(runs.items(), start=1):
                with folder.claim(name) as own:
                    if own and not folder.result(name).is_file():
                        log.info(f"\nrun {number} of {len(runs)}: {name}")
                        log.info(summary_line(make_run(folder, name, settings, data, pairs)))
        except (KeyboardInterrupt, Stopped) as stopped:
            status = getattr(stopped, "status", 128 + (stop.asked or 2))
            raise Stopped(f"stopped; resume with: {how_to_go_on}", status) from None
