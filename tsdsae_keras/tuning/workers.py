"""Several processes at one search: KerasTuner's chief, which chooses, and its workers, which train.

On one machine `--workers N` starts them. On several, start the same command by hand on each, with KerasTuner's three
variables set and `--out` in a folder that all of them see:

    KERASTUNER_ORACLE_IP=10.0.0.1 KERASTUNER_ORACLE_PORT=8000 KERASTUNER_TUNER_ID=chief   python tuning/search.py ...
    KERASTUNER_ORACLE_IP=10.0.0.1 KERASTUNER_ORACLE_PORT=8000 KERASTUNER_TUNER_ID=worker0 python tuning/search.py ...

The port is open without a password to all who reach it: use it in a network that you trust. A worker that dies keeps
its trial: started anew with its old name, it goes on with it. The chief waits for a worker that never comes back.
"""

import os
import signal
import socket
import subprocess
import threading
import time

from tsdsae_keras.errors import InputError, Stopped
from tsdsae_keras.tuning.folder import resume_command

VARIABLES = ("KERASTUNER_TUNER_ID", "KERASTUNER_ORACLE_IP", "KERASTUNER_ORACLE_PORT")
GUARDED = "TSDSAE_ENDS_WITH_STDIN"
CHIEF = "chief"
RESTARTS = 10  # of one worker
POLL = 0.2  # seconds
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


def guarded():
    """Whether `supervise` started this process; it then does what is to be done at the end."""
    return bool(os.environ.get(GUARDED))


def end_with_parent():
    """Ends this process when the one that started it has ended, where it asked for that: nothing is left behind."""
    if guarded():
        threading.Thread(target=_wait_and_end, daemon=True).start()


def _wait_and_end():
    # Not through `sys.stdin`, whose lock a thread must not hold when the process ends by itself.
    while os.read(0, 1):
        pass
    os._exit(1)


def supervise(command, count, folder, say=print):
    """Runs a chief and `count` workers on this machine until the search is done; a worker that dies is started anew.

    Args:
        command: what starts each, a list.
        count: of workers.
        folder: of the search.
        say: takes lines of progress.

    Raises:
        Stopped: on Ctrl-C or SIGTERM, when all have ended in good order.
        InputError: the chief ended with an error, or a worker too often.
    """
    environment = os.environ | {
        "KERASTUNER_ORACLE_IP": "127.0.0.1",
        "KERASTUNER_ORACLE_PORT": str(_free_port()),
        GUARDED: "1",
    }
    team = _Team(command, environment, [CHIEF, *(f"worker{number}" for number in range(count))])
    with _Forwarding(team) as forwarding:
        team.start()
        try:
            while team.working():
                time.sleep(POLL)
                if not forwarding.asked:
                    team.start_anew(say)  # before the question above, which would miss the last to die
        finally:
            team.end()
    if forwarding.asked:
        raise Stopped(f"stopped; go on with: {resume_command(folder)}", 128 + forwarding.asked)


class _Team:
    """The processes by name."""

    def __init__(self, command, environment, names):
        self.command, self.environment = command, environment
        self.processes, self.starts = dict.fromkeys(names), dict.fromkeys(names, 0)

    def start(self):
        for name in self.processes:
            self._start(name)

    def _start(self, name):
        self.starts[name] += 1
        environment = self.environment | {"KERASTUNER_TUNER_ID": name}
        # In sessions of their own, so that a Ctrl-C reaches them once, through here.
        self.processes[name] = subprocess.Popen(
            self.command, env=environment, stdin=subprocess.PIPE, start_new_session=True
        )

    def working(self):
        """Whether a worker is."""
        return any(process.poll() is None for name, process in self.processes.items() if name != CHIEF)

    def start_anew(self, say):
        """Starts workers anew that died; InputError where the chief has, or one has too often."""
        ended = {name: process.poll() for name, process in self.processes.items()}
        if ended[CHIEF] not in (None, 0):
            raise InputError(f"the search's chief ended with status {ended[CHIEF]}; see what it said above")
        for name, status in ended.items():
            if status in (None, 0):
                continue
            if status == 2 or self.starts[name] > RESTARTS:
                raise InputError(f"{name} ended with status {status}; see what it said above")
            say(f"{name} ended with status {status}: started anew")
            self._start(name)

    def send(self, number):
        """A signal to all that work, to the chief only when no worker is left."""
        for name, process in self.processes.items():
            if name != CHIEF and process.poll() is None:
                process.send_signal(number)

    def end(self):
        """Ends what is left. The chief has saved every trial that ended."""
        for process in self.processes.values():
            deadline = time.monotonic() + (PATIENCE if process is self.processes[CHIEF] else 0)
            while process.poll() is None and time.monotonic() < deadline and not self.working():
                time.sleep(POLL)
            if process.poll() is None:
                process.kill()
            process.stdin.close()
            process.wait()


class _Forwarding:
    """While it is entered, signals to this process go to the team."""

    def __init__(self, team):
        self.team, self.asked = team, None

    def __enter__(self):
        numbers = (signal.SIGINT, signal.SIGTERM) if threading.current_thread() is threading.main_thread() else ()
        self.before = {number: signal.signal(number, self._forward) for number in numbers}
        return self

    def __exit__(self, *_):
        for number, handler in self.before.items():
            signal.signal(number, handler)

    def _forward(self, number, frame):
        self.asked = number
        self.team.send(number)


def _free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]
