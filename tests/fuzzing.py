"""What untrusted files are tried with: damaged bytes, changed JSON, and what a reader may answer."""

import contextlib
import copy
import time
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from tsdsae_keras.errors import InputError

NUMBERS = (0, -1, 1, 2**31, 2**53, 2**63, 10**18, 10**40, 0.5, -0.0, float("nan"), float("inf"), 1e308)
TEXTS = ("../x", "/etc/passwd", "a\\b", "a\nb", "\x1b[2J", "\0", "\u202e", "x" * 5000, "C:", "", "1", "nan")
LEAVES = st.sampled_from((None, True, False, *NUMBERS, *TEXTS))
VALUES = st.one_of(LEAVES, st.lists(LEAVES, max_size=3), st.dictionaries(st.sampled_from(TEXTS), LEAVES, max_size=3))
WORDS = (b"\xff" * 4, b"\xff" * 8, b"\0" * 4, b"\x7f" + b"\xff" * 7, b"\0\0\0\x80", b"(", b"R", b"\x80\x04", b"PK\1\2")

fuzz = settings(
    max_examples=30, derandomize=True, deadline=None, database=None, suppress_health_check=list(HealthCheck)
)


def answer(read, most=700, seconds=20.0):
    """Calls a reader and returns its refusal, or None; anything but one plain line of InputError is a failure."""
    start = time.perf_counter()
    try:
        read()
        return None
    except InputError as error:
        text = str(error)
        assert text.isprintable() and 0 < len(text) < most, repr(text)
        return text
    finally:
        taken = time.perf_counter() - start
        assert taken < seconds, f"{taken:.1f} s"


@st.composite
def change(draw, document):
    """A document of JSON with one to three of its values replaced or removed, or with another added."""
    document = copy.deepcopy(document)
    for _ in range(draw(st.integers(1, 3))):
        inner = draw(st.sampled_from([each for each in _containers(document) if each] or [{"a": 1}]))
        key = draw(st.sampled_from(list(inner) if isinstance(inner, dict) else range(len(inner))))
        action = draw(st.sampled_from(("replace", "replace", "remove", "add")))
        if action == "remove":
            del inner[key]
        else:
            inner["more" if action == "add" and isinstance(inner, dict) else key] = draw(VALUES)
    return document


def _containers(value):
    if isinstance(value, dict | list):
        yield value
        for each in value.values() if isinstance(value, dict) else value:
            yield from _containers(each)


@st.composite
def damage(draw, content):
    """Bytes cut, flipped, overwritten or spliced in one to four places."""
    content = bytearray(content)
    for _ in range(draw(st.integers(1, 4))):
        place, other = (draw(st.integers(0, max(len(content) - 1, 0))) for _ in range(2))
        action = draw(st.sampled_from(("flip", "word", "cut", "splice")))
        if action == "flip":
            content[place : place + 1] = bytes(
                each ^ 1 << draw(st.integers(0, 7)) for each in content[place : place + 1]
            )
        elif action == "word":
            word = draw(st.sampled_from(WORDS))
            content[place : place + len(word)] = word
        elif action == "cut":
            del content[place : place + draw(st.sampled_from((1, 8, 100, 1 << 30)))]
        else:
            content[place:place] = content[other : other + draw(st.sampled_from((1, 16, 200)))]
    return bytes(content)


@contextlib.contextmanager
def little_memory(most=1 << 26):
    """The body must not take more memory than `most` bytes beyond what the process holds; on Linux this is measured."""
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")
    before = _status("VmRSS")
    yield
    grown = _status("VmHWM") - before
    assert grown < most, f"{grown / 2**20:.0f} MiB"


def _status(name):
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:
        return 0
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{name}:"))
