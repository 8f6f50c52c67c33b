"""Files that are whole or not there at all."""

import contextlib
import json
import logging

from tsdsae_keras.errors import InputError
from tsdsae_keras.files import sha256, write_bytes

log = logging.getLogger(__name__)


def write_atomically(path, content):
    """Replaces a file by bytes; returns their size and SHA-256."""
    write_bytes(path, content)
    return {"bytes": len(content), "sha256": sha256(content)}


def make_folder(path):
    """Makes a folder and those above it; InputError where that fails."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{path} cannot be created ({error.strerror}); name another place") from error


def json_bytes(value):
    """JSON that is the same for the same value, ending in a newline."""
    return (json.dumps(value, indent=1, sort_keys=True) + "\n").encode()


@contextlib.contextmanager
def only_one(path):
    """Hold the lock file while the body runs; a second process waits. The lock dies with its process."""
    try:
        import fcntl
    except ImportError:  # Windows: two runs at once do the same work twice and write the same bytes
        yield
        return
    with path.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            log.info(f"waiting for another process that prepares {path.stem.lstrip('.')}")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield
