"""Contestants: processes that stay alive and train for an epoch on command, so that several can take turns."""

import contextlib
import json
import os
import subprocess
import sys
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path

PROGRAM = Path(__file__).with_name("run_race.py")
THREAD_VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "NPROC")  # the last is XLA's


@dataclass(frozen=True)
class Race:
    """What one contestant does.

    Attributes:
        kind: "tensorflow", "jax", "torch" (this library on that backend) or "peer" (plain PyTorch).
        stage: 1 or 2.
        batch, frames, features, z_dim: sizes of a step.
        clips: sequences in memory, which make an epoch of clips // batch steps.
        precision: "float32" or "mixed_bfloat16".
        threads: of the processor.
        tf32: whether a GPU may round the factors of float32 products.
        compiled, whole: of the peer: through torch.compile; with whole second passes (see `peer.Peer`).
        kept: whether the process keeps the memory that is freed (`process.keep_memory`), as the library's commands do.
        shared: whether both swaps pair the same z with the same v and are computed once (`swap_pairs` of the models).
        models: that `--seeds` would train in one program (JAX alone); None for one model and Keras's `fit`.
        data: a prepared folder whose training split is taken, or None for made-up sequences; of "cpd" a data set.
        family: "tsdsae", "slowvae" on pairs of dSprites, which the library renders as it trains, "cpd", "sps" on
            scales, or "selfie" on synthesised sounds, of which the library makes views as it trains.
    """

    kind: str
    stage: int = 2
    batch: int = 128
    frames: int = 251
    features: int = 80
    z_dim: int = 16
    clips: int = 1536
    precision: str = "float32"
    threads: int = 2
    tf32: bool = False
    compiled: bool = False
    whole: bool = False
    kept: bool = False
    shared: bool = False
    models: int | None = None
    data: str | None = None
    family: str = "tsdsae"

    @property
    def steps(self):
        """Steps of an epoch."""
        return self.clips // self.batch

    @property
    def name(self):
        """What the table calls it."""
        words = {"whole": "whole passes", "compiled": "compiled", "kept": "memory kept", "shared": "pairs shared"}
        how = [word for field, word in words.items() if getattr(self, field)]
        if self.models is not None:
            how.append(f"{self.models} in one program")
        if self.kind != "peer":
            return ", ".join(["tsdsae_keras", self.kind, *how])
        return ", ".join(["plain PyTorch", *how, f"{self.threads} thread{'s' * (self.threads > 1)}"])


class Contestant:
    """A process that runs a `Race`; everything it says on its own goes to a file that is kept until it fails."""

    def __init__(self, race):
        self.race, self.error, self.about = race, None, {}
        self.chatter = tempfile.TemporaryFile("w+")  # noqa: SIM115 - as long as the process
        threads = {name: str(race.threads) for name in THREAD_VARIABLES}
        quiet = {"TF_CPP_MIN_LOG_LEVEL": "3", "TF_FORCE_GPU_ALLOW_GROWTH": "true"}
        memory = {"XLA_PYTHON_CLIENT_PREALLOCATE": "false"}  # else the peak is what was taken, not what was used
        self.process = subprocess.Popen(
            [sys.executable, PROGRAM],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.chatter,
            text=True,
            env=os.environ | threads | quiet | memory,
        )
        self._tell(asdict(race))

    def epoch(self):
        """Runs an epoch; its answer, a dict with "seconds", "loss" and "memory", or None where the process failed."""
        if self.error is None:
            self._tell("epoch")
            self._listen()
        return None if self.error else self.about

    def end(self):
        """Ends the process."""
        with contextlib.suppress(BrokenPipeError):  # it has ended, with something left to read
            self.process.stdin.close()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()
        self.chatter.close()

    def _tell(self, what):
        try:
            print(json.dumps(what), file=self.process.stdin, flush=True)
        except BrokenPipeError:
            self._fail()

    def _listen(self):
        line = self.process.stdout.readline()
        if not line:
            self._fail()
        else:
            self.about |= json.loads(line)
            self.error = self.about.get("error")

    def _fail(self):
        status = self.process.wait()
        self.chatter.seek(0)
        said = self.chatter.read().strip().splitlines()
        self.error = f"ended with status {status}: {said[-1] if said else 'no message'}"
