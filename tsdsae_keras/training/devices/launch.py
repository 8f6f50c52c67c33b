"""Starting the processes that train one model, on this machine's share of it, and ending all when one dies."""

import importlib.util
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tsdsae_keras.errors import InputError, Stopped
from tsdsae_keras.training.devices.place import (
    ADDRESS,
    ALL,
    LOCAL_RANK,
    ONE_MACHINE,
    PORT_NAME,
    PROCESSES,
    RANK,
    Place,
    cores,
)
from tsdsae_keras.training.processes import REFUSED, Team, free_port
from tsdsae_keras.training.run import resume_command

GRACE = 2.0  # seconds in which the others of a dead process die of its absence
ENDS = (130, 143)  # statuses of a process that was told to stop and did


def must_launch(backend, asked):
    """Whether this process is to start those that train, instead of training."""
    if asked is None or Place.of_environment().processes > 1:
        return False
    if backend == "tensorflow":
        if asked.hosts:
            raise InputError(f"--hosts does not work with TensorFlow: {ONE_MACHINE}")
        return False
    return len(asked.hosts) > 1 or (backend == "torch" and count_devices(asked) > 1)


def count_devices(asked):
    """Devices of this machine that PyTorch is to use: its GPUs, or as many processes as there are cores."""
    if asked.devices != ALL:
        return asked.devices
    if importlib.util.find_spec("torch") is None:
        return 1  # refused where the backend is chosen
    import torch

    return torch.cuda.device_count() or cores()


def launch(backend, asked, run, arguments=()):
    """Starts the command of this process again for each rank of this machine, and waits for them.

    Args:
        backend: "jax", of which a process sees all devices of its host, or "torch", with a process a device.
        asked: `place.Asked`.
        run: the run folder.
        arguments: to add to the command.

    Raises:
        InputError: a rank died or was refused; all others have been ended.
        Stopped: on Ctrl-C or SIGTERM.
    """
    each = count_devices(asked) if backend == "torch" else 1
    hosts = asked.here() if asked.hosts else [0]
    places = [
        Place(host * each + local, each * max(1, len(asked.hosts)), local) for host in hosts for local in range(each)
    ]
    if len(hosts) > 1:  # several names of this machine: no two may take the same device
        places = [Place(place.rank, place.processes, number) for number, place in enumerate(places)]
    address = asked.address if asked.hosts else ("127.0.0.1", free_port())
    again = resume_command(run, asked.options)
    with tempfile.TemporaryDirectory(prefix="ranks-") as folder:
        team = Ranks([*sys.orig_argv, *arguments], places, address, Path(folder), again)
        asked_to_stop = team.run()
        if asked_to_stop:
            line = team.last_line(places[0].rank)
            raise Stopped(line or f"stopped; resume with: {again}", 128 + asked_to_stop)


class Ranks(Team):
    """Processes that compute one step together, so that none can continue alone."""

    def __init__(self, command, places, address, folder, again):
        super().__init__(command, [place.rank for place in places])
        self.places = {place.rank: place for place in places}
        self.address, self.folder, self.again = address, folder, again

    def environment(self, name):
        place, (host, port) = self.places[name], self.address
        found = {RANK: place.rank, PROCESSES: place.processes, LOCAL_RANK: place.local_rank}
        found |= {ADDRESS: host, PORT_NAME: port, "LOCAL_WORLD_SIZE": len(self.places)}
        share = max(1, cores() // len(self.places))
        threads = {"OMP_NUM_THREADS": str(share)} if "OMP_NUM_THREADS" not in os.environ else {}
        return super().environment(name) | threads | {key: str(value) for key, value in found.items()}

    def _start(self, name):
        # What a rank says as it ends is kept: of several that die together, one tells why.
        with self._errors(name).open("wb") as errors:
            self.processes[name] = subprocess.Popen(
                self.command,
                env=self.environment(name),
                stdin=subprocess.PIPE,
                stdout=None if name == min(self.places) else subprocess.DEVNULL,
                stderr=errors,
                start_new_session=True,
            )

    def _errors(self, name):
        return self.folder / f"{name}.txt"

    def last_line(self, name):
        """The last line that a rank wrote about how it ended."""
        lines = self._errors(name).read_text(encoding="utf-8", errors="replace").strip().splitlines()
        return lines[-1].removeprefix("error: ") if lines else ""

    def restart_dead(self):
        """Ends all where one has died, with a line that names the first."""
        if not self._dead():
            return
        time.sleep(GRACE)
        dead = self._dead()
        name = min(dead, key=lambda rank: _order(dead[rank]))
        if dead[name] in ENDS:
            raise Stopped(self.last_line(name), dead[name])
        if dead[name] == REFUSED:  # it says itself what is wrong and how to help
            raise InputError(self.last_line(name))
        killed = dead[name] < 0
        how = f"was killed by {signal.Signals(-dead[name]).name}" if killed else f"failed: {self.last_line(name)}"
        whole = self.places[name].processes
        raise InputError(f"rank {name} of {whole} {how}; all were ended; resume with: {self.again}")

    def _dead(self):
        """{rank: status} of those that ended otherwise than well."""
        statuses = {name: process.poll() for name, process in self.processes.items() if process is not None}
        return {name: status for name, status in statuses.items() if status not in (None, 0)}


def _order(status):
    """Who died first, of ranks that died together: one that was killed; one that was refused; the others, whose
    exchange then failed. JAX aborts those that miss another."""
    if status < 0:
        return 3 if status == -signal.SIGABRT else 0
    return 1 if status == REFUSED else 2
