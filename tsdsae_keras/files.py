"""Writing files so that a reader sees the old one or the new one, never a part."""

import contextlib
import hashlib
import json
import os
import tempfile
from pathlib import Path

TEMPORARY = ".tmp-"


@contextlib.contextmanager
def replacing(path):
    """Yields a path next to `path` to write to; at the end it is flushed to disk and takes the place of `path`."""
    path = Path(path)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f"{TEMPORARY}{path.stem}-", suffix=path.suffix)
    os.close(handle)
    try:
        yield Path(name)
        _flush(name)
        os.chmod(name, 0o644)
        os.replace(name, path)
        _flush(path.parent)  # the new name is on the disk only with its folder
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def write_bytes(path, content):
    """Replaces a file."""
    with replacing(path) as temporary:
        temporary.write_bytes(content)


def write_text(path, text):
    """Replaces a text file."""
    write_bytes(path, text.encode())


def write_json(path, value):
    """Replaces a JSON file."""
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def sha256(content):
    """The SHA-256 of bytes, in hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def sha256_of(path):
    """The SHA-256 of a file's content, in hexadecimal; `path` is a path or a `RemotePath`."""
    with (Path(path) if isinstance(path, str) else path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def remove_temporary(folder):
    """Removes what a process that was killed while it wrote has left in a folder."""
    for path in Path(folder).glob(f"{TEMPORARY}*"):
        path.unlink(missing_ok=True)


def _flush(path):
    with contextlib.suppress(PermissionError):  # Windows opens no folders
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
