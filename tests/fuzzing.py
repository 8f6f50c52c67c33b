"""What files from strangers are tried with: damaged bytes, foreign values, and what a reader may answer.

TSDSAE_FUZZ_EXAMPLES sets how many examples each test takes (default 30) and has the number of cases printed at the
end; `pytest -n 0 -s` shows it.
"""

import atexit
import collections
import contextlib
import copy
import os
import time
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from tsdsae_keras.errors import InputError

EXAMPLES = int(os.environ.get("TSDSAE_FUZZ_EXAMPLES", "30"))
COUNTS = collections.Counter()
NUMBERS = st.sampled_from((0, -1, 1, 2**31, 2**53, 2**63, 10**18, 10**40, 0.5, -0.0, float("nan"), float("inf"), 1e308))
TEXTS = st.one_of(
    st.text(max_size=12),
    st.sampled_from(
        ("../x", "/etc/passwd", "a\\b", "a\nb", "\x1b[2J", "\0", "\u202e", "x" * 5000, "C:", "", "1", "nan")
    ),
)
LEAVES = st.one_of(st.none(), st.booleans(), st.integers(), NUMBERS, TEXTS)
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(TEXTS, inner, max_size=3)),
    max_leaves=6,
)
WORDS = (
    b"\xff" * 4,
    b"\xff" * 8,
    b"\0" * 4,
    b"\x7f" + b"\xff" * 7,
    b"\0\0\0\x80",
    b"(",
    b"R",
    b"\x80\x04",
    b"PK\x01\x02",
)


def fuzz(share=1.0):
    """Settings of a test that takes a share of the usual number of examples."""
    unhealthy = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example]
    examples = max(2, round(EXAMPLES * share))
    return settings(
        max_examples=examples, derandomize=True, deadline=None, database=None, suppress_health_check=unhealthy
    )


def answer(read, most=500, seconds=20.0):
    """Calls a reader and returns its refusal, or None; anything but one plain line of InputError is a failure."""
    start = time.perf_counter()
    try:
        read()
        COUNTS["read"] += 1
        return None
    except InputError as error:
        text = str(error)
        COUNTS["refused"] += 1
        assert text.isprintable() and 0 < len(text) < most, repr(text)
        return text
    finally:
        taken = time.perf_counter() - start
        assert taken < seconds, f"{taken:.1f} s"


@st.composite
def changed(draw, document):
    """A document of JSON with one to three of its values replaced, removed or joined by another."""
    document = copy.deepcopy(document)
    for _ in range(draw(st.integers(1, 3))):
        inner = draw(st.sampled_from(list(_containers(document))))
        keys = list(inner) if isinstance(inner, dict) else list(range(len(inner)))
        key = draw(st.sampled_from(keys)) if keys else None
        action = draw(st.sampled_from(("replace", "replace", "remove", "add")))
        if action == "add" and isinstance(inner, dict):
            inner[draw(TEXTS)] = draw(VALUES)
        elif key is not None and action == "remove":
            del inner[key]
        elif key is not None:
            inner[key] = draw(VALUES)
    return document


def _containers(value):
    if isinstance(value, dict | list):
        yield value
        for each in value.values() if isinstance(value, dict) else value:
            yield from _containers(each)


@st.composite
def damaged(draw, content):
    """Bytes cut, flipped, overwritten or spliced in one to four places."""
    content = bytearray(content)
    for _ in range(draw(st.integers(1, 4))):
        place = draw(st.integers(0, max(len(content) - 1, 0)))
        action = draw(st.sampled_from(("flip", "flip", "word", "word", "cut", "splice", "noise")))
        if action == "flip" and content:
            content[place] ^= 1 << draw(st.integers(0, 7))
        elif action == "word":
            word = draw(st.sampled_from(WORDS))
            content[place : place + len(word)] = word
        elif action == "cut":
            del content[place : place + draw(st.sampled_from((1, 8, 100, 1 << 30)))]
        elif action == "splice":
            other = draw(st.integers(0, max(len(content) - 1, 0)))
            content[place:place] = content[other : other + draw(st.sampled_from((1, 16, 200)))]
        else:
            content[place:place] = draw(st.binary(min_size=1, max_size=16))
    return bytes(content)


@contextlib.contextmanager
def little_memory(most=1 << 30):
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


if "TSDSAE_FUZZ_EXAMPLES" in os.environ:
    atexit.register(lambda: print(f"\ncases: {COUNTS.total()} ({COUNTS['read']} read, {COUNTS['refused']} refused)"))
