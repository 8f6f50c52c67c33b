"""When `train.py` printed what."""

import os
import subprocess
import sys
import time
from pathlib import Path

TRAIN = str(Path(__file__).resolve().parents[1] / "train.py")


def lines_of_training(options, environment=None):
    """(seconds since the start, line) of all that `train.py` prints; who stops listening ends the run.

    Args:
        options: of its command line.
        environment: variables to set besides those there are.

    Raises:
        SystemExit: it failed.
    """
    start, command = time.perf_counter(), [sys.executable, "-u", TRAIN, *options]
    variables = os.environ | (environment or {})
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=variables) as process:
        try:
            for line in process.stdout:
                yield time.perf_counter() - start, line
        except GeneratorExit:
            process.kill()
            raise
    if process.returncode:
        raise SystemExit(f"train.py ended with status {process.returncode}")
