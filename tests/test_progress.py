import io
import sys

import pytest

from tsdsae_keras.progress import Progress

pytestmark = pytest.mark.no_backend


@pytest.mark.parametrize("terminal", (True, False))
def test_progress_is_shown_on_a_terminal_only(monkeypatch, terminal):
    shown = io.StringIO()
    shown.isatty = lambda: terminal
    monkeypatch.setattr(sys, "stderr", shown)
    progress = Progress(12_000, "bytes")
    progress.add(4000)
    progress.add(8000)
    assert ("12,000/12,000 bytes" in shown.getvalue() and shown.getvalue().endswith("\n")) == terminal
    assert terminal or not shown.getvalue()


def test_what_was_found_on_disk_leaves_the_rate_alone():
    progress = Progress(100)
    progress.add(90, made=False)
    assert progress.line() == "90/100 clips, 0 a second, time left unknown"
