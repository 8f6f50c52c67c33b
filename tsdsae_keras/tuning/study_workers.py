"""Several processes at one study. Each takes the next run that nobody holds, so they need not know of each other:
further ones may be started by hand, on other machines too, where all see the folder and its locks."""

import os
import signal
import subprocess
import threading
import time

from tsdsae_keras.errors import InputError, Stopped
from tsdsae_keras.tuning.workers import GUARDED, POLL, RESTARTS

REFUSED = 2  # the status of what cannot be used, as for any command


def supervise(command, count, how_to_go_on, say=print):
    """Runs `count` processes until each finds nothing left to take; one that dies is started anew.

    Args:
        command: what starts each, a list.
        count: of processes.
        how_to_go_on: the command, for the line with which a study that is stopped ends.
        say: takes lines of progress.

    Raises:
        InputError: a process was refused, or died too often.
        Stopped: on Ctrl-C or SIGTERM, when all have ended in good order.
    """
    team = _Team(command, count)
    with _Forwarding(team) as forwarding:
        try:
            team.start()
            while team.working():
                time.sleep(POLL)
                if not forwarding.asked:
                    team.start_anew(say)  # before the question above, which would miss the last to die
        finally:
            team.end()
    if forwarding.asked:
        raise Stopped(f"stopped; go on with: {how_to_go_on}", 128 + forwarding.asked)


class _Team:
    """The processes, by number."""

    def __init__(self, command, count):
        self.command, self.processes, self.deaths = command, dict.fromkeys(range(count)), 0

    def start(self):
        for number in self.processes:
            self._start(number)

    def _start(self, number):
        # In sessions of their own, so that a Ctrl-C reaches them once, through here.
        self.processes[number] = subprocess.Popen(
            self.command, env=os.environ | {GUARDED: "1"}, stdin=subprocess.PIPE, start_new_session=True
        )

    def working(self):
        """Whether a process is."""
        return any(process.poll() is None for process in self.processes.values())

    def start_anew(self, say):
        """Starts those anew that died."""
        for number, process in self.processes.items():
            status = process.poll()
            if status in (None, 0):
                continue
            self.deaths += 1
            if status == REFUSED or self.deaths > RESTARTS:
                raise InputError(f"worker {number} ended with status {status}; see what it said above")
            say(f"worker {number} ended with status {status}: started anew")
            process.stdin.close()
            self._start(number)

    def send(self, signal_number):
        """A signal to all that are at work."""
        for process in self.processes.values():
            if process is not None and process.poll() is None:
                process.send_signal(signal_number)

    def end(self):
        """Ends what is left."""
        for process in filter(None, self.processes.values()):
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
