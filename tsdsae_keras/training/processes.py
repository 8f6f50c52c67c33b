"""Processes that work at one thing on this machine: started together, started again where they die, ended together."""

import collections
import contextlib
import logging
import os
import signal
import socket
import subprocess
import threading
import time

from tsdsae_keras.errors import InputError

log = logging.getLogger(__name__)

GUARDED = "TSDSAE_ENDS_WITH_STDIN"  # set for processes that end with the one that started them
RESTARTS = 10
POLL = 0.2  # seconds
REFUSED = 2  # the status of what cannot be used, as for any command


def is_guarded():
    """Whether a `Team` started this process."""
    return bool(os.environ.get(GUARDED))


def end_with_parent():
    """Ends this process when the one that started it has ended, where it asked for that: nothing is left behind."""
    if is_guarded():
        threading.Thread(target=_wait_and_end, daemon=True).start()


def _wait_and_end():
    # Not through `sys.stdin`, whose lock a thread must not hold when the process ends by itself.
    while os.read(0, 1):
        pass
    os._exit(1)


class Team:
    """Processes by name, started by one command, each in a session of its own: a Ctrl-C reaches them once,
    through here.
    """

    def __init__(self, command, names):
        self.command, self.processes, self.deaths = command, dict.fromkeys(names), collections.Counter()

    def run(self):
        """Keeps the team at work until all have ended; returns the number of the signal that asked it to stop, or None.

        Raises:
            InputError: a process was refused, or died too often.
        """
        with self._forward_signals() as asked:
            try:
                for name in self.processes:
                    self._start(name)
                while self.is_working():
                    time.sleep(POLL)
                    if not asked:
                        self.restart_dead()  # before the question above, which would miss the last to die
            finally:
                self.end()
        return asked[-1] if asked else None

    @contextlib.contextmanager
    def _forward_signals(self):
        """While it is entered, signals to this process go to the team; yields a list of them."""
        asked = []

        def forward(number, frame):
            asked.append(number)
            self.send(number)

        numbers = (signal.SIGINT, signal.SIGTERM) if threading.current_thread() is threading.main_thread() else ()
        before = {number: signal.signal(number, forward) for number in numbers}
        try:
            yield asked
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def environment(self, name):
        """What a process finds set."""
        return os.environ | {GUARDED: "1"}

    def _start(self, name):
        self.processes[name] = subprocess.Popen(
            self.command, env=self.environment(name), stdin=subprocess.PIPE, start_new_session=True
        )

    def is_working(self):
        """Whether a process is."""
        return any(process.poll() is None for process in self.processes.values())

    def restart_dead(self):
        """Restarts those that died."""
        for name, process in self.processes.items():
            status = process.poll()
            if status in (None, 0):
                continue
            self.deaths[name] += 1
            if status == REFUSED or self.gives_up(name):
                raise InputError(f"{name} ended with status {status}; see what it said above")
            log.warning(f"{name} ended with status {status}: started again")
            process.stdin.close()
            self._start(name)

    def gives_up(self, name):
        """Whether a process that died is not started again."""
        return self.deaths[name] > RESTARTS

    def send(self, number):
        """A signal to all that are at work."""
        for process in filter(None, self.processes.values()):
            if process.poll() is None:
                process.send_signal(number)

    def end(self):
        """Ends what is left."""
        for process in filter(None, self.processes.values()):
            if process.poll() is None:
                process.kill()
            process.stdin.close()
            process.wait()


def free_port():
    """A port of this machine that nothing listens at."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]
