"""What was left out of a prepared folder, and why: one line each, so that nothing is lost silently."""

import csv
import io
import re
from collections import Counter
from typing import NamedTuple

SKIPPED = "skipped.csv"
_SHOWN = 16
_NUMBER = re.compile(r"(?<![\w.])-?\d[\d.,]*(e[+-]?\d+)?")


class Skipped(NamedTuple):
    """A file that is left out or, with `seconds`, the part of it that begins there."""

    name: str
    seconds: float | None
    reason: str

    @property
    def kind(self):
        """The reason without its remedy and without the numbers of this one case, by which the summary counts."""
        return _NUMBER.sub("...", self.reason.partition(";")[0])


def skipped_csv(skipped):
    """The bytes of skipped.csv: columns name, seconds (empty: the whole file) and reason, ordered by name and place."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("name", "seconds", "reason"))
    for each in sorted(skipped, key=lambda each: (each.name, -1.0 if each.seconds is None else each.seconds)):
        writer.writerow((each.name, "" if each.seconds is None else f"{each.seconds:.3f}", each.reason))
    return text.getvalue().encode()


def summary(skipped):
    """Lines that count what was left out by kind, the most frequent first; what is rare is counted in one line."""
    counts = Counter((each.kind, "file" if each.seconds is None else "segment") for each in skipped).most_common()
    lines = [f"left out: {_count(count, thing)}: {kind}" for (kind, thing), count in counts[:_SHOWN]]
    if len(counts) > _SHOWN:
        lines.append(f"left out: {sum(count for _, count in counts[_SHOWN:])} more, for other reasons")
    return lines


def most_frequent(skipped):
    """One sentence for an error: the most frequent kinds, each with one name."""
    first = {each.kind: each.name for each in reversed(skipped)}
    counts = Counter(each.kind for each in skipped).most_common(_SHOWN)
    return "; ".join(f"{count} x {kind} ({first[kind]})" for kind, count in counts)


def _count(count, thing):
    return f"{count} {thing}" + ("" if count == 1 else "s")
