"""Ten steps of small models: `python -m tests.training.devices.fits FOLDER MODEL,MODEL DEVICESxPROCESSES ...`.

Each layout runs in processes of its own, because a backend takes its devices once.
"""

import os
import sys
import traceback
from pathlib import Path
from types import SimpleNamespace

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from tests import cases
from tests.families.cpd import test_models as cpd
from tests.families.selfie import small as selfie
from tests.families.slowvae import small as slowvae
from tests.families.sps import test_model as sps
from tsdsae_keras.data.audio.logmel import FrontEnd
from tsdsae_keras.families.slowvae.baselines import PCL
from tsdsae_keras.training.callbacks import EnterStageTwo, SeedEpochs
from tsdsae_keras.training.devices.opening import open_devices
from tsdsae_keras.training.devices.place import VARIABLES, parse
from tsdsae_keras.training.processes import free_port

STEPS, ROWS = 5, 8  # steps of an epoch, of which there are two; rows of a batch


def sequences(seed):
    """Sequences of unequal length; now and then one of the last part cannot be used."""
    x = cases.sequences(ROWS, seed=seed)
    x[-1, 0] += np.nan if seed % 3 == 1 else 0
    return {"x": x, "mask": np.arange(x.shape[1]) < np.random.default_rng(seed).integers(3, 7, ROWS)[:, None]}


def triples(seed):
    model = SimpleNamespace(group="rotate", dims=3, channels=1)
    return cpd.batch_for(model, ROWS) | {"y": np.random.default_rng(seed).integers(0, 256, (ROWS, 64, 64, 1), "uint8")}


FRONT_END = FrontEnd(n_mels=cases.SIZES["features"]).to_dict()
CASES = {
    "tsdsae": (
        lambda: cases.small(z_noise=0.1, level_db=6.0, term_weights={"corr_zv": 0.5, "mmd_swap": 0.5}),
        sequences,
    ),
    "tsdsae-shared": (
        lambda: cases.small(
            swap_pairs="shared", reduction="sum", v_source="recording", v_transpose=3.0, front_end=FRONT_END
        ),
        lambda seed: {"x": cases.sequences(ROWS, seed=seed)},
    ),
    "slowvae": (slowvae.small, lambda seed: {"x": slowvae.pairs(ROWS // 2, seed=seed)}),
    "pcl": (lambda: _pcl(), lambda seed: {"x": slowvae.pairs(2 * ROWS, seed=seed)}),
    "selfie": (lambda: selfie.small(dropout=0.3), lambda seed: selfie.views(ROWS, seed=seed)),
    "vicreg": (lambda: selfie.small("vicreg"), lambda seed: selfie.views(ROWS, seed=seed)),
    "sps": (lambda: sps.small(copies=2), lambda seed: {"x": sps.frames(ROWS, seed=seed)}),
    "cpd": (lambda: _cpd("info_nce"), triples),
    "cpd-hinge": (lambda: _cpd("hinge"), triples),
}
FEW = ("tsdsae",)  # most of what there is to go wrong; the others are among the longer proofs


def _pcl():
    keras.utils.set_random_seed(7)
    return PCL(x_shape=(8,), z_dim=4, units=(16,), seed=7)


def _cpd(class_loss):
    keras.utils.set_random_seed(0)
    return cpd.CPD(group="rotate", width=2, seed=0, batch_norm=True, class_loss=class_loss)


class Stream:
    """Batches of an epoch, each a function of epoch and step."""

    def __init__(self, make, validation=False):
        self.make, self.epoch, self.batches = make, 0, 1 if validation else STEPS
        first = make(0)
        signature = {name: tf.TensorSpec((None, *x.shape[1:]), x.dtype) for name, x in first.items()}
        dataset = tf.data.Dataset.from_generator(self._all, output_signature=signature)
        self.dataset = dataset.apply(tf.data.experimental.assert_cardinality(self.batches))

    def set_epoch(self, epoch):
        self.epoch = epoch

    def _all(self):
        for step in range(self.batches):
            yield self.make(STEPS * self.epoch + step)


def fit(name, devices):
    """{name of a weight or a log: array} after ten steps, the stage changing in the middle."""
    build, make = CASES[name]
    train, validation = Stream(make), Stream(lambda seed: {key: x[: ROWS - 2] for key, x in make(99).items()}, True)
    with devices.scope():
        model = build()
        if hasattr(model, "adapt") and name.startswith("tsdsae"):
            model.adapt(cases.sequences(64, seed=5))
        # The kinks and the batch norm of `cpd`, two channels wide, multiply rounding errors from step to step.
        rate = 1e-4 if name.startswith("cpd") else 1e-3
        model.compile(optimizer=keras.optimizers.Adam(rate, epsilon=1e-8, name="adam", global_clipnorm=5.0))
        staged = [EnterStageTwo(1)] if name.startswith("tsdsae") else []
        history = model.fit(
            devices.training_data(train),
            validation_data=devices.validation_data(validation),
            epochs=2,
            shuffle=False,
            verbose=0,
            callbacks=[*devices.callbacks(), SeedEpochs(3, train), *staged],
        ).history
        found = {f"{name}/weight/{each.path}": ops.convert_to_numpy(each) for each in model.weights}
        found |= {
            f"{name}/slot/{each.path}": ops.convert_to_numpy(each)
            for each in model.optimizer.variables
            if "learning_rate" not in each.path
        }
    return found | {f"{name}/log/{key}": np.array(values) for key, values in history.items()}


def write(out, names, devices):
    """Fits on some devices; of several processes the leading one writes."""
    found = {}
    for name in names:
        found |= fit(name, devices)
    devices.wait()
    devices.close()
    if devices.leads:
        np.savez(out, **found)


def fork(out, names, count, rank, processes, port):
    """A process with so many devices, one of several, which need not import everything again; its number."""
    child = os.fork()
    if child:
        return child
    if processes > 1:
        os.environ |= dict(zip(VARIABLES, map(str, (rank, processes, rank, "127.0.0.1", port)), strict=True))
    status = 1
    try:
        alone = count == 1 and processes == 1
        write(out, names, open_devices(keras.backend.backend(), None if alone else parse(str(count), None)))
        status = 0
    except Exception:
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(status)  # nothing of the parent's is to be ended here


def main(folder, names, *layouts):
    for layout in layouts:
        (count, processes), port = map(int, layout.split("x")), free_port()
        out = Path(folder) / f"{layout}.npz"
        children = [fork(out, names.split(","), count, rank, processes, port) for rank in range(processes)]
        if any([os.waitpid(child, 0)[1] for child in children]):
            sys.exit(f"{layout} failed")


if __name__ == "__main__":
    main(*sys.argv[1:])
