"""`tsdsae-keras doctor`: what is installed, what is missing, and whether a very small run works."""

import logging

from tsdsae_keras.commands.checks import FAILED, findings
from tsdsae_keras.commands.selftest import self_test

log = logging.getLogger(__name__)


def doctor(load_backend):
    """Logs a line for every finding and returns the exit status: 0 if everything needed works, else 1.

    Args:
        load_backend: makes Keras run on the backend that was asked for; what it raises is one of the findings.
    """
    failed = _log_findings(findings(load_backend))
    if "backend" in failed:
        log.info("\nno self-test: no backend works")
    else:
        log.info("\nself-test, in a temporary folder")
        failed += _log_findings(self_test())
    log.info(f"\nproblems: {', '.join(failed)}" if failed else "\neverything needed works")
    return 1 if failed else 0


def _log_findings(found):
    """Says every finding as it comes; the names of those that failed."""
    failed = []
    for finding in found:
        log.info(str(finding))
        failed += [finding.name] if finding.mark == FAILED else []
    return failed
