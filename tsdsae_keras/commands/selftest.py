"""A run in miniature, from data to a loaded model, in well under a minute."""

import logging
import tempfile
import time
from pathlib import Path

from tsdsae_keras.commands.checks import FAILED, Finding, look
from tsdsae_keras.families import all_families
from tsdsae_keras.process import log_level
from tsdsae_keras.settings import with_preset

TRY = "if this persists, try another --backend, and report this table"


class SelfTest:
    """Steps that build on each other; each returns what it found, or raises.

    Args:
        folder: an empty one, for data and run.
        card: of the family whose `smallest` run is made.
    """

    def __init__(self, folder, card):
        self.folder, self.card = Path(folder), card
        self.settings = with_preset({**card.smallest, "cache": str(self.folder), "backend": _backend()})

    def steps(self):
        """(name, step) in order."""
        return ("data", self.prepare), ("training", self.train), ("saving", self.save)

    def prepare(self):
        from tsdsae_keras.data.sets import open_data
        from tsdsae_keras.training.fitting import open_streams

        with log_level(logging.ERROR):  # the doctor's table has a line for the synthesiser
            self.data = open_data(self.settings)
        self.streams = open_streams(self.settings, self.data)
        return f"{self.settings.data}, {self.streams[0].batches} batches"

    def train(self):
        from tsdsae_keras.training import fitting
        from tsdsae_keras.training.run import RunFolder

        run = RunFolder(self.folder / "run")
        run.folder.mkdir()
        model = fitting.build_model(self.settings, self.data)
        fitting.compile_model(model, self.settings, self.settings.epochs * self.streams[0].batches)
        state = fitting.start_or_restore(model, run, self.settings, self.data, None)
        writer = fitting.event_writer(run, state)
        fitting.fit(state, run, self.settings, self.data, self.streams, writer, None, progress=False)
        rows = state.history.rows
        if any(row["skipped_steps"] for row in rows):
            raise ArithmeticError(f"the loss or its gradient was not finite: {[row['loss'] for row in rows]}")
        self.model, self.run = model, run
        return f"{len(rows)} epochs of {self.settings.model}, loss {rows[0]['loss']:.3g} to {rows[-1]['loss']:.3g}"

    def save(self):
        from tsdsae_keras.base.loading import load_model

        loaded, batch = load_model(self.run.model), next(iter(self.streams[1].dataset))
        losses = [float(each.loss_terms(batch)["loss"]) for each in (self.model, loaded)]
        if not abs(losses[0] - losses[1]) <= 1e-4 * max(1.0, abs(losses[0])):
            raise ArithmeticError(f"the loaded model has a loss of {losses[1]}, the saved one {losses[0]}")
        return f"the loaded model has the loss of the saved one, {losses[0]:.4g}"


def _backend():
    import keras

    return keras.backend.backend()


def self_test():
    """The findings of the steps, up to the first that failed."""
    with tempfile.TemporaryDirectory(prefix="tsdsae-doctor-", ignore_cleanup_errors=True) as folder:
        for name, step in SelfTest(folder, all_families()[0]).steps():
            start = time.perf_counter()
            finding = look(name, step, TRY)
            if finding.mark == FAILED:
                yield finding
                return
            yield Finding(finding.mark, name, f"{finding.text}, {time.perf_counter() - start:.1f} s")
