"""Writing files so that a reader sees the old one or the new one, never a part."""

import json
import os
import tempfile
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def replacing(path):
    """Yields a path beside `path` to write to; at the end it is flushed to disk and takes the place of `path`."""
    path = Path(path)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.stem}-", suffix=path.suffix)
    os.close(handle)
    try:
        yield Path(name)
        with open(name, "rb") as written:
            os.fsync(written.fileno())
        os.chmod(name, 0o644)
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def write_text(path, text):
    """Replaces a text file."""
    with replacing(path) as beside:
        beside.write_text(text, encoding="utf-8")


def write_json(path, value):
    """Replaces a JSON file."""
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False) + "\n")
