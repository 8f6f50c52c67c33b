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
        return f"{self.done:,}/{self.total:,} {self.unit}, {rate:,.0f} a second, {left}"
