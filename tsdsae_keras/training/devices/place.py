"""What `--devices` and `--hosts` ask for, and where in it a process is. Light: no backend is loaded."""

import contextlib
import os
import socket
from dataclasses import dataclass

from tsdsae_keras.errors import InputError, quote

ALL = "all"
MOST = 1 << 16
PORT = 29400
# What torchrun sets for each of its processes; so does `launch`, for JAX too.
RANK, PROCESSES, LOCAL_RANK, ADDRESS, PORT_NAME = "RANK", "WORLD_SIZE", "LOCAL_RANK", "MASTER_ADDR", "MASTER_PORT"
# Why TensorFlow takes no part in what several machines train, and what to do.
ONE_MACHINE = (
    "its multi-worker strategy fails in every version of Keras 3 so far (3.15); take --backend jax or torch, or "
    "--devices on one machine"
)
VARIABLES = (RANK, PROCESSES, LOCAL_RANK, ADDRESS, PORT_NAME)
HOST_INDEX = ("TSDSAE_HOST", "SLURM_NODEID")  # which of --hosts this machine is, where its name does not say


@dataclass(frozen=True)
class Asked:
    """What the command line asks for.

    Attributes:
        devices: how many on each host, or "all".
        hosts: their names, the same list on each; the first may end in ":PORT". Empty for this machine alone.
    """

    devices: int | str
    hosts: tuple = ()

    @property
    def address(self):
        """The name of the first host, and the port at which its processes meet the others."""
        name, _, port = self.hosts[0].partition(":")
        return name, int(port or PORT)

    @property
    def options(self):
        """These options as one types them."""
        return f"--devices {self.devices}" + (f" --hosts {' '.join(self.hosts)}" if self.hosts else "")

    def here(self):
        """Positions of the hosts that are this machine: one, or several of the same name, to try things out.

        Raises:
            InputError: none is.
        """
        number = next((os.environ[name] for name in HOST_INDEX if os.environ.get(name)), None)
        if number is not None:
            if not number.isdigit() or int(number) >= len(self.hosts):
                raise InputError(f"this machine is number {quote(number)} of --hosts, which names {len(self.hosts)}")
            return [int(number)]
        found = [place for place, host in enumerate(self.hosts) if is_here(host.partition(":")[0])]
        if not found:
            names = ", ".join(self.hosts)
            raise InputError(
                f"--hosts names {names}, none of which is this machine; set TSDSAE_HOST to its number, from 0"
            )
        return found


def parse(devices, hosts):
    """`Asked`, or None where no devices were named.

    Raises:
        InputError: an invalid number, name or port.
    """
    if devices is None:
        if hosts:
            raise InputError("--hosts needs --devices, how many of each host; add --devices all")
        return None
    if devices != ALL and not (devices.isdigit() and 0 < int(devices) <= MOST):
        raise InputError(f"--devices is {quote(devices)}; it must be a number of at least 1, or all")
    hosts = tuple(hosts or ())
    for place, host in enumerate(hosts):
        name, colon, port = host.partition(":")
        fits = name and (not colon or (place == 0 and port.isdigit() and 0 < int(port) < 1 << 16))
        if not fits:
            raise InputError(f"--hosts has {quote(host)}; give names, the first with a port, such as node1:29400 node2")
    return Asked(devices if devices == ALL else int(devices), hosts)


def cores():
    """Cores of the processor that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def is_here(host):
    """Whether a host is this machine: whether its address can be listened at."""
    with contextlib.suppress(OSError), socket.socket() as tried:
        tried.bind((socket.gethostbyname(host), 0))
        return True
    return False


@dataclass(frozen=True)
class Place:
    """A process among those that train one model.

    Attributes:
        rank: its number, from 0.
        processes: how many there are.
        local_rank: its number among those of its machine.
        address: "host:port" where they meet.
    """

    rank: int = 0
    processes: int = 1
    local_rank: int = 0
    address: str | None = None

    @classmethod
    def of_environment(cls):
        """That of a process started by torchrun or by `launch`; alone where it was started otherwise."""
        found = {name: os.environ.get(name) for name in VARIABLES}
        if not all(found.values()):
            return cls()
        numbers = [found[name] for name in (RANK, PROCESSES, LOCAL_RANK)]
        if not all(number.isdigit() for number in numbers):
            raise InputError(f"{RANK}, {PROCESSES} and {LOCAL_RANK} are {numbers}; they must be numbers from 0")
        return cls(*map(int, numbers), f"{found[ADDRESS]}:{found[PORT_NAME]}")
