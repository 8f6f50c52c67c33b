"""`tsdsae-keras doctor`: what is here, what is missing, and whether a run in miniature works."""

from tsdsae_keras.commands.checks import FAILED, findings
from tsdsae_keras.commands.selftest import self_test


def doctor(load_backend, say=print):
    """Says a line for every finding and returns the exit status: 0 where all that is needed is well, else 1.

    Args:
        load_backend: makes Keras run on the backend that was asked for; what it raises is one of the findings.
        say: takes the lines.
    """
    failed = _told(findings(load_backend), say)
    if "backend" in failed:
        say("\nno self-test, since there is no backend to run it on")
    else:
        say("\nself-test, in a temporary folder")
        failed += _told(self_test(), say)
    say(f"\nnot well: {', '.join(failed)}" if failed else "\nall that is needed is well")
    return 1 if failed else 0


def _told(found, say):
    """Says every finding as it comes; the names of those that failed."""
    failed = []
    for finding in found:
        say(str(finding))
        failed += [finding.name] if finding.mark == FAILED else []
    return failed
