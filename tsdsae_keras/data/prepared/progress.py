"""One line on the terminal: how far, how fast, how long still."""

import sys
import time


class Progress:
    """Counts finished items on standard error where that is a terminal, else says nothing.

    Args:
        total: how many items there are.
        unit: what they are called, in the plural.
    """

    def __init__(self, total, unit="clips"):
        self.total, self.unit = total, unit
        self.done = self._made = 0
        self._start = time.monotonic()
        self._shown = sys.stderr.isatty()

    def add(self, count, *, made=True):
        """Count finished items; those not made now (found on disk) leave the rate alone."""
        self.done += count
        self._made += count if made else 0
        if self._shown:
            sys.stderr.write("\r" + self.line().ljust(70) + ("\n" if self.done >= self.total else ""))
            sys.stderr.flush()

    def line(self):
        """The text shown: done, total, items a second, time left."""
        rate = self._made / max(time.monotonic() - self._start, 1e-9)
        left = f"{(self.total - self.done) / rate:.0f} s left" if rate > 0 else "time left unknown"
        return f"{self.done}/{self.total} {self.unit}, {rate:.0f} a second, {left}"


class SoundProgress:
    """A bar for work on sound files: share done, times real time, time left; shown on a terminal only.

    How long the files last is known only when they have been read, so the share done is one of bytes.

    Args:
        text: what is done.
        total: bytes of all files.
        console: a `rich.console.Console`; None is standard error.
    """

    def __init__(self, text, total, console=None):
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

        console = console or Console(stderr=True)
        rate = TextColumn("{task.fields[rate]}")
        columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), rate, TimeRemainingColumn())
        self._bar = Progress(*columns, console=console, disable=not console.is_terminal)
        self._task = self._bar.add_task(text, total=max(1, total), rate="")
        self._start, self._seconds = time.monotonic(), 0.0

    def __enter__(self):
        self._bar.start()
        return self

    def __exit__(self, *error):
        self._bar.stop()

    def add(self, count, seconds=0.0):
        """Count the bytes of finished files and, where they were worked on now, the seconds that they last."""
        self._seconds += seconds
        self._bar.update(self._task, advance=count, rate=self._rate())

    def _rate(self):
        times = self._seconds / max(time.monotonic() - self._start, 1e-9)
        return f"{times:.0f} x real time" if times else ""
