"""Commands as processes of their own, which a test can kill or tell to stop."""

import os
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
PATIENCE = 600  # seconds, on a machine that others use too


class Script:
    """A script of this project with some options, run in folders that each take its output in a file.

    Args:
        script: below the root, such as "train.py".
        options: that every process has.
    """

    def __init__(self, script, *options):
        self.command = [sys.executable, str(ROOT / script), *options]

    def start(self, folder, *options):
        environment = os.environ | {"PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}
        with (folder / "output.txt").open("ab") as output:
            command = [*self.command, *options]
            return subprocess.Popen(command, cwd=folder, stdout=output, stderr=output, env=environment)

    def finish(self, folder, *options, status=0):
        assert self.start(folder, *options).wait(timeout=PATIENCE) == status, said(folder)


def said(folder):
    output = folder / "output.txt"
    return output.read_text() if output.exists() else ""


def wait_for(process, condition):
    """True as soon as the condition holds, False when the process has ended without it."""
    while process.poll() is None:
        if condition():
            return True
        time.sleep(0.001)
    return condition()
