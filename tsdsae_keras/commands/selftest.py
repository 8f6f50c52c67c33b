"""A run in miniature, from notes to a swap by a loaded model, in well under a minute."""

import logging
import tempfile
import time
from pathlib import Path

from tsdsae_keras.commands.checks import FAILED, Finding, look
from tsdsae_keras.process import log_level

SIZES = {
    "z_dim": 4,
    "v_dim": 4,
    "global_units": (8, 8),
    "local_units": (8, 8),
    "transition_units": (8,),
    "decoder_units": (8, 8),
}
TRY = "if it stays, try another --backend, and report this table"


class SelfTest:
    """Steps that build on each other; each returns what it found, or raises.

    Args:
        folder: an empty one, for data and model.
    """

    def __init__(self, folder):
        self.folder = Path(folder)

    def steps(self):
        """(name, step) in order."""
        return ("rendering", self.render), ("training", self.train), ("saving", self.save)

    def render(self):
        from tsdsae_keras.data.sets.dmelodies import MelodySet, prepare_melodies

        with log_level(logging.ERROR):  # the doctor's table has a line for the synthesiser
            self.data = prepare_melodies(MelodySet(melodies=20), cache=self.folder)
        self.x = self.data.features("train")
        return f"20 melodies by {self.data.manifest['synth']['name']}"

    def train(self):
        import keras

        from tsdsae_keras.data.prepared.pipeline import SequenceStream
        from tsdsae_keras.families.tsdsae.building import make_model
        from tsdsae_keras.training.callbacks import EnterStageTwo

        model = make_model("tsdsae", features=self.data.n_mels, front_end=self.data.front_end, seed=0, **SIZES)
        model.adapt(self.x)
        model.compile(optimizer=keras.optimizers.Adam(1e-3, name="adam"))
        stream = SequenceStream(self.x, len(self.x), training=True)
        logs = model.fit(stream.dataset, epochs=2, shuffle=False, verbose=0, callbacks=[EnterStageTwo(1)]).history
        if any(logs["skipped_steps"]) or model.stage != 2:
            raise ArithmeticError(f"the loss or its gradient was not finite, losses {logs['loss']}")
        self.model = model
        return f"a step in each stage, losses {logs['loss'][0]:.1f} and {logs['loss'][1]:.1f}"

    def save(self):
        import numpy as np

        from tsdsae_keras.base.loading import load_model

        path, pair = self.folder / "model.keras", (self.x[:2], self.x[2:4])
        self.model.save(path)
        difference = np.abs(self.model.swap(*pair) - load_model(path).swap(*pair)).max()
        if not difference < 1e-4:
            raise ArithmeticError(f"the loaded model swaps otherwise than the saved one, by {difference:.2g}")
        return f"the loaded model swaps as the saved one (largest difference {difference:.2g})"


def self_test():
    """The findings of the steps, up to the first that failed."""
    with tempfile.TemporaryDirectory(prefix="tsdsae-doctor-", ignore_cleanup_errors=True) as folder:
        for name, step in SelfTest(folder).steps():
            start = time.perf_counter()
            finding = look(name, step, TRY)
            if finding.mark == FAILED:
                yield finding
                return
            yield Finding(finding.mark, name, f"{finding.text}, {time.perf_counter() - start:.1f} s")
