"""Several processes at one search: KerasTuner's chief, which chooses, and its workers, which train.

On one machine `--workers N` starts them. On several, start the same command by hand on each, with KerasTuner's three
variables set and `--out` in a folder that all of them see:

    KERASTUNER_ORACLE_IP=10.0.0.1 KERASTUNER_ORACLE_PORT=8000 KERASTUNER_TUNER_ID=chief   python tuning/search.py ...
    KERASTUNER_ORACLE_IP=10.0.0.1 KERASTUNER_ORACLE_PORT=8000 KERASTUNER_TUNER_ID=worker0 python tuning/search.py ...

The port is open without a password to all who reach it: use it in a network that you trust. A worker that dies keeps
its trial: restarted under its old name, it continues it. The chief waits for a worker that never comes back.
"""

import os
import time

from tsdsae_keras.errors import InputError, Stopped
from tsdsae_keras.search.folder import resume_command
from tsdsae_keras.training.processes import POLL, Team, free_port

VARIABLES = ("KERASTUNER_TUNER_ID", "KERASTUNER_ORACLE_IP", "KERASTUNER_ORACLE_PORT")
CHIEF = "chief"
PATIENCE = 10  # seconds for the chief to end by itself


def role():
    """ "alone", "chief" or "worker", from KerasTuner's variables.

    Raises:
        InputError: some of the three are set and some are not.
    """
    found = [name for name in VARIABLES if os.environ.get(name)]
    if not found:
        return "alone"
    missing = [name for name in VARIABLES if name not in found]
    if missing:
        raise InputError(f"{' and '.join(found)} set without {' and '.join(missing)}; set all three, or none")
    return "chief" if CHIEF in os.environ["KERASTUNER_TUNER_ID"] else "worker"


def supervise(command, count, folder):
    """Runs a chief and `count` workers on this machine until the search is done; a worker that dies is restarted.

    Raises:
        Stopped: on Ctrl-C or SIGTERM, when all have ended in good order.
        InputError: the chief ended with an error, or a worker too often.
    """
    asked = _ChiefAndWorkers(command, [CHIEF, *(f"worker{number}" for number in range(count))]).run()
    if asked:
        raise Stopped(f"stopped; resume with: {resume_command(folder)}", 128 + asked)


class _ChiefAndWorkers(Team):
    """A team whose chief ends when no worker is left."""

    def __init__(self, command, names):
        super().__init__(command, names)
        self.port = free_port()

    def environment(self, name):
        return super().environment(name) | dict(zip(VARIABLES, (name, "127.0.0.1", str(self.port)), strict=True))

    def is_working(self):
        return any(process.poll() is None for process in self._workers())

    def _workers(self):
        return [process for name, process in self.processes.items() if name != CHIEF and process is not None]

    def gives_up(self, name):
        return name == CHIEF or super().gives_up(name)

    def send(self, number):
        """A signal to the workers; the chief ends by itself when none is left."""
        for process in self._workers():
            if process.poll() is None:
                process.send_signal(number)

    def end(self):
        """Ends what is left. The chief has saved every trial that ended."""
        chief, deadline = self.processes[CHIEF], time.monotonic() + PATIENCE
        while chief and chief.poll() is None and time.monotonic() < deadline and not self.is_working():
            time.sleep(POLL)
        super().end()
