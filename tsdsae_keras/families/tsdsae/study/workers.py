"""Several processes at one study. Each takes the next run that is not locked, so they need not know of each other:
further ones may be started by hand, on other machines too, where all see the folder and its locks."""

from tsdsae_keras.errors import Stopped
from tsdsae_keras.training.processes import RESTARTS, Team


def supervise(command, count, how_to_go_on):
    """Runs `count` processes until each finds nothing left to take; one that dies is started again.

    Raises:
        InputError: a process was refused, or they died too often.
        Stopped: on Ctrl-C or SIGTERM, when all have ended in good order.
    """
    asked = _Workers(command, [f"worker {number}" for number in range(count)]).run()
    if asked:
        raise Stopped(f"stopped; resume with: {how_to_go_on}", 128 + asked)


class _Workers(Team):
    def gives_up(self, name):
        return self.deaths.total() > RESTARTS  # whoever takes the run that kills them
